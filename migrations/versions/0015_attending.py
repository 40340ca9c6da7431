"""Late cancellations, requests to move, make-up places, and how an arrival and its minutes came about. Places and
arrivals have grown: nobody waits for their indexes, nor while what they are is looked through."""

import sqlalchemy as sa
from alembic import op

from migrations.security import OWN_PATIENT

revision = "0015_attending"
down_revision = "0014_series"

INSTANT = sa.DateTime(timezone=True)
WAYS = "('checked_in', 'joined')"
IN_ORDER = "left_at > came_at"
SAID = ("late_cancellation", "asks_to_move")
STAYED = ("came_at", "left_at")
MAKE_UPS = "ix_attendances_makes_up_for"
PATIENT_WRITES = "late_cancellation, asks_to_move, arrival_way, arrival_confirmed"

# A patient sees no session without a place in it, and never how many have one; so what is offered is found by a
# function of the owner, for whoever is named in the transaction. `places` is the clinic's own limit, for a group that
# has none; `most` how many are told. Who is no member of any group of the program any more is offered none.
OFFERED = f"""
CREATE FUNCTION make_up_sessions(missed uuid, since timestamptz, until timestamptz, places integer, most integer)
RETURNS TABLE (id uuid, kind text, title text, title_es text, starts_at timestamptz, ends_at timestamptz,
    time_zone text, modality text, location_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH mine AS (
        SELECT place.patient_id, session.id, session.program_slug
        FROM attendances place JOIN care_sessions session ON session.id = place.session_id
        WHERE place.patient_id = {OWN_PATIENT} AND place.session_id = missed AND place.status = 'booked'
          AND place.mark IS DISTINCT FROM 'present' AND session.kind = 'group'
          AND EXISTS (
            SELECT FROM series_members stay JOIN session_series of ON of.id = stay.series_id
            WHERE stay.patient_id = place.patient_id AND stay.left_at IS NULL
              AND of.program_slug = session.program_slug)
          AND NOT EXISTS (
            SELECT FROM attendances other JOIN care_sessions held ON held.id = other.session_id
            WHERE other.patient_id = place.patient_id AND other.makes_up_for = missed AND other.status = 'booked'
              AND other.reply IS DISTINCT FROM 'not_attending' AND held.status = 'scheduled')
    )
    SELECT one.id, one.kind, one.title, one.title_es, one.starts_at, one.ends_at, one.time_zone, one.modality,
        one.location_id
    FROM mine JOIN care_sessions one ON one.program_slug = mine.program_slug
    JOIN session_series series ON series.id = one.series_id
    WHERE one.kind = 'group' AND one.status = 'scheduled' AND one.id <> missed
      AND one.starts_at > since AND one.starts_at < until
      AND NOT EXISTS (
        SELECT FROM attendances taken JOIN care_sessions held ON held.id = taken.session_id
        WHERE taken.patient_id = mine.patient_id AND taken.status = 'booked' AND held.status = 'scheduled'
          AND taken.session_id <> missed AND taken.starts_at < one.ends_at AND taken.ends_at > one.starts_at)
      AND coalesce(series.capacity, places) > (
        SELECT count(*) FROM attendances taken WHERE taken.session_id = one.id AND taken.status = 'booked')
    ORDER BY one.starts_at, one.id LIMIT most
$$
"""
# The series is held as every verb about its places holds it; what is asked after that sees what others left. While it
# waits, the session may be handed on to another series, which is then the one to hold.
HELD = """
CREATE FUNCTION hold_group_of(chosen uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    held uuid;
BEGIN
    LOOP
        SELECT series_id INTO held FROM care_sessions WHERE id = chosen;
        PERFORM FROM session_series WHERE id = held FOR NO KEY UPDATE;
        EXIT WHEN held IS NOT DISTINCT FROM (SELECT series_id FROM care_sessions WHERE id = chosen);
    END LOOP;
END $$
"""
# Only what begins when the chosen one does is asked about. Whoever takes a place again says nothing of it yet: what was
# said of it before it was given up is told by the replies.
BOOKED = f"""
CREATE FUNCTION book_make_up(missed uuid, chosen uuid, since timestamptz, until timestamptz, places integer,
    stamp bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    begins timestamptz := (SELECT starts_at FROM care_sessions WHERE id = chosen);
    an_instant interval := '1 microsecond';
BEGIN
    INSERT INTO attendances AS place (patient_id, session_id, starts_at, ends_at, status, version, makes_up_for)
    SELECT {OWN_PATIENT}, offered.id, offered.starts_at, offered.ends_at, 'booked', stamp, missed
    FROM make_up_sessions(missed, greatest(since, begins - an_instant), least(until, begins + an_instant), places, NULL)
        AS offered WHERE offered.id = chosen AND begins IS NOT NULL
    ON CONFLICT (patient_id, session_id) DO UPDATE SET status = 'booked', starts_at = excluded.starts_at,
        ends_at = excluded.ends_at, version = excluded.version, makes_up_for = excluded.makes_up_for,
        reply = NULL, reply_reason = NULL, reply_starts_at = NULL, replied_at = NULL,
        late_cancellation = false, asks_to_move = false
    WHERE place.status = 'released';
    RETURN FOUND;
END $$
"""
# New columns hold to these already; that they do is asked for without keeping anybody out.
MOVES = "NOT asks_to_move OR reply = 'not_attending'"
CHECKS = (
    ("asks_to_move", "attendances", MOVES),
    ("asks_to_move", "session_replies", MOVES),
    ("arrival_way", "attendances", f"arrival_way IN {WAYS}"),
    ("way", "session_arrivals", f"way IN {WAYS}"),
    ("left_at", "attendances", IN_ORDER),
    ("left_at", "attendance_marks", IN_ORDER),
)
MISSED = "fk_attendances_patient_id_makes_up_for"
ARRIVED = "patient_id, session_id, starts_at, placement"
SAID_ONCE = "uq_session_arrivals_patient_id_session_id_"
FUNCTIONS = (
    "book_make_up(uuid, uuid, timestamptz, timestamptz, integer, bigint)",
    "hold_group_of(uuid)",
    "make_up_sessions(uuid, timestamptz, timestamptz, integer, integer)",
)
# A patient's own transaction closes nothing that is open, but for the request that the patient takes back.
CLOSES = f"""patient_id = {OWN_PATIENT} AND
    (status IN ('open', 'claimed') OR (status = 'cause_gone' AND cause = 'request_to_move'))"""


