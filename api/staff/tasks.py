"""The verbs on tasks: whatever needs a person and is no safety alert."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db, errors, pages
from api.staff import whose
from api.staff.models import Task

_COLUMNS = Task.__table__.c


class TaskTaken(errors.Conflict):
    title = "Somebody else has this task"
    detail = "Another person has already claimed this task."
    title_es = "Otra persona tiene esta tarea"
    detail_es = "Otra persona ya tomó esta tarea."


class TaskClosed(errors.Conflict):
    title = "This task is closed"
    detail = "This task is already done, or its cause is gone."
    title_es = "Esta tarea está cerrada"
    detail_es = "Esta tarea ya está hecha, o su causa desapareció."


def open_task(*, patient_id: UUID, cause: str, at: datetime, subject_id: UUID | None = None) -> None:
    """See that a task for this cause is open; one that already is counts this occurrence too, and keeps its claim."""
    statement = insert(Task).values(
        id=db.uuid7(), patient_id=patient_id, cause=cause, subject_id=subject_id, opened_at=at
    )
    db.session().execute(
        statement.on_conflict_do_update(
            index_elements=[Task.patient_id, Task.cause],
            index_where=sa.text("status IN ('open', 'claimed')"),
            set_={"times": Task.times + 1, "subject_id": statement.excluded.subject_id},
        )
    )


def cause_is_gone(*, patient_id: UUID, cause: str, at: datetime) -> None:
    """Close the open task for this cause, if there is one: nobody has to do anything any more."""
    causes_are_gone(patient_ids=[patient_id], cause=cause, at=at)


def causes_are_gone(*, patient_ids: Collection[UUID], cause: str, at: datetime) -> None:
    """The same for many patients, in one statement."""
    db.session().execute(
        sa.update(Task)
        .where(Task.patient_id.in_(patient_ids), Task.cause == cause, Task.status.in_(("open", "claimed")))
        .values(status="cause_gone", closed_at=at)
        .execution_options(synchronize_session=False)
    )


def hold(*, cause: str, patient_ids: Collection[UUID] | None = None) -> list[tuple[UUID, UUID | None]]:
    """The open tasks for this cause, as patients and subjects in the order of patients, held against whoever would
    open, turn or close them; those of `patient_ids`, or all."""
    held = sa.select(Task.patient_id, Task.subject_id).where(
        Task.cause == cause,
        Task.status.in_(("open", "claimed")),
        sa.true() if patient_ids is None else Task.patient_id.in_(patient_ids),
    )
    return [(row[0], row[1]) for row in db.session().execute(held.order_by(Task.patient_id).with_for_update())]


def gone(*, cause: str, patient_ids: Collection[UUID]) -> list[UUID]:
    """Those of the patients whose last task for this cause closed itself, in the order of their ids."""
    if not patient_ids:
        return []
    asked = sa.select(Task.patient_id, Task.status).where(Task.cause == cause, Task.patient_id.in_(patient_ids))
    last = dict(db.session().execute(asked.order_by(Task.patient_id, Task.id)).all())
    return [patient_id for patient_id, status in last.items() if status == "cause_gone"]


def turn_to(*, patient_id: UUID, cause: str, subject_id: UUID) -> None:
    """Let the open task for this cause be about something else, of the same cause."""
    db.session().execute(
        sa.update(Task)
        .where(Task.patient_id == patient_id, Task.cause == cause, Task.status.in_(("open", "claimed")))
        .values(subject_id=subject_id)
        .execution_options(synchronize_session=False)
    )


def tasks(
    *, status: str | None, cause: str | None, asked: int, page_token: str | None, bound_to: Sequence[Any]
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of tasks, oldest first: those that are open or claimed unless `status` says otherwise."""
    select = sa.select(Task).where(Task.status == status if status else Task.status.in_(("open", "claimed")))
    rows, more = pages.page(
        select.where(Task.cause == cause) if cause else select,
        keys=[_COLUMNS.opened_at, _COLUMNS.id],
        asked=asked,
        page_token=page_token,
        bound_to=(*bound_to, status, cause),
    )
    return _told(rows), more


def claim(*, task_id: UUID, by: str, role: str, at: datetime) -> dict[str, Any]:
    """Take the task on; again by the same person is once. Raises `TaskTaken`, `TaskClosed`, `errors.NotFound`."""
    task = _locked(task_id)
    if not task.is_open():
        raise TaskClosed
    if task.claimed_by not in (None, by):
        raise TaskTaken
    if task.status == "open":
        task.status, task.claimed_at, task.claimed_by, task.claimed_role = "claimed", at, by, role
        db.session().flush()
    return _told([task])[0]


def complete(*, task_id: UUID, by: str, role: str, at: datetime, outcome: str | None = None) -> dict[str, Any]:
    """Say that it is done, whoever claimed it. Done again is done once; a task whose cause went is `TaskClosed`."""
    task = _locked(task_id)
    if task.status == "cause_gone":
        raise TaskClosed
    if task.is_open():
        task.status, task.closed_at, task.closed_by, task.closed_role = "completed", at, by, role
        task.outcome = outcome
        db.session().flush()
    return _told([task])[0]


def _locked(task_id: UUID) -> Task:
    task = db.session().get(Task, task_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise errors.NotFound
    return task


def _told(found: Sequence[Task]) -> list[dict[str, Any]]:
    """Tasks as the clinic reads them."""
    names = whose.external_ids(one.patient_id for one in found)
    return [
        {
            **{column.key: getattr(one, column.key) for column in _COLUMNS},
            "patient_external_id": names[one.patient_id],
        }
        for one in found
    ]
