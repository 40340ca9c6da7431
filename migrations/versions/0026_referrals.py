"""Referrals, their documents, their triage and their events.

A partner reaches the rows that it wrote and nothing that the clinic writes. Triage is made, and told of the sender's
acts, by a trigger of the owner: the same statement with the same work, however far the clinic has come. Anybody may
add a referral of themselves, and read none. Purging a referral takes everything of it along; nothing else removes an
event, and nothing changes one.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.security import OWN_CLIENT, protect

revision = "0026_referrals"
down_revision = "0025_webhooks"

INSTANT = sa.DateTime(timezone=True)
ORIGINS = "'partner', 'self'"
STATES = (
    "'received', 'accepted', 'rejected', 'in_progress', 'on_hold', 'completed', 'failed', 'cancelled',"
    " 'entered_in_error'"
)
OPEN = "'received', 'accepted', 'in_progress', 'on_hold'"
SUB_STATUSES = (
    "'received', 'contact_attempted', 'unable_to_reach', 'waitlisted', 'assessment_scheduled', 'assessment_no_show',"
    " 'admitted', 'declined_by_patient', 'not_eligible', 'at_capacity', 'closed'"
)
WITHDRAWALS = "'cancelled', 'entered_in_error'"
ACTS = (
    "'sent', 'amended', 'document_sent', 'withdrawn', 'claimed', 'released', 'moved', 'linked', 'document_verified',"
    " 'withdrawal_noted', 'overdue'"
)
ACTORS = "'partner', 'self', 'clinic'"
# What somebody without a caller holds: the bytes whose stored equal is the one row that they may see.
PRESENTED = "(SELECT decode(nullif(current_setting('app.presented', true), ''), 'hex'))"
PARTNER_OWN = f"client_id = {OWN_CLIENT}"
# What the sender may change of what it sent.
AMENDED = (
    "own_identifier, given_name, family_name, name_key, born_on, called, contact_preference, phone, voicemail_allowed,"
    " email, best_time, language, reason, urgency, program_slug, notes, part2_notice, withdrawn, withdrawn_reason,"
    " withdrawn_at, document_id, document_sha256, document_size, document_received_at, looks_like, own_version,"
    " changed_at"
)
RECEIVE = """
CREATE FUNCTION receive_referral() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO referral_triage (referral_id, state, sub_status, changed_at)
    VALUES (NEW.id, 'received', 'received', NEW.created_at);
    INSERT INTO referral_events (id, referral_id, at, act, actor_kind, actor, state, sub_status)
    VALUES (gen_random_uuid(), NEW.id, NEW.created_at, 'sent', NEW.origin, NEW.client_id, 'received', 'received');
    RETURN NULL;
END $$
"""
# What was admitted, or has come to an end otherwise, stays so: the clinic is told that its sender took it back. To call
# it an error is open to the sender at any time, but for an admission, which took place.
HEAR_SENDER = f"""
CREATE FUNCTION hear_sender_of_referral() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    taken_back text := CASE WHEN NEW.withdrawn IS DISTINCT FROM OLD.withdrawn THEN NEW.withdrawn END;
    before referral_triage;
    settles boolean;
