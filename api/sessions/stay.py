"""How long a patient was there: minutes that the clinic gives, or that follow from coming late and leaving early."""

from datetime import datetime, timedelta

from api import errors
from api.sessions.models import CareSession

MINUTE = timedelta(minutes=1)


def minutes(
    session: CareSession,
    *,
    mark: str,
    given: int | None,
    arrived_at: datetime | None,
    left_at: datetime | None,
) -> int | None:
    """Attended minutes, within the session, whole ones; None for who was not there. Raises ``errors.Invalid``."""
    if mark != "present":
        _refuse_beside_absence(given, arrived_at, left_at)
        return None
    if arrived_at is None and left_at is None:
        return _whole(session) if given is None else _bounded(session, given)
    if given is not None:
        raise errors.Invalid([("/minutes", "They follow from arrived_at and left_at.")])
    return _between(session, arrived_at, left_at)


def _refuse_beside_absence(given: int | None, arrived_at: datetime | None, left_at: datetime | None) -> None:
    of_presence = {"minutes": given, "arrived_at": arrived_at, "left_at": left_at}
    if told := [name for name, value in of_presence.items() if value is not None]:
        raise errors.Invalid([(f"/{name}", "Only of who was present.") for name in told])


def _whole(session: CareSession) -> int:
    return (session.ends_at - session.starts_at) // MINUTE


def _bounded(session: CareSession, given: int) -> int:
    if given > _whole(session):
        raise errors.Invalid([("/minutes", f"The session lasts {_whole(session)} minutes.")])
    return given


def _between(session: CareSession, arrived_at: datetime | None, left_at: datetime | None) -> int:
    """Who waits before the start, or stays after the end, attends no longer for it."""
    came, left = arrived_at or session.starts_at, left_at or session.ends_at
    if arrived_at is not None and arrived_at >= session.ends_at:
        raise errors.Invalid([("/arrived_at", "Must lie before the end of the session.")])
    if left_at is not None and left_at <= max(came, session.starts_at):
        raise errors.Invalid([("/left_at", "Must lie after the start and after arrived_at.")])
    return (min(left, session.ends_at) - max(came, session.starts_at)) // MINUTE
