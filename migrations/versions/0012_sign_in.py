"""Signing in: activation codes, authenticators, attempts, refresh tokens, clients' keys, and what guards all of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.security import KINDS, OWN_CLIENT, grant, protect

revision = "0012_sign_in"
down_revision = "0011_queue"

INSTANT = sa.DateTime(timezone=True)
TEXTS = sa.ARRAY(sa.Text())
# What somebody without a caller holds: the bytes whose stored equal is the one row that they may see.
PRESENTED = "(SELECT decode(nullif(current_setting('app.presented', true), ''), 'hex'))"
PATIENT_TABLES = (
    *("refresh_tokens", "passkey_offers", "passkeys", "sign_ins", "activation_codes", "sign_in_accounts"),
    *("client_keys", "revoked_tokens", "refusal_counts"),
)
WHO_IS_REFUSED = ", ".join(KINDS[kind] for kind in ("patient", "clinic", "partner", "worker", "holder"))
# Callers see neither the counts nor the audit, so they count by a function of the owner. The first `few` of a minute
# become rows of the audit under `ids`, in order; `further` is how many are counted by this call.
COUNT_REFUSAL = """
CREATE FUNCTION count_refusal(
    ids uuid[], few integer, further integer, who uuid, kind text, its_client uuid, its_session uuid, its_user text,
    its_role text, whose uuid, act text, asked text, about uuid, slug text, request text
) RETURNS TABLE (counted integer, seconds_left double precision)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    this_minute timestamptz := date_trunc('minute', clock_timestamp());
BEGIN
    INSERT INTO refusal_counts AS known (minute_at, principal, operation, problem, caller_kind, action, times)
    VALUES (this_minute, who, asked, slug, kind, act, further)
    ON CONFLICT ON CONSTRAINT pk_refusal_counts DO UPDATE SET times = known.times + further
    RETURNING known.times INTO counted;
    INSERT INTO audit_events (id, caller_kind, client_id, app_session_id, acting_user, acting_role, patient_id, action,
        operation, resource_id, outcome, problem, request_id)
    SELECT given.id, kind, its_client, its_session, its_user, its_role, whose, act, asked, about, 'refused', slug,
        request
    FROM unnest(ids) WITH ORDINALITY AS given (id, number) WHERE given.number <= few - (counted - further);
    seconds_left := extract(epoch FROM this_minute + interval '1 minute' - clock_timestamp());
    RETURN NEXT;