BEGIN
    SELECT * INTO before FROM referral_triage WHERE referral_id = NEW.id FOR UPDATE;
    settles := taken_back IS NOT NULL AND before.admitted_at IS NULL
        AND (taken_back = 'entered_in_error' OR before.state IN ({OPEN}));
    UPDATE referral_triage SET
        state = CASE WHEN settles THEN taken_back ELSE state END,
        sub_status = CASE WHEN settles THEN 'closed' ELSE sub_status END,
        reason = CASE WHEN settles THEN NEW.withdrawn_reason ELSE reason END,
        reason_told = CASE WHEN settles THEN true ELSE reason_told END,
        late_withdrawal = CASE WHEN settles THEN NULL ELSE coalesce(taken_back, late_withdrawal) END,
        version = version + 1, changed_at = NEW.changed_at
    WHERE referral_id = NEW.id;
    INSERT INTO referral_events (id, referral_id, at, act, actor_kind, actor, state, sub_status, reason, was)
    VALUES (
        gen_random_uuid(), NEW.id, NEW.changed_at,
        CASE WHEN taken_back IS NOT NULL THEN 'withdrawn'
            WHEN NEW.document_id IS DISTINCT FROM OLD.document_id THEN 'document_sent' ELSE 'amended' END,
        NEW.origin, NEW.client_id, CASE WHEN settles THEN taken_back END, CASE WHEN settles THEN 'closed' END,
        CASE WHEN taken_back IS NOT NULL THEN NEW.withdrawn_reason END,
        (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(OLD))
         WHERE value <> 'null' AND to_jsonb(NEW) -> key IS DISTINCT FROM value
           AND key <> ALL ('{{own_version,changed_at,name_key,looks_like}}')
           AND (NEW.contact_preference = 'may_contact' OR key <> ALL ('{{phone,email,best_time}}')))
    );
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    _referrals()
    _documents()
    _triage()
    _events()
    _strangers()
    op.execute(RECEIVE)
    op.execute(HEAR_SENDER)
    op.execute("CREATE TRIGGER received AFTER INSERT ON referrals FOR EACH ROW EXECUTE FUNCTION receive_referral()")
    op.execute(
        "CREATE TRIGGER heard AFTER UPDATE ON referrals"
        " FOR EACH ROW WHEN (NEW.own_version <> OLD.own_version) EXECUTE FUNCTION hear_sender_of_referral()"
    )
    for function in ("receive_referral", "hear_sender_of_referral"):
        op.execute(f"REVOKE ALL ON FUNCTION {function}() FROM PUBLIC")


def downgrade() -> None:
    op.execute("DROP POLICY holder ON idempotency_records")
    op.execute("REVOKE ALL ON idempotency_records FROM continuum_holder")
    for table in ("referral_events", "referral_triage", "referral_documents", "referrals"):
        op.drop_table(table)
    op.execute("DROP FUNCTION receive_referral()")
    op.execute("DROP FUNCTION hear_sender_of_referral()")


