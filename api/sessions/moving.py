"""Requests to move an individual session: a task for staff, which the clinic answers by moving the session or, in a
talk with the patient, by leaving it where it is.

A request is a "no" to one start. It stands while the session is to begin then, until the patient says something else;
after that its task is no longer anybody's to do. One task holds all requests of a patient, and names one.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.sessions import place
from api.sessions.events import PatientSessionFact, SessionFact
from api.sessions.models import Attendance, CareSession
from api.staff import tasks

CAUSE = "request_to_move"


def replied(here: place.Place, *, asked_before: bool, at: datetime) -> None:
    """A new reply stands: open the task for a request, or see whether one was taken back."""
    patient_id = here.attendance.patient_id
    if here.attendance.asks_to_move and here.session.starts_at > at:
        tasks.open_task(patient_id=patient_id, cause=CAUSE, subject_id=here.session.id, at=at)
    elif asked_before:
        look_again(patient_ids=[patient_id], at=at)


def on_changed(fact: SessionFact | PatientSessionFact) -> None:
    """Sessions moved, were cancelled, or are no longer the patients'."""
    look_again(patient_ids=fact.patient_ids, at=fact.at)


def on_back(fact: SessionFact) -> None:
    """Sessions are where they were: a request to move one of them, which had been over, stands again. What staff has
    dealt with stays dealt with."""
    standing = {
        patient_id: [one for one in requests if one in fact.session_ids]
        for patient_id, requests in _standing(fact.patient_ids, fact.at).items()
    }
    again = tasks.gone(cause=CAUSE, patient_ids=[patient_id for patient_id, requests in standing.items() if requests])
    for patient_id in again:
        tasks.open_task(patient_id=patient_id, cause=CAUSE, subject_id=standing[patient_id][0], at=fact.at)


def look_again(*, patient_ids: Collection[UUID] | None = None, at: datetime) -> None:
    """Close the task of whoever has no request any more, and let the others' name one that stands; ``patient_ids``
    None means everybody's.

    The tasks are held before the requests are read: a request that is being made meanwhile waits, or is seen.
    """
    held = tasks.hold(cause=CAUSE, patient_ids=patient_ids)
    standing = _standing([patient_id for patient_id, _ in held], at)
    for patient_id, session_id in held:
        requests = standing.get(patient_id, [])
        if requests and session_id not in requests:
            tasks.turn_to(patient_id=patient_id, cause=CAUSE, subject_id=requests[0])
    if over := [patient_id for patient_id, _ in held if patient_id not in standing]:
        tasks.causes_are_gone(patient_ids=over, cause=CAUSE, at=at)


def _standing(patient_ids: Collection[UUID], at: datetime) -> dict[UUID, list[UUID]]:
    """The sessions that each patient asks to move, the next one first."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    if patient_ids:
        for patient_id, session_id in db.session().execute(_requests(patient_ids, at)):
            found[patient_id].append(session_id)
    return found


def _requests(patient_ids: Collection[UUID], at: datetime) -> sa.Select[UUID, UUID]:
    return (
        sa.select(Attendance.patient_id, Attendance.session_id)
        .join(CareSession, CareSession.id == Attendance.session_id)
        .where(
            Attendance.patient_id.in_(patient_ids),
            Attendance.status == "booked",
            Attendance.asks_to_move,
            Attendance.reply_starts_at == Attendance.starts_at,
            Attendance.starts_at > at,
            CareSession.status == "scheduled",
        )
        .order_by(Attendance.starts_at, Attendance.session_id)
    )
