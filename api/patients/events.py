"""What patients announce."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.events import Event


@dataclass(frozen=True)
class PatientStatusChanged(Event):
    """`status` is the new one; anything but `active` ends sign-ins and reminders at once."""

    patient_id: UUID
    status: str
    at: datetime


@dataclass(frozen=True)
class PreferencesChanged(Event):
    """The patient's language, zone or labels changed."""

    patient_id: UUID
    at: datetime