def upgrade() -> None:
    op.add_column("locations", sa.Column("asks_room_code", sa.Boolean(), server_default=sa.false(), nullable=False))
    _columns()
    for name, table, check in CHECKS:
        op.create_check_constraint(name, table, check, postgresql_not_valid=True)
    _make_ups()
    op.execute("GRANT UPDATE (came_at, left_at) ON attendances TO continuum_clinic")
    op.execute(f"GRANT UPDATE ({PATIENT_WRITES}) ON attendances TO continuum_app")
    _closing(CLOSES)
    op.execute("GRANT UPDATE (status, closed_at) ON tasks TO continuum_app")
    with op.get_context().autocommit_block():
        _beside_the_others()


def _columns() -> None:
    """Code that knows no ways of arriving writes none."""
    for table in ("attendances", "session_replies"):
        for column in SAID:
            op.add_column(table, sa.Column(column, sa.Boolean(), server_default=sa.false(), nullable=False))
    for table in ("attendances", "attendance_marks"):
        for column in STAYED:
            op.add_column(table, sa.Column(column, INSTANT))
    op.add_column("attendances", sa.Column("arrival_way", sa.Text()))
    op.add_column("session_arrivals", sa.Column("way", sa.Text(), server_default="checked_in", nullable=False))
    for table, column in (("attendances", "arrival_confirmed"), ("session_arrivals", "confirmed")):
        op.add_column(table, sa.Column(column, sa.Boolean(), server_default=sa.false(), nullable=False))


def _beside_the_others() -> None:
    for name, table, _ in CHECKS:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")
    op.execute(f"ALTER TABLE attendances VALIDATE CONSTRAINT {MISSED}")
    op.create_index(
        MAKE_UPS,
        "attendances",
        ["patient_id", "makes_up_for"],
        postgresql_where=sa.text("makes_up_for IS NOT NULL"),
        postgresql_concurrently=True,
    )
    _once_per(f"{ARRIVED}, confirmed", ("device_id", "confirmed"), ("device_id",), how="CONCURRENTLY")


def _once_per(key: str, said: tuple[str, ...], before: tuple[str, ...], *, how: str = "") -> None:
    """An arrival with the right code may follow one without."""
    op.execute(f"CREATE UNIQUE INDEX {how} arrivals_by_key ON session_arrivals ({key})")
    op.execute(
        f"CREATE UNIQUE INDEX {how} arrivals_said ON session_arrivals (patient_id, session_id, {', '.join(said)})"
    )
    op.execute(
        "ALTER TABLE session_arrivals DROP CONSTRAINT pk_session_arrivals,"
        " ADD CONSTRAINT pk_session_arrivals PRIMARY KEY USING INDEX arrivals_by_key,"
        f" DROP CONSTRAINT {SAID_ONCE}{'_'.join(before)},"
        f" ADD CONSTRAINT {SAID_ONCE}{'_'.join(said)} UNIQUE USING INDEX arrivals_said"
    )


def _make_ups() -> None:
    op.add_column("attendances", sa.Column("makes_up_for", sa.Uuid()))
    op.create_foreign_key(
        MISSED,
        "attendances",
        "attendances",
        ["patient_id", "makes_up_for"],
        ["patient_id", "session_id"],
        postgresql_not_valid=True,
    )
    for made in (OFFERED, HELD, BOOKED):
        op.execute(made)
    for function in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO continuum_app")


def _closing(check: str) -> None:
    op.execute("DROP POLICY patient ON tasks")
    own = f"patient_id = {OWN_PATIENT}"
    op.execute(f"CREATE POLICY patient ON tasks TO continuum_app USING ({own}) WITH CHECK ({check})")


def downgrade() -> None:
    op.execute("REVOKE UPDATE (status, closed_at) ON tasks FROM continuum_app")
    _closing(f"patient_id = {OWN_PATIENT}")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    for column in ("makes_up_for", *STAYED, "arrival_confirmed", "arrival_way", *SAID):
        op.drop_column("attendances", column)
    for column in STAYED:
        op.drop_column("attendance_marks", column)
    _forget_confirmed()
    for column in ("confirmed", "way"):
        op.drop_column("session_arrivals", column)
    for column in SAID:
        op.drop_column("session_replies", column)
    op.drop_column("locations", "asks_room_code")


def _forget_confirmed() -> None:
    """Of two arrivals of which one was confirmed, one was all that could be kept."""
    op.execute(
        "DELETE FROM session_arrivals extra USING session_arrivals kept"
        " WHERE extra.confirmed AND NOT kept.confirmed"
        " AND (extra.patient_id, extra.session_id) = (kept.patient_id, kept.session_id)"
        " AND ((extra.starts_at, extra.placement) = (kept.starts_at, kept.placement)"
        " OR extra.device_id = kept.device_id)"
    )
    _once_per(ARRIVED, ("device_id",), ("device_id", "confirmed"))
