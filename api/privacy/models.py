"""Consents, restrictions, and notices that were acknowledged."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, column_property, mapped_column

from api import db, vocabulary


def one_of(column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


_ENDS = sa.table("treatment_ends", sa.column("consent_id", sa.Uuid))
_BEGINS = sa.table(
    "treatment_begins", sa.column("consent_id", sa.Uuid), sa.column("recorded_at", sa.DateTime(timezone=True))
)


class Consent(db.Base):
    """A consent as it was signed, with every element of 42 CFR 2.31(a); beside it what became of it since.

    Its recipient is one client or a class, never both; `recipient_name` is the name that was signed for. `text` is the
    form's text word for word, `text_hash` its SHA-256; `document_hash` that of the paper. Under terms of criminal
    justice (§2.35) `matter` names what treatment is a condition of. `ended_at` is when the clinic learned that
    its event came about, or that it should never have counted. `treatment_over`: it was to last until the end of
    treatment, and the enrollments say that this has come; a step to another level of care is no end. `begun_at` is when
    a placement that such a consent is about was first on record.
    """

    __tablename__ = "consents"
    __table_args__ = (
        one_of("terms", vocabulary.CONSENT_TERMS),
        one_of("purpose", vocabulary.CONSENT_PURPOSES),
        one_of("recipient_class", vocabulary.RECIPIENT_CLASSES),
        one_of("expires_on_event", vocabulary.CONSENT_EVENTS),
        one_of("revocable", vocabulary.CONSENT_REVOCABLE),
        one_of("signed_how", vocabulary.CONSENT_SIGNED_HOW),
        one_of("signer", vocabulary.CONSENT_SIGNERS),
        one_of("revoked_how", vocabulary.CONSENT_REVOKED_HOW),
        one_of("ended_reason", vocabulary.CONSENT_ENDED_BECAUSE),
        sa.CheckConstraint("num_nonnulls(recipient_client_id, recipient_class) = 1", name="recipient"),
        sa.CheckConstraint("cardinality(categories) > 0", name="categories"),
        sa.CheckConstraint("num_nonnulls(expires_at, expires_on_event) > 0", name="expires"),
        sa.CheckConstraint("(revocable = 'from_date') = (revocable_at IS NOT NULL)", name="revocable_at"),
        sa.CheckConstraint("(signed_how = 'paper') = (document_hash IS NOT NULL)", name="paper"),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_how IS NULL)", name="revoked"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_reason IS NULL)", name="ended"),
        sa.CheckConstraint(
            "CASE terms WHEN 'usual' THEN matter IS NULL AND revocable = 'any_time' AND purpose <> 'criminal_justice'"
            " ELSE matter IS NOT NULL AND recipient_class IS NULL AND purpose = 'criminal_justice'"
            " AND categories <@ '{attendance,progress}' END",
            name="criminal_justice",
        ),
        sa.Index("ix_consents_patient_id_id", "patient_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    patient_name: Mapped[str]
    discloser: Mapped[str]
    recipient_client_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("api_clients.id"))
    recipient_class: Mapped[str | None]
    recipient_name: Mapped[str]
    categories: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    purpose: Mapped[str]
    terms: Mapped[str]
    matter: Mapped[str | None]
    revocable: Mapped[str]
    revocable_at: Mapped[datetime | None]
    expires_on_event: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    form_version: Mapped[str]
    language: Mapped[str]
    text: Mapped[str]
    text_hash: Mapped[bytes]
    signer: Mapped[str]
    signer_name: Mapped[str]
    signed_how: Mapped[str]
    signed_at: Mapped[datetime]
    acr: Mapped[str | None]
    app_session_id: Mapped[UUID | None]
    document_hash: Mapped[bytes | None]
    recorded_by: Mapped[str | None]
    recorded_role: Mapped[str | None]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_how: Mapped[str | None]
    revocation_taken_by: Mapped[str | None]
    revocation_taken_role: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]
    ended_by: Mapped[str | None]
    ended_role: Mapped[str | None]
    version: Mapped[int] = mapped_column(sa.BigInteger)
    treatment_over: Mapped[bool] = column_property(sa.exists().where(_ENDS.c.consent_id == id))
    begun_at: Mapped[datetime | None] = column_property(
        sa.select(sa.func.min(_BEGINS.c.recorded_at)).where(_BEGINS.c.consent_id == id).scalar_subquery()
    )


class Restriction(db.Base):
    """What a patient asks the clinic not to tell (42 CFR 2.26), and what the clinic answered.

    Without a recipient it is meant for anybody, without categories for everything. Only `agreed` ones bind. One that
    the patient took back is `withdrawn`, whether or not it had been agreed to: `answered_at` tells.
    """

    __tablename__ = "restrictions"
    __table_args__ = (
        one_of("status", vocabulary.RESTRICTION_STATUSES),
        sa.CheckConstraint("cardinality(categories) > 0", name="categories"),
        sa.CheckConstraint("(answered_at IS NULL) = (answered_by IS NULL)", name="answered"),
        sa.CheckConstraint("(status = 'ended') = (ended_at IS NOT NULL)", name="ended"),
        sa.CheckConstraint("(status = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn"),
        sa.Index("ix_restrictions_patient_id_id", "patient_id", "id"),
        sa.Index("ix_restrictions_requested", "id", postgresql_where=sa.text("status = 'requested'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    recipient_client_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("api_clients.id"))
    recipient_name: Mapped[str | None]
    categories: Mapped[list[str] | None] = mapped_column(ARRAY(sa.Text))
    wish: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="requested")
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    answered_by: Mapped[str | None]
    answered_role: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_role: Mapped[str | None]
    end_reason: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(sa.BigInteger)


class NoticeAcknowledgement(db.Base):
    """The patient has seen this version of the privacy notice (42 CFR 2.22)."""

    __tablename__ = "notice_acknowledgements"

    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), primary_key=True)
    notice_version: Mapped[str] = mapped_column(primary_key=True)
    acknowledged_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(sa.BigInteger)


class Disclosure(db.Base):
    """One telling of somebody outside, with what an accounting needs (42 CFR 2.25; 45 CFR 164.528(b)). Rows are only
    ever added.

    What the gate told rests on a `consent` and says by its `categories` what; the clinic writes down by hand what it
    told in an `emergency` (42 CFR 2.51: `nature`, `made_by` and the recipient's affiliation are its elements) or
    `elsewhere`, such as on paper. `purpose` is a consent's word, or the clinic's own. `subject_id` is what was asked
    about.
    """

    __tablename__ = "disclosures"
    __table_args__ = (
        one_of("basis", vocabulary.DISCLOSURE_BASES),
        sa.CheckConstraint(
            "basis <> 'consent' OR (num_nulls(consent_id, recipient_client_id, notice_version) = 0"
            " AND cardinality(categories) > 0)",
            name="consented",
        ),
        sa.CheckConstraint(
            "basis = 'consent' OR num_nulls(description, made_by, recorded_by, recorded_role) = 0", name="stated"
        ),
        sa.CheckConstraint("(basis = 'emergency') = (nature IS NOT NULL)", name="emergency"),
        sa.Index("ix_disclosures_patient_id_disclosed_at", "patient_id", "disclosed_at", "id"),
        sa.Index("ix_disclosures_consent_id", "consent_id", postgresql_where=sa.text("consent_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    subject_id: Mapped[UUID | None]
    recipient_client_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("api_clients.id"))
    recipient_name: Mapped[str]
    recipient_affiliation: Mapped[str | None]
    recipient_address: Mapped[str | None]
    categories: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    description: Mapped[str | None]
    purpose: Mapped[str]
    basis: Mapped[str]
    consent_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("consents.id"))
    notice_version: Mapped[str | None]
    nature: Mapped[str | None]
    made_by: Mapped[str | None]
    disclosed_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    recorded_by: Mapped[str | None]
    recorded_role: Mapped[str | None]
