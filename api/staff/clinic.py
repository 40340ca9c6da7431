"""The clinic's door to alerts and tasks. They speak of the person acting, not of the connector."""

from typing import Any
from uuid import UUID

from api import answering, clock
from api.blueprint import Door
from api.staff import service as staff
from api.staff import tasks
from schemas.staff import (
    AcknowledgementAsk,
    AlertAnswer,
    AlertsAnswer,
    AlertsQuery,
    CompletionAsk,
    FurtherHitsProblem,
    TaskAnswer,
    TasksAnswer,
    TasksQuery,
)

door = Door("staff", kind="clinic", tag="Alerts and tasks")


@door.get("/alerts", operation="listAlerts", scope="alerts:read", summary="Safety alerts, newest first")
@door.query(AlertsQuery)
@door.answers(AlertsAnswer)
def list_alerts(query: dict[str, Any]) -> dict[str, Any]:
    """Each with the answers that caused it and the notices sent so far. One is open per patient at most."""
    items, more = staff.alerts(
        status=query["status"],
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("alerts", answering.caller().client_id),
    )
    answering.about_each(one["patient_id"] for one in items)
    return {"items": items, "next_page_token": more}


@door.get("/alerts/<uuid:alert_id>", operation="getAlert", scope="alerts:read", summary="One safety alert")
@door.answers(AlertAnswer)
def get_alert(alert_id: UUID) -> dict[str, Any]:
    """The alert as it stands now."""
    return _about(staff.alert(alert_id=alert_id))


@door.post(
    "/alerts/<uuid:alert_id>/acknowledgement",
    operation="acknowledgeAlert",
    scope="alerts:write",
    summary="Take an alert on",
    refusals=[staff.FurtherHits],
    problems={409: FurtherHitsProblem},
)
@door.asks(AcknowledgementAsk)
@door.answers(AlertAnswer)
def acknowledge_alert(asked: dict[str, Any], alert_id: UUID) -> dict[str, Any]:
    """Nobody further is told. Acknowledging again is acknowledging once; a later safety answer opens a new alert."""
    by, role = _acting()
    return _about(staff.acknowledge(alert_id=alert_id, by=by, role=role, at=clock.now(), **asked))


@door.get("/tasks", operation="listTasks", scope="tasks:read", summary="What else needs a person, oldest first")
@door.query(TasksQuery)
@door.answers(TasksAnswer)
def list_tasks(query: dict[str, Any]) -> dict[str, Any]:
    """One task is open per patient and cause at most; it closes itself when the cause is gone."""
    items, more = tasks.tasks(
        status=query["status"],
        cause=query["cause"],
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("tasks", answering.caller().client_id),
    )
    answering.about_each(one["patient_id"] for one in items)
    return {"items": items, "next_page_token": more}


@door.post(
    "/tasks/<uuid:task_id>/claim",
    operation="claimTask",
    scope="tasks:write",
    summary="Take a task on",
    refusals=[tasks.TaskTaken, tasks.TaskClosed],
)
@door.answers(TaskAnswer)
def claim_task(task_id: UUID) -> dict[str, Any]:
    """Claiming again by the same person is claiming once."""
    by, role = _acting()
    return _about(tasks.claim(task_id=task_id, by=by, role=role, at=clock.now()))


@door.post(
    "/tasks/<uuid:task_id>/completion",
    operation="completeTask",
    scope="tasks:write",
    summary="Say that a task is done",
    refusals=[tasks.TaskClosed],
)
@door.asks(CompletionAsk)
@door.answers(TaskAnswer)
def complete_task(asked: dict[str, Any], task_id: UUID) -> dict[str, Any]:
    """Whoever claimed it. Completing again is completing once."""
    by, role = _acting()
    return _about(tasks.complete(task_id=task_id, by=by, role=role, at=clock.now(), **asked))


def _acting() -> tuple[str, str]:
    """The person at the clinic for whom the system acts, and their role."""
    caller = answering.caller()
    return caller.acting_user or "", caller.acting_role or ""


def _about(told: dict[str, Any]) -> dict[str, Any]:
    answering.about(told["patient_id"])
    return told
