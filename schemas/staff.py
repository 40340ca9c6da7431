"""Alerts and tasks, as the clinic's systems read and answer them."""

from api import vocabulary
from schemas.base import Answer, Ask, Id, Instant, Items, ListAnswer, PageQuery, Text, Whole, Word

EXTERNAL_ID = Text(max=100, required=True, metadata={"description": "The record system's own id of the patient."})


class AlertHitAnswer(Answer):
    """One answer that asks for a person. `circumstances` say how it came in; `refused` has no check-in."""

    instrument = Text(max=60, required=True)
    item = Text(max=60, required=True)
    answer = Text(max=60, required=True, metadata={"description": "The answer given, or `unreadable`."})
    circumstances = Items(Text(max=60), max=20, required=True)
    check_in_id = Id(attribute="report_id", metadata={"description": "The check-in it stands in."})
    occurred_at = Instant()
    received_at = Instant(required=True)

    example = {
        "instrument": "phq-9",
        "item": "phq9_9",
        "answer": "1",
        "circumstances": ["late"],
        "check_in_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e21",
        "occurred_at": "2026-11-23T01:10:00Z",
        "received_at": "2026-11-23T15:00:00Z",
    }


class AlertNoticeAnswer(Answer):
    """One neutral message to one duty contact; `contact` is its place in the configured order."""

    number = Whole(min=1, max=1_000_000, required=True)
    contact = Whole(min=1, max=1000, required=True)
    outcome = Word(vocabulary.NOTICE_OUTCOMES, required=True)
    sent_at = Instant(required=True)
    deadline_at = Instant(required=True)

    example = {
        "number": 1,
        "contact": 1,
        "outcome": "accepted",
        "sent_at": "2026-11-23T15:00:01Z",
        "deadline_at": "2026-11-23T15:30:01Z",
    }


class AlertAnswer(Answer):
    """A patient's safety answers that somebody has to look at. `deadline_at`: when the next contact is told."""

    id = Id(required=True)
    patient_external_id = EXTERNAL_ID
    status = Word(vocabulary.ALERT_STATUSES, required=True)
    opened_at = Instant(required=True)
    deadline_at = Instant()
    hits = Items(AlertHitAnswer, max=100, required=True)
    hits_total = Whole(min=1, max=1_000_000, required=True)
    notices = Items(AlertNoticeAnswer, max=100, required=True)
    acknowledged_at = Instant()
    acknowledged_by = Text(max=255)
    acknowledged_role = Text(max=255)
    note = Text(max=500)

    example = {
        "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e31",
        "patient_external_id": "EHR-100234",
        "status": "open",
        "opened_at": "2026-11-23T15:00:00Z",
        "deadline_at": "2026-11-23T15:30:01Z",
        "hits": [AlertHitAnswer.example],
        "hits_total": 1,
        "notices": [AlertNoticeAnswer.example],
    }


class AlertsQuery(PageQuery):
    """`status` absent means any."""

    status = Word(vocabulary.ALERT_STATUSES, load_default=None, metadata={"description": "Only alerts in this state."})

    example = {"status": "open", "page_size": 20}


class AlertsAnswer(ListAnswer):
    """Alerts, newest first."""

    items = Items(AlertAnswer, max=100, required=True)

    example = {"items": [AlertAnswer.example]}


class AcknowledgementAsk(Ask):
    """`hits_seen`: how many answers the person has read, of `hits_total`; when more have come since, it is 409."""

    hits_seen = Whole(min=1, max=1_000_000, required=True)
    note = Text(max=500)

    example = {"hits_seen": 1, "note": "Called back, safety plan agreed."}


class FurtherHitsProblem(Answer):
    """More answers came in after the alert was read: `hits` of them stand in it now."""

    hits = Whole(min=1, max=1_000_000)

    example = {"hits": 2}


class TaskAnswer(Answer):
    """Something that needs a person. `times` counts how often its cause came up while it was open."""

    id = Id(required=True)
    patient_external_id = EXTERNAL_ID
    cause = Word(vocabulary.TASK_CAUSES, required=True)
    status = Word(vocabulary.TASK_STATUSES, required=True)
    subject_id = Id(metadata={"description": "What it is about: a check-in, a session, a referral, a request."})
    times = Whole(min=1, max=1_000_000, required=True)
    opened_at = Instant(required=True)
    claimed_at = Instant()
    claimed_by = Text(max=255)
    claimed_role = Text(max=255)
    closed_at = Instant()
    closed_by = Text(max=255)
    closed_role = Text(max=255)
    outcome = Text(max=500)

    example = {
        "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e41",
        "patient_external_id": "EHR-100234",
        "cause": "score_to_look_at",
        "status": "claimed",
        "subject_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e21",
        "times": 1,
        "opened_at": "2026-11-23T15:00:00Z",
        "claimed_at": "2026-11-23T15:20:00Z",
        "claimed_by": "u-17",
        "claimed_role": "counselor",
    }


class TasksQuery(PageQuery):
    """Without `status`: what is open or claimed."""

    status = Word(vocabulary.TASK_STATUSES, load_default=None, metadata={"description": "Only tasks in this state."})
    cause = Word(vocabulary.TASK_CAUSES, load_default=None, metadata={"description": "Only tasks of this cause."})

    example = {"cause": "score_to_look_at"}


class TasksAnswer(ListAnswer):
    """Tasks, oldest first."""

    items = Items(TaskAnswer, max=100, required=True)

    example = {"items": [TaskAnswer.example]}


class CompletionAsk(Ask):
    """What came of it, in a few words."""

    outcome = Text(max=500)

    example = {"outcome": "Talked it through in the session."}