END $$
"""
OTHER_TABLES = ("spent_proofs", "spent_assertions", "throttle_windows", "known_phones")


def upgrade() -> None:
    phones()
    activation()
    authenticators()
    attempts()
    clients()
    guards()
    refusals()


def phones() -> None:
    """App sessions learn which phone they are of, and how the patient signed in there."""
    for column in (
        sa.Column("client_id", sa.Text()),
        sa.Column("key_thumbprint", sa.Text()),
        sa.Column("device_name", sa.Text()),
        sa.Column("scopes", TEXTS),
        sa.Column("acr", sa.Text()),
        sa.Column("amr", TEXTS),
        sa.Column("authenticated_at", INSTANT),
        sa.Column("seen_at", INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("passkey_id", sa.Uuid()),
    ):
        op.add_column("app_sessions", column)
    described = "client_id, key_thumbprint, device_name, scopes, acr, amr, authenticated_at, passkey_id"
    op.execute(f"GRANT INSERT ({described}) ON app_sessions TO continuum_app")
    op.execute(
        "GRANT UPDATE (client_id, device_name, scopes, acr, amr, authenticated_at, passkey_id, seen_at, expires_at)"
        " ON app_sessions TO continuum_app"
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("app_session_id", sa.Uuid(), sa.ForeignKey("app_sessions.id"), nullable=False, index=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("parent_id", sa.Uuid(), sa.ForeignKey("refresh_tokens.id"), index=True),
        sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("used_at", INSTANT),
        sa.Column("retired_at", INSTANT),
    )
    protect(
        op, "refresh_tokens", patient="SELECT, INSERT, UPDATE (used_at, retired_at)", worker="SELECT, DELETE",
    )  # fmt: skip
    held("refresh_tokens", f"hash = {PRESENTED}", "SELECT")


def activation() -> None:
    op.create_table(
        "activation_codes",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False, index=True),
        sa.Column("selector_hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("link_hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("handed_over", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False, index=True),
        sa.Column("wrong_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("used_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.CheckConstraint("handed_over IN ('in_person', 'post', 'email', 'sms')", name="handed_over"),
    )
    protect(
        op, "activation_codes", patient="SELECT, UPDATE (used_at)", clinic="SELECT, INSERT, UPDATE (ended_at)",
        worker="SELECT, DELETE",
    )  # fmt: skip
    held("activation_codes", f"selector_hash = {PRESENTED} OR link_hash = {PRESENTED}", "SELECT, UPDATE (wrong_tries)")


def authenticators() -> None:
    op.create_table(
        "sign_in_accounts",
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), primary_key=True),
        sa.Column("user_handle", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("name_index", sa.LargeBinary(), unique=True),
        sa.Column("password_hash", sa.Text()),
        sa.Column("password_set_at", INSTANT),
        sa.Column("totp_secret", sa.LargeBinary()),
        sa.Column("totp_last_step", sa.BigInteger()),
        sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False),
    )
    protect(op, "sign_in_accounts", patient="SELECT, INSERT, UPDATE")
    held("sign_in_accounts", f"name_index = {PRESENTED} OR user_handle = {PRESENTED}", "SELECT")
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False, index=True),
        # WebAuthn §7.1 wants an id to be registered to nobody else; authenticators make them, at random.
        sa.Column("credential_id", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", TEXTS, nullable=False),
        sa.Column("backup_eligible", sa.Boolean(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("last_used_at", INSTANT),
    )
    protect(
        op, "passkeys", patient="SELECT, INSERT, UPDATE (sign_count, backed_up, name, last_used_at), DELETE",
    )  # fmt: skip
    held("passkeys", f"credential_id = {PRESENTED}", "SELECT")
    op.create_table(
        "passkey_offers",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False, index=True),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False, index=True),
    )
    protect(op, "passkey_offers", patient="SELECT, INSERT, DELETE", worker="SELECT, DELETE")


def attempts() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("session_hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("key_thumbprint", sa.Text()),
        sa.Column("scopes", TEXTS, nullable=False),
        sa.Column("code_challenge", sa.Text()),
        sa.Column("acr_values", sa.Text()),
        sa.Column("device_name", sa.Text()),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False, index=True),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), index=True),
        sa.Column("activation_id", sa.Uuid(), sa.ForeignKey("activation_codes.id"), index=True),
        sa.Column("user_handle", sa.LargeBinary()),
        sa.Column("totp_secret", sa.LargeBinary()),
        sa.Column("acr", sa.Text()),
        sa.Column("amr", TEXTS),
        sa.Column("passkey_id", sa.Uuid()),
        sa.Column("authenticated_at", INSTANT),
        sa.Column("code_hash", sa.LargeBinary(), unique=True),
        sa.Column("code_expires_at", INSTANT),
        sa.Column("code_used_at", INSTANT),
        sa.Column("app_session_id", sa.Uuid(), sa.ForeignKey("app_sessions.id"), index=True),
    )
    # Most attempts get no further than their challenge, and are soon forgotten.
    op.create_index("ix_sign_ins_expires_at", "sign_ins", ["expires_at"], postgresql_where=sa.text("code_hash IS NULL"))
    protect(op, "sign_ins", patient="SELECT, UPDATE", worker="SELECT, DELETE")
    held("sign_ins", f"session_hash = {PRESENTED} OR code_hash = {PRESENTED}", "SELECT, INSERT, UPDATE")


def clients() -> None:
    """Only the owner writes clients and their keys: whoever registers one holds the owner's login."""
    op.execute("REVOKE INSERT, UPDATE ON api_clients FROM continuum_clinic")
    op.add_column("api_clients", sa.Column("assertion_audience", sa.Text(), server_default="issuer", nullable=False))
    op.add_column("api_clients", sa.Column("jwks_url", sa.Text()))
    op.create_check_constraint(
        op.f("ck_api_clients_assertion_audience"), "api_clients", "assertion_audience IN ('issuer', 'token_endpoint')"
    )
    held("api_clients", f"id = {OWN_CLIENT}", "SELECT")
    op.create_table(
        "client_keys",
        sa.Column("client_id", sa.Uuid(), sa.ForeignKey("api_clients.id"), primary_key=True),
        sa.Column("kid", sa.Text(), primary_key=True),
        sa.Column("jwk", JSONB(), nullable=False),
        sa.Column("added_at", INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("retires_at", INSTANT),
    )
    protect(op, "client_keys")
    held("client_keys", f"client_id = {OWN_CLIENT}", "SELECT")
    op.create_table(
        "revoked_tokens",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("client_id", sa.Uuid(), sa.ForeignKey("api_clients.id"), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False, index=True),
    )
    protect(
        op, "revoked_tokens", clinic="SELECT, INSERT", partner="SELECT, INSERT",
        partner_own=f"client_id = {OWN_CLIENT}", worker="SELECT, DELETE",
    )  # fmt: skip


def guards() -> None:
    """What makes secrets single and guesses few. Only hashes stand here; none of it is a person's."""
    for name in ("spent_proofs", "spent_assertions"):
        op.create_table(
            name,
            sa.Column("id", sa.Uuid(), primary_key=True),
            sa.Column("spent_at", INSTANT, server_default=sa.func.now(), nullable=False, index=True),
            # After a crash a proof could be seen twice within its minutes; an assertion could not.
            prefixes=["UNLOGGED"] if name == "spent_proofs" else [],
        )
        grant(op, name, patient="INSERT", worker="SELECT, DELETE")
    op.create_table(
        "throttle_windows",
        sa.Column("key", sa.LargeBinary(), primary_key=True),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False, index=True),
    )
    grant(op, "throttle_windows", patient="SELECT, INSERT, UPDATE, DELETE", worker="SELECT, DELETE")
    op.create_table(
        "known_phones",
        sa.Column("hash", sa.LargeBinary(), primary_key=True),
        sa.Column("seen_at", INSTANT, server_default=sa.func.now(), nullable=False, index=True),
    )
    grant(op, "known_phones", patient="SELECT, INSERT, UPDATE", worker="SELECT, DELETE")


def refusals() -> None:
    """Refusals beyond the first few of a minute are counted, and told in one row of the audit."""
    op.add_column("audit_events", sa.Column("times", sa.Integer()))
    op.create_table(
        "refusal_counts",
        sa.Column("minute_at", INSTANT, primary_key=True),
        sa.Column("principal", sa.Uuid(), primary_key=True),
        sa.Column("operation", sa.Text(), primary_key=True),
        sa.Column("problem", sa.Text(), primary_key=True),
        sa.Column("caller_kind", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
    )
    protect(op, "refusal_counts", worker="SELECT, DELETE")
    op.execute(COUNT_REFUSAL)
    op.execute("REVOKE ALL ON FUNCTION count_refusal FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION count_refusal TO {WHO_IS_REFUSED}")


def held(table: str, condition: str, rights: str) -> None:
    """Open `table` to who presents something, as far as `condition` goes."""
    op.execute(f"CREATE POLICY holder ON {table} TO continuum_holder USING ({condition}) WITH CHECK ({condition})")
    op.execute(f"GRANT {rights} ON {table} TO continuum_holder")


def downgrade() -> None:
    op.execute("DROP FUNCTION count_refusal")
    for table in (*PATIENT_TABLES, *OTHER_TABLES):
        op.drop_table(table)
    op.drop_column("audit_events", "times")
    op.execute("REVOKE ALL ON api_clients FROM continuum_holder")
    op.execute("DROP POLICY holder ON api_clients")
    op.drop_column("api_clients", "jwks_url")
    op.drop_column("api_clients", "assertion_audience")
    op.execute("GRANT INSERT, UPDATE ON api_clients TO continuum_clinic")
    for column in (
        *("passkey_id", "seen_at", "authenticated_at", "amr", "acr", "scopes", "device_name", "key_thumbprint"),
        "client_id",
    ):
        op.drop_column("app_sessions", column)
