"""A clinic's week for the ledger's tests: enrolled patients with sessions, told in New York's wall times."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from api import db, events
from api.enrollments.models import Enrollment
from api.messages.gateway import Recording
from api.messages.post import Post
from api.patients import versions
from api.reminders import ledger, worker
from api.reminders.models import Reminder
from api.sessions import service as sessions
from api.sessions.events import SessionScheduled
from api.sessions.models import Attendance, CareSession
from tests.reminders.people import local

LONG_BEFORE = local("2026-05-01T09:00")
MONDAY = local("2026-06-08T09:00")


@pytest.fixture(autouse=True)
def schedules(request: pytest.FixtureRequest) -> Iterator[None]:
    """These tests tell of sessions: nobody is asked a check-in, but where a test says what is `asked`. What it changes
    about that is taken back."""
    if "app" not in request.fixturenames:
        yield
        return
    superuser = request.getfixturevalue("superuser")
    kept = superuser.execute("SELECT * FROM check_in_schedules").fetchall()
    if "asked" not in request.fixturenames:
        superuser.execute("DELETE FROM check_in_schedules")
    yield
    superuser.execute("DELETE FROM check_in_schedules")
    for row in kept:
        superuser.execute("INSERT INTO check_in_schedules VALUES (%s, %s, %s, %s, %s, %s)", row)


@pytest.fixture
def monday(travel) -> datetime:
    """Monday 8 June 2026, 9 in the morning."""
    return travel(MONDAY)


@pytest.fixture
def enroll(app) -> Callable[..., UUID]:
    """Places a patient, by default long ago and after a first session that is over."""

    def place(patient_id: UUID, *, starts_at: datetime = LONG_BEFORE, first_is_over: bool = True) -> UUID:
        with db.transaction(db.SYSTEM):
            stamp = versions.touch([patient_id])[patient_id]
            placed = Enrollment(
                patient_id=patient_id,
                program_slug="iop",
                status_since=starts_at,
                starts_at=starts_at,
                focus=["substance_use"],
                version=stamp,
            )
            db.session().add(placed)
            db.session().flush()
            if first_is_over:
                add_session([patient_id], starts_at + timedelta(days=1))
            return placed.id

    return place


@pytest.fixture
def book(app, monday) -> Callable[..., UUID]:
    """Gives patients a place in a new session, as the clinic would."""

    def schedule(patient_ids: list[UUID], starts: str, *, at: datetime | None = None, zone: str = "America/New_York"):
        with db.transaction(db.SYSTEM):
            versions.touch(patient_ids)
            session_id = add_session(patient_ids, local(starts), zone=zone)
            events.announce(SessionScheduled(tuple(sorted(patient_ids)), (session_id,), at or monday))
            return session_id

    return schedule


def add_session(patient_ids, starts_at, *, zone="America/New_York") -> UUID:
    stamps = versions.touch(patient_ids)
    session = CareSession(
        kind="group",
        title="Morning group",
        modality="in_person",
        time_zone=zone,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
    )
    db.session().add(session)
    db.session().flush()
    about = {"session_id": session.id, "starts_at": session.starts_at, "ends_at": session.ends_at, "status": "booked"}
    places = [about | {"patient_id": one, "version": stamps[one]} for one in patient_ids]
    db.session().execute(sa.insert(Attendance), places)
    return session.id


@pytest.fixture
def rows(app) -> Callable[..., list[Reminder]]:
    """A patient's ledger, in the order of time."""

    def read(patient_id: UUID, **having) -> list[Reminder]:
        with db.transaction(db.WORKER) as session:
            found = sa.select(Reminder).filter_by(patient_id=patient_id, **having)
            return list(session.scalars(found.order_by(Reminder.due_at, Reminder.revision, Reminder.kind)))

    return read


@pytest.fixture
def rewrite(app) -> Callable[..., None]:
    def again(*patient_ids: UUID, at: datetime) -> None:
        with db.transaction(db.SYSTEM):
            ledger.rewrite(patient_ids=patient_ids, at=at)

    return again


@pytest.fixture
def sent() -> Recording:
    return Recording()


@pytest.fixture
def tick(app, travel, sent) -> Callable[..., dict[str, int]]:
    """The worker's turn at a wall time."""

    def turn(when: str, **options) -> dict[str, int]:
        return dict(worker.tick(at=travel(local(when)), post=Post(house=options.pop("gateway", sent)), **options))

    return turn


@pytest.fixture
def change(app, travel) -> Callable[..., None]:
    """Moves, cancels or restores a session, as the clinic would."""

    def make(session_id: UUID, *, starts: str, now: str, status: str = "scheduled") -> None:
        at = travel(local(now))
        with db.transaction(db.SYSTEM):
            sessions.change(
                session_id=session_id,
                starts_at=local(starts),
                duration_minutes=60,
                status=status,
                details={},
                expected=None,
                at=at,
            )

    return make


@pytest.fixture
def group(patient, enroll, book) -> UUID:
    """A session on Wednesday evening: said on Tuesday at 18:00, and at 16:00 on the day."""
    enroll(patient.id)
    return book([patient.id], "2026-06-10T18:00")


@pytest.fixture
def leases_end(owner_sql) -> Callable[[], None]:
    return lambda: owner_sql("UPDATE reminders SET leased_until = now() - interval '1 second'")
