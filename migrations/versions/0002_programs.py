"""Programs and their revisions, locations with hours and closures, and the number that tells readers of a change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations.security import grant

revision = "0002_programs"
down_revision = "0001_frame"

WATCHED = ("programs", "program_revisions", "locations", "location_hours", "location_closures")
RAISE = """
CREATE FUNCTION raise_catalogue_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE catalogue_version SET version = version + 1;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    make_programs()
    make_locations()
    watch()
    give_rights()


def make_programs() -> None:
    op.create_table(
        "programs",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("slug", sa.Text(), nullable=False, unique=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("offered_here", sa.Boolean()),
        sa.Column("residential", sa.Boolean()),
        sa.Column("current_revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug"),
    )
    op.create_table(
        "program_revisions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("program_id", sa.Uuid(), sa.ForeignKey("programs.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.UniqueConstraint("program_id", "number"),
    )
    # A program and its first revision name each other: checked at the commit.
    op.create_foreign_key(
        "fk_programs_id_current_revision", "programs", "program_revisions", ["id", "current_revision"],
        ["program_id", "number"], deferrable=True, initially="DEFERRED",
    )  # fmt: skip


def make_locations() -> None:
    op.create_table(
        "locations",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("street_2", sa.Text()),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("postal_code", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text()),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("programs", ARRAY(sa.Text()), nullable=False),
        sa.Column("answers_clinic_line", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
    )
    op.create_table(
        "location_hours",
        sa.Column("location_id", sa.Uuid(), sa.ForeignKey("locations.id"), primary_key=True),
        sa.Column("weekday", sa.SmallInteger(), primary_key=True),
        sa.Column("opens", sa.Time(), primary_key=True),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        sa.CheckConstraint("closes > opens OR closes = '00:00'", name="closes"),
    )
    op.create_table(
        "location_closures",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("location_id", sa.Uuid(), sa.ForeignKey("locations.id"), nullable=False, index=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", JSONB()),
        sa.CheckConstraint("ends_at > starts_at", name="ends_at"),
    )


def watch() -> None:
    """Every write to the catalogue raises its version in the same transaction."""
    op.create_table(
        "catalogue_version",
        sa.Column("single", sa.Boolean(), server_default=sa.true(), primary_key=True),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("single", name="single"),
    )
    op.execute("INSERT INTO catalogue_version DEFAULT VALUES")
    op.execute(RAISE)
    for table in WATCHED:
        op.execute(
            f"CREATE TRIGGER raise_catalogue_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION raise_catalogue_version()"
        )


def give_rights() -> None:
    readers = {"patient": "SELECT", "partner": "SELECT", "worker": "SELECT"}
    grant(op, "programs", **readers, clinic="SELECT, INSERT, UPDATE")
    grant(op, "program_revisions", **readers, clinic="SELECT, INSERT")
    grant(op, "locations", **readers, clinic="SELECT, INSERT, UPDATE")
    grant(op, "location_hours", **readers, clinic="SELECT, INSERT, DELETE")
    grant(op, "location_closures", **readers, clinic="SELECT, INSERT, DELETE")
    grant(op, "catalogue_version", **readers, clinic="SELECT, UPDATE")


def downgrade() -> None:
    op.drop_constraint("fk_programs_id_current_revision", "programs", type_="foreignkey")
    for table in ("location_closures", "location_hours", "locations", "program_revisions", "programs"):
        op.drop_table(table)
    op.execute("DROP FUNCTION raise_catalogue_version()")
    op.drop_table("catalogue_version")
