"""What a change of a session does to its patients, in numbers: who they are is not the schedule's to say."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from api.enrollments import changes
from api.events import Event
from api.sessions.events import SessionCancelled, SessionFact, SessionMoved, SessionRestored

_ACTIONS: dict[type[Event], str] = {SessionCancelled: "removed", SessionMoved: "moved", SessionRestored: "added"}


def counted(heard: Iterable[Event]) -> list[dict[str, Any]]:
    """How many patients' sessions, and how many of their reminders, are otherwise after what was announced."""
    told = list(heard)
    found: Counter[tuple[str, str]] = Counter()
    for fact in told:
        if isinstance(fact, SessionFact) and (action := _ACTIONS.get(type(fact))):
            found["session", action] += len(fact.patient_ids)
    for change in changes.in_the_end(told):
        found[change.kind, change.action] += 1
    return [
        {"kind": kind, "action": action, "count": count} for (kind, action), count in sorted(found.items()) if count
    ]
