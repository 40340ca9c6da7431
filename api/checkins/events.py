"""What check-ins announce. That one was sent is not among it: a plain one is kept in one statement that nobody hears
(`keeping`), and takes its reminder out of the plan in there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.events import Event


@dataclass(frozen=True)
class CheckInSwitched(Event):
    """The patient is asked an instrument from now on, or no longer."""

    patient_id: UUID
    at: datetime


@dataclass(frozen=True)
class SchedulesChanged(Event):
    """These levels of care, sorted, ask an instrument at other times than before, or no longer."""

    program_slugs: tuple[str, ...]
