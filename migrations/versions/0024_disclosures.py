"""The ledger of disclosures, what the gate reads, and who looked at a record as the patient may see it.

The gate is a role that is entered for one recipient, and for one patient once that one's consent was found to count:
before, it reads consents and which partners there are; after, the facts of that patient alone. It writes the ledger for
exactly this pair. Nobody changes or deletes a row of it (42 CFR 2.25). A patient reads of the audit what a view of it
shows: neither persons at the clinic nor requests. Which consents ended with the treatment that they name, the gate
learns from a view too: for that alone it needs no placement of anybody's.
"""

import sqlalchemy as sa
from alembic import op

from migrations.security import KINDS, OWN_CLIENT, OWN_PATIENT, protect

revision = "0024_disclosures"
down_revision = "0023_consents"

INSTANT = sa.DateTime(timezone=True)
GATE = KINDS["gate"]
OWN_SESSION = "EXISTS (SELECT 1 FROM attendances a WHERE a.session_id = care_sessions.id AND a.status = 'booked')"
# What the gate may read: the columns, and of whom. Nobody is named in any of it.
READ = {
    "patients": (" (id, status, time_zone)", "true"),
    "enrollments": ("", f"patient_id = {OWN_PATIENT}"),
    "enrollment_events": (
        " (id, patient_id, enrollment_id, kind, effective_at, recorded_at, corrects_id)", f"patient_id = {OWN_PATIENT}"
    ),
    "attendances": ("", f"patient_id = {OWN_PATIENT}"),
    "care_sessions": ("", OWN_SESSION),
}  # fmt: skip
RECORD_ACCESSES = f"""
CREATE VIEW record_accesses WITH (security_barrier) AS
SELECT e.id, e.patient_id, e.recorded_at, e.caller_kind, e.acting_role, e.action, e.operation, c.name AS system_name
FROM audit_events e LEFT JOIN api_clients c ON c.id = e.client_id
WHERE e.patient_id = {OWN_PATIENT} AND e.outcome = 'done' AND e.caller_kind IN ('clinic', 'worker', 'owner')
"""
# An end that was recorded after the signature, wherever it was dated, and no placement that holds or is to come.
TREATMENT_ENDS = f"""
CREATE VIEW treatment_ends WITH (security_barrier) AS
SELECT c.id AS consent_id FROM consents c
WHERE c.expires_on_event = 'end_of_treatment'
  AND (c.patient_id = {OWN_PATIENT} OR current_user IN ('{GATE}', '{KINDS["clinic"]}'))
  AND EXISTS (
      SELECT FROM enrollment_events v JOIN enrollments e ON e.id = v.enrollment_id
      WHERE v.patient_id = c.patient_id AND v.kind = 'ended' AND v.recorded_at >= c.signed_at AND e.status = 'ended')
  AND NOT EXISTS (
      SELECT FROM enrollments e WHERE e.patient_id = c.patient_id AND e.status IN ('active', 'paused'))
"""


def upgrade() -> None:
    _ledger()
    for table, (columns, condition) in READ.items():
        op.execute(f"CREATE POLICY gate ON {table} TO {GATE} USING ({condition})")
        op.execute(f"GRANT SELECT{columns} ON {table} TO {GATE}")
    op.execute(RECORD_ACCESSES)
    op.execute(f"GRANT SELECT ON record_accesses TO {KINDS['patient']}")
    op.execute(TREATMENT_ENDS)
    op.execute(f"GRANT SELECT ON treatment_ends TO {GATE}, {KINDS['patient']}, {KINDS['clinic']}")


def downgrade() -> None:
    op.execute("DROP VIEW treatment_ends")
    op.execute("DROP VIEW record_accesses")
    for table, (columns, _) in READ.items():
        op.execute(f"REVOKE SELECT{columns} ON {table} FROM {GATE}")
        op.execute(f"DROP POLICY gate ON {table}")
    op.drop_table("disclosures")


def _ledger() -> None:
    op.create_table(
        "disclosures",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("subject_id", sa.Uuid()),
        sa.Column("recipient_client_id", sa.Uuid(), sa.ForeignKey("api_clients.id")),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("recipient_affiliation", sa.Text()),
        sa.Column("recipient_address", sa.Text()),
        sa.Column("categories", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), sa.ForeignKey("consents.id")),
        sa.Column("notice_version", sa.Text()),
        sa.Column("nature", sa.Text()),
        sa.Column("made_by", sa.Text()),
        sa.Column("disclosed_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("recorded_by", sa.Text()),
        sa.Column("recorded_role", sa.Text()),
        sa.CheckConstraint("basis IN ('consent', 'emergency', 'elsewhere')", name="basis"),
        sa.CheckConstraint(
            "basis <> 'consent' OR (num_nulls(consent_id, recipient_client_id, notice_version) = 0"
            " AND cardinality(categories) > 0)",
            name="consented",
        ),
        sa.CheckConstraint(
            "basis = 'consent' OR num_nulls(description, made_by, recorded_by, recorded_role) = 0", name="stated"
        ),
        sa.CheckConstraint("(basis = 'emergency') = (nature IS NOT NULL)", name="emergency"),
    )
    op.create_index("ix_disclosures_patient_id_disclosed_at", "disclosures", ["patient_id", "disclosed_at", "id"])
    op.create_index(
        "ix_disclosures_consent_id", "disclosures", ["consent_id"], postgresql_where=sa.text("consent_id IS NOT NULL")
    )
    protect(op, "disclosures", patient="SELECT", clinic="SELECT, INSERT")
    op.execute(
        f"CREATE POLICY gate ON disclosures FOR INSERT TO {GATE} WITH CHECK"
        f" (basis = 'consent' AND patient_id = {OWN_PATIENT} AND recipient_client_id = {OWN_CLIENT})"
    )
    op.execute(f"GRANT INSERT ON disclosures TO {GATE}")
    for when, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER only_grows_{each.lower()} BEFORE {when} ON disclosures "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )
