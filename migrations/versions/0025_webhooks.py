"""Webhooks: partners' endpoints, the events to tell them of, and a delivery for each of both.

Whoever makes an event true puts it in, whatever its role: by a function of the owner, in one statement with its
deliveries and their jobs, so that neither patients nor the clinic see any endpoint. A partner sees its own rows, but
of an event that may only be told with somebody's consent nothing until it was told: the log must not say what the
gate would not.
"""

import sqlalchemy as sa
from alembic import op

from migrations.security import OWN_CLIENT, protect

revision = "0025_webhooks"
down_revision = "0024_disclosures"

INSTANT = sa.DateTime(timezone=True)
ANNOUNCERS = "continuum_app, continuum_clinic, continuum_partner, continuum_worker, continuum_gate"
OWN = f"client_id = {OWN_CLIENT}"
OWN_AND_TOLD = f"{OWN} AND (NOT checked OR last_attempt_at IS NOT NULL)"
# Deliveries are looked through under the policies of whoever asks.
OWN_AND_KNOWN = (
    f"{OWN} AND (check_name IS NULL"
    " OR EXISTS (SELECT FROM webhook_deliveries AS d WHERE d.event_id = webhook_events.id))"
)
# Without an endpoint named, an event is for every active one that wants it.
ANNOUNCE = f"""
CREATE FUNCTION announce_webhook(
    its_id uuid, its_client uuid, its_type text, its_subject uuid, its_version bigint, happened timestamptz,
    its_check text, to_endpoint uuid
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one uuid;
BEGIN
    IF current_setting('role') = 'continuum_partner' AND its_client IS DISTINCT FROM {OWN_CLIENT} THEN
        RAISE insufficient_privilege USING MESSAGE = 'A partner announces to itself alone.';
    END IF;
    INSERT INTO webhook_events (id, client_id, type, subject_id, version, occurred_at, check_name)
    VALUES (its_id, its_client, its_type, its_subject, its_version, happened, its_check);
    FOR one IN
        INSERT INTO webhook_deliveries (id, endpoint_id, event_id, client_id, checked, challenge)
        SELECT gen_random_uuid(), e.id, its_id, its_client, its_check IS NOT NULL,
            its_type = 'endpoint.verification'
        FROM webhook_endpoints AS e JOIN api_clients AS c ON c.id = e.client_id
        WHERE e.client_id = its_client AND c.status = 'active' AND CASE
            WHEN to_endpoint IS NULL THEN e.status = 'active' AND its_type = ANY(e.event_types)
            ELSE e.id = to_endpoint END
        RETURNING endpoint_id
    LOOP
        PERFORM jobs.enqueue('webhook', jsonb_build_object('endpoint_id', one), interval '0', NULL);
    END LOOP;
END $$
"""
# Also what happened while the endpoint was not there to be told. One job takes all of them, one after the other.
REDELIVER = f"""
CREATE FUNCTION redeliver_webhooks(
    its_endpoint uuid, since timestamptz, until timestamptz, delivered_too boolean
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO webhook_deliveries AS known (id, endpoint_id, event_id, client_id, checked)
    SELECT gen_random_uuid(), e.id, v.id, v.client_id, v.check_name IS NOT NULL
    FROM webhook_endpoints AS e JOIN webhook_events AS v ON v.client_id = e.client_id AND v.type = ANY(e.event_types)
    WHERE e.id = its_endpoint AND e.client_id = {OWN_CLIENT} AND v.created_at >= since AND v.created_at < until
    ON CONFLICT (endpoint_id, event_id) DO UPDATE SET state = 'pending', attempts = 0, next_attempt_at = now()
    WHERE known.state <> 'delivered' OR delivered_too;
    PERFORM jobs.enqueue('webhook', jsonb_build_object('endpoint_id', its_endpoint), interval '0', NULL);
END $$
"""


def upgrade() -> None:
    _endpoints()
    _events()
    _deliveries()
    for made, name, callers in (
        (ANNOUNCE, "announce_webhook", ANNOUNCERS),
        (REDELIVER, "redeliver_webhooks", "continuum_partner"),
    ):
        op.execute(made)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {callers}")


def downgrade() -> None:
    op.execute("DROP FUNCTION redeliver_webhooks")
    op.execute("DROP FUNCTION announce_webhook")
    op.execute("DROP POLICY partner ON webhook_events")
    for table in ("webhook_deliveries", "webhook_events", "webhook_endpoints"):
        op.drop_table(table)


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("client_id", sa.Uuid(), sa.ForeignKey("api_clients.id"), nullable=False, index=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("event_types", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("disabled_reason", sa.Text()),
        sa.Column("disabled_at", INSTANT),
        sa.Column("verified_at", INSTANT),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("secret_made_by", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret", sa.LargeBinary()),
        sa.Column("old_secret_until", INSTANT),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("changed_at", INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("last_success_at", INSTANT),
        sa.Column("busy_until", INSTANT),
        sa.Column("busy_by", sa.Uuid()),
        sa.Column("not_before", INSTANT),
        sa.CheckConstraint("status IN ('pending', 'active', 'disabled')", name="status"),
        sa.CheckConstraint("disabled_reason IN ('gone', 'failing')", name="disabled_reason"),
        sa.CheckConstraint("(status = 'disabled') = (disabled_reason IS NOT NULL)", name="disabled_with_reason"),
    )
    protect(
        op, "webhook_endpoints", partner="SELECT, INSERT, UPDATE, DELETE", partner_own=OWN, worker="SELECT, UPDATE",
    )  # fmt: skip


def _events() -> None:
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("client_id", sa.Uuid(), sa.ForeignKey("api_clients.id"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("check_name", sa.Text()),
        sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False, index=True),
    )
    op.create_index("ix_webhook_events_client_id_created_at", "webhook_events", ["client_id", "created_at"])
    protect(op, "webhook_events", worker="SELECT, DELETE")


def _deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("endpoint_id", sa.Uuid(), sa.ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
        sa.Column(
            "event_id", sa.Uuid(), sa.ForeignKey("webhook_events.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("client_id", sa.Uuid(), sa.ForeignKey("api_clients.id"), nullable=False),
        sa.Column("checked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("challenge", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("last_attempt_at", INSTANT),
        sa.Column("last_status", sa.Integer()),
        sa.Column("last_problem", sa.Text()),
        sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False),
        sa.UniqueConstraint("endpoint_id", "event_id"),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'failed', 'dropped')", name="state"),
    )
    op.create_index(
        "ix_webhook_deliveries_due", "webhook_deliveries", ["endpoint_id", "next_attempt_at", "event_id"],
        postgresql_where=sa.text("state = 'pending'"),
    )  # fmt: skip
    op.create_index(
        "ix_webhook_deliveries_endpoint_id_created_at", "webhook_deliveries", ["endpoint_id", "created_at", "id"]
    )
    protect(
        op, "webhook_deliveries", partner="SELECT, UPDATE (state, attempts, next_attempt_at)",
        partner_own=OWN_AND_TOLD, worker="SELECT, UPDATE, DELETE",
    )  # fmt: skip
    op.execute(f"CREATE POLICY partner ON webhook_events TO continuum_partner USING ({OWN_AND_KNOWN})")
    op.execute("GRANT SELECT ON webhook_events TO continuum_partner")
