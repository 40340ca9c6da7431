"""Giving a consent, in the app or on paper, and finding it again.

In the app whoever gives it has just proved who they are, and says by its hash which text they were shown; if the text
has changed meanwhile nothing is signed. On paper the clinic records what was signed, with the hash of the document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, events, pages
from api.patients import versions
from api.privacy import drafts, forms, recipients
from api.privacy.events import ConsentGiven
from api.privacy.forms import Draft, Form
from api.privacy.models import Consent


class FormTextChanged(errors.Conflict):
    title = "The text has changed"
    detail = "The text that was shown is not the one that would be signed. Please read it again."
    title_es = "El texto cambió"
    detail_es = "El texto que se mostró no es el que se firmaría. Léalo de nuevo."
    retry = "after_refresh"


class SignedInTheFuture(errors.Unprocessable):
    title = "That day is yet to come"
    detail = "A paper cannot have been signed, nor a word been taken, later than now."
    title_es = "Ese día aún no ha llegado"
    detail_es = "Un papel no puede haberse firmado, ni una palabra haberse tomado, más tarde que ahora."


@dataclass(frozen=True, slots=True, kw_only=True)
class InApp:
    """A signature in the app: the typed name, how strongly its hand had proved who they are, and on which phone."""

    name: str
    acr: str | None = None
    app_session_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPaper:
    """A signature on paper and the SHA-256 of the document, as somebody at the clinic recorded it. `signer` is the
    patient or a person authorized to sign for them (42 CFR 2.14, 2.15)."""

    name: str
    signed_at: datetime
    document_hash: bytes
    by: str
    role: str
    signer: str = "patient"


def form(*, draft: Draft, language: str, version: str | None = None, at: datetime) -> Form:
    """The text that would be signed. Raises the refusals of `drafts`, `forms.UnknownForm`."""
    recipient = recipients.active(draft.recipient_id)
    drafts.refuse_unfit(draft, recipient, at=at)
    return forms.written(draft, recipient=recipient.name if recipient else None, language=language, version=version)


def give(
    *, patient_id: UUID, draft: Draft, language: str, shown: bytes, signature: InApp, at: datetime
) -> Consent:  # fmt: skip
    """Sign in the app what was `shown` (its SHA-256). Raises `FormTextChanged` and what `form` raises."""
    to_sign = form(draft=draft, language=language, at=at)
    if to_sign.hash != shown:
        raise FormTextChanged
    signed = {"signed_how": "app", "signer": "patient", "signer_name": signature.name, "signed_at": at}
    proved = {"acr": signature.acr, "app_session_id": signature.app_session_id}
    return _keep(patient_id, draft, to_sign, at, **signed, **proved)


def record(
    *, patient_id: UUID, draft: Draft, language: str, form_version: str, signature: OnPaper, at: datetime
) -> Consent:  # fmt: skip
    """Write down what was signed on the clinic's form on paper. Raises `SignedInTheFuture` and what `form` raises."""
    if signature.signed_at > at:
        raise SignedInTheFuture
    signed = form(draft=draft, language=language, version=form_version, at=at)
    return _keep(
        patient_id,
        draft,
        signed,
        at,
        signed_how="paper",
        signer=signature.signer,
        signer_name=signature.name,
        signed_at=signature.signed_at,
        document_hash=signature.document_hash,
        recorded_by=signature.by,
        recorded_role=signature.role,
    )


def one(*, consent_id: UUID, patient_id: UUID | None = None) -> Consent:
    """A consent of the patient's; for the clinic, anybody's. Raises `errors.NotFound`."""
    found = sa.select(Consent).where(Consent.id == consent_id)
    found = found.where(Consent.patient_id == patient_id) if patient_id else found
    consent = db.session().scalar(found.execution_options(populate_existing=True))
    if consent is None:
        raise errors.NotFound
    return consent


def page(
    *, patient_id: UUID, asked: int, page_token: str | None, bound_to: Sequence[Any]
) -> tuple[list[Consent], str | None]:  # fmt: skip
    """The patient's consents, the latest first, and the token of what follows."""
    found = sa.select(Consent).where(Consent.patient_id == patient_id)
    return pages.page(
        found, keys=[Consent.id], asked=asked, page_token=page_token, bound_to=bound_to, descending=True
    )  # fmt: skip


def _keep(patient_id: UUID, draft: Draft, signed: Form, at: datetime, **signature: Any) -> Consent:
    """Only the columns that a patient's role may write are named, unless the clinic records."""
    stamp = versions.touch([patient_id])[patient_id]
    values = _values(draft, signed) | signature | {"patient_id": patient_id, "created_at": at, "version": stamp}
    consent_id = db.uuid7()
    db.session().execute(sa.insert(Consent).values(id=consent_id, **values))
    events.announce(ConsentGiven(patient_id, consent_id, draft.recipient_id, at))
    return one(consent_id=consent_id, patient_id=patient_id)


def _values(draft: Draft, signed: Form) -> dict[str, Any]:
    return {
        "patient_name": draft.patient_name,
        "discloser": signed.discloser,
        "recipient_client_id": draft.recipient_id,
        "recipient_class": draft.recipient_class,
        "recipient_name": signed.recipient_name,
        "categories": sorted(set(draft.categories)),
        "purpose": draft.purpose,
        "terms": draft.terms,
        "matter": draft.matter,
        "revocable": draft.revocable,
        "revocable_at": draft.revocable_at,
        "expires_on_event": draft.expires_on_event,
        "expires_at": draft.expires_at,
        "form_version": signed.version,
        "language": signed.language,
        "text": signed.text,
        "text_hash": signed.hash,
    }