def _referrals() -> None:
    op.create_table(
        "referrals",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("client_id", sa.Uuid(), sa.ForeignKey("api_clients.id")),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("own_identifier", sa.Text()),
        sa.Column("given_name", sa.Text()),
        sa.Column("family_name", sa.Text()),
        sa.Column("name_key", sa.Text()),
        sa.Column("born_on", sa.Date()),
        sa.Column("called", sa.Text()),
        sa.Column("contact_preference", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text()),
        sa.Column("voicemail_allowed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("best_time", sa.Text()),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("urgency", sa.Text(), server_default="routine", nullable=False),
        sa.Column("program_slug", sa.Text()),
        sa.Column("notes", sa.Text()),
        sa.Column("part2_notice", sa.Text()),
        sa.Column("withdrawn", sa.Text()),
        sa.Column("withdrawn_reason", sa.Text()),
        sa.Column("withdrawn_at", INSTANT),
        sa.Column("document_id", sa.Uuid()),
        sa.Column("document_sha256", sa.LargeBinary()),
        sa.Column("document_size", sa.Integer()),
        sa.Column("document_received_at", INSTANT),
        sa.Column("looks_like", sa.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("own_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint(f"origin IN ({ORIGINS})", name="origin"),
        sa.CheckConstraint("urgency IN ('routine', 'soon')", name="urgency"),
        sa.CheckConstraint(
            "contact_preference IN ('may_contact', 'through_partner', 'do_not_contact')", name="contact_preference"
        ),
        sa.CheckConstraint(f"withdrawn IN ({WITHDRAWALS})", name="withdrawn"),
        sa.CheckConstraint("(origin = 'partner') = (client_id IS NOT NULL)", name="sender"),
        sa.CheckConstraint("(withdrawn IS NULL) = (withdrawn_at IS NULL)", name="withdrawal"),
    )
    op.create_index("ix_referrals_client_id_created_at_id", "referrals", ["client_id", "created_at", "id"])
    op.create_index("ix_referrals_client_id_own_identifier", "referrals", ["client_id", "own_identifier"])
    op.create_index("ix_referrals_client_id_name_key", "referrals", ["client_id", "name_key"])
    op.create_index("ix_referrals_created_at_id", "referrals", ["created_at", "id"])
    protect(
        op, "referrals", partner_own=PARTNER_OWN, partner=f"SELECT, INSERT, UPDATE ({AMENDED})", clinic="SELECT",
        worker="SELECT, DELETE",
    )  # fmt: skip
    # The gate is asked by one partner at a time.
    op.execute(f"CREATE POLICY gate ON referrals TO continuum_gate USING ({PARTNER_OWN})")
    op.execute("GRANT SELECT ON referrals TO continuum_gate")


def _documents() -> None:
    op.create_table(
        "referral_documents",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "referral_id", sa.Uuid(), sa.ForeignKey("referrals.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("client_id", sa.Uuid(), sa.ForeignKey("api_clients.id"), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
    )
    protect(
        op, "referral_documents", partner_own=PARTNER_OWN,
        partner="SELECT (id, referral_id, client_id, sha256, size, received_at), INSERT", clinic="SELECT",
    )  # fmt: skip


def _triage() -> None:
    op.create_table(
        "referral_triage",
        sa.Column("referral_id", sa.Uuid(), sa.ForeignKey("referrals.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("state", sa.Text(), server_default="received", nullable=False),
        sa.Column("sub_status", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("reason_told", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("claimed_role", sa.Text()),
        sa.Column("claimed_at", INSTANT),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), index=True),
        sa.Column("enrollment_id", sa.Uuid()),
        sa.Column("admitted_at", INSTANT),
        sa.Column("document_id", sa.Uuid()),
        sa.Column("document_verified_at", INSTANT),
        sa.Column("document_verified_by", sa.Text()),
        sa.Column("document_verified_role", sa.Text()),
        sa.Column("late_withdrawal", sa.Text()),
        sa.Column("overdue_at", INSTANT),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name="state"),
        sa.CheckConstraint(f"sub_status IN ({SUB_STATUSES})", name="sub_status"),
        sa.CheckConstraint(f"late_withdrawal IN ({WITHDRAWALS})", name="late_withdrawal"),
        sa.CheckConstraint("admitted_at IS NULL OR patient_id IS NOT NULL", name="admitted"),
    )
    op.create_index(
        "ix_referral_triage_open", "referral_triage", ["referral_id"], postgresql_where=sa.text(f"state IN ({OPEN})")
    )
    protect(op, "referral_triage", clinic="SELECT, UPDATE", worker="SELECT, UPDATE", gate="SELECT")


def _events() -> None:
    op.create_table(
        "referral_events",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), sa.ForeignKey("referrals.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text()),
        sa.Column("actor_role", sa.Text()),
        sa.Column("state", sa.Text()),
        sa.Column("sub_status", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("reason_told", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("told", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("was", JSONB()),
        sa.CheckConstraint(f"act IN ({ACTS})", name="act"),
        sa.CheckConstraint(f"actor_kind IN ({ACTORS})", name="actor_kind"),
        sa.CheckConstraint(f"state IN ({STATES})", name="state"),
        sa.CheckConstraint(f"sub_status IN ({SUB_STATUSES})", name="sub_status"),
    )
    op.create_index("ix_referral_events_referral_id_at", "referral_events", ["referral_id", "at"])
    protect(op, "referral_events", clinic="SELECT, INSERT", worker="SELECT, INSERT", gate="SELECT")
    for when, each in (("UPDATE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER only_grows_{each.lower()} BEFORE {when} ON referral_events "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )


def _strangers() -> None:
    """Who asks for themselves presents the key that makes the asking once, may add it, and reads no referral."""
    op.execute(
        "CREATE POLICY holder ON referrals TO continuum_holder USING (false)"
        " WITH CHECK (client_id IS NULL AND origin = 'self')"
    )
    op.execute("GRANT INSERT ON referrals TO continuum_holder")
    same = f"key_hash = {PRESENTED}"
    op.execute(f"CREATE POLICY holder ON idempotency_records TO continuum_holder USING ({same}) WITH CHECK ({same})")
    op.execute("GRANT SELECT, INSERT ON idempotency_records TO continuum_holder")
