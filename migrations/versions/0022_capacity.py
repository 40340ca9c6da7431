"""What partners were verified to be, and where new patients can start."""

import sqlalchemy as sa
from alembic import op

from migrations.security import OWN_PATIENT, grant

revision = "0022_capacity"
down_revision = "0021_deliveries"

PARTNER_KIND = (
    "CASE kind WHEN 'partner' THEN partner_kind IS NOT NULL"
    " AND partner_kind IN ('treating_provider', 'criminal_justice', 'other') ELSE partner_kind IS NULL END"
)
# A view of the owner's: callers read it and not the table, which holds keys' addresses and scopes beside the names.
PARTNERS = f"""
CREATE VIEW partners WITH (security_barrier) AS
SELECT id, name, partner_kind AS kind, status FROM api_clients
WHERE kind = 'partner' AND (current_user <> 'continuum_app' OR (status = 'active' AND {OWN_PATIENT} IS NOT NULL))
"""


def upgrade() -> None:
    partners()
    capacity()


def partners() -> None:
    """Nothing was verified of those that are there, so no consent to a class of recipients is theirs."""
    op.add_column("api_clients", sa.Column("partner_kind", sa.Text()))
    op.execute("UPDATE api_clients SET partner_kind = 'other' WHERE kind = 'partner'")
    op.create_check_constraint(op.f("ck_api_clients_partner_kind"), "api_clients", PARTNER_KIND)
    op.execute(PARTNERS)
    grant(op, "partners", patient="SELECT", clinic="SELECT", worker="SELECT", gate="SELECT")


def capacity() -> None:
    op.create_table(
        "program_capacities",
        sa.Column("program_id", sa.Uuid(), sa.ForeignKey("programs.id"), primary_key=True),
        sa.Column("location_id", sa.Uuid(), sa.ForeignKey("locations.id"), primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text()),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'waitlist', 'full', 'assess_first')", name="state"),
    )
    op.create_index("ix_program_capacities_location_id", "program_capacities", ["location_id"])
    op.execute(
        "CREATE TRIGGER raise_catalogue_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON program_capacities "
        "FOR EACH STATEMENT EXECUTE FUNCTION raise_catalogue_version()"
    )
    readers = {"patient": "SELECT", "partner": "SELECT", "worker": "SELECT"}
    grant(op, "program_capacities", **readers, clinic="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("program_capacities")
    op.execute("DROP VIEW partners")
    op.drop_column("api_clients", "partner_kind")
