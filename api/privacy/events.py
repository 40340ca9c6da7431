"""What this slice announces."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.events import Event


@dataclass(frozen=True)
class ConsentGiven(Event):
    """A consent stands from now on. Without `recipient_id` it is for the class of those who treat the patient."""

    patient_id: UUID
    consent_id: UUID
    recipient_id: UUID | None
    at: datetime


@dataclass(frozen=True)
class ConsentRevoked(Event):
    """A consent was taken back, or the clinic ended it."""

    patient_id: UUID
    consent_id: UUID
    recipient_id: UUID | None
    at: datetime


@dataclass(frozen=True)
class RestrictionAnswered(Event):
    """The clinic answered a request not to tell or ended what it had agreed to, or the patient took it back."""

    patient_id: UUID
    restriction_id: UUID
    status: str
    at: datetime
