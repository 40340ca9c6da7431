"""What this slice announces: what a patient's channels do, and what a text that came in means.

The words of a text are not in it: they are read once, for their meaning, and not kept.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.events import Event


@dataclass(frozen=True)
class MessagesStarted(Event):
    """From here on messages may go this way (`sms` or `email`)."""

    patient_id: UUID
    channel: str
    at: datetime


@dataclass(frozen=True)
class MessagesStopped(Event):
    """Nothing goes this way any more, whatever was planned."""

    patient_id: UUID
    channel: str
    at: datetime


@dataclass(frozen=True)
class TextAnswered(Event):
    """The patient answered the last text that spoke of `subject_id`, a session that began at `starts_at` when it was
    sent. Who hears it may raise `errors.Conflict` or `errors.NotFound`: the patient is told that it no longer fits.
    """

    patient_id: UUID
    subject_id: UUID
    starts_at: datetime
    at: datetime


@dataclass(frozen=True)
class TextConfirmed(TextAnswered):
    """ "1": I will come."""


@dataclass(frozen=True)
class TextDeclined(TextAnswered):
    """ "2": I cannot come."""


@dataclass(frozen=True)
class CrisisWordReceived(Event):
    """A text from the patient's confirmed number holds a word of crisis. `source` names the text; where the number is
    `shared`, others of the same household may have written it."""

    patient_id: UUID
    source: str
    shared: bool
    at: datetime


@dataclass(frozen=True)
class DeliveryReported(Event):
    """A provider reports on a message that it took: `status` is `delivered`, `failed` or `on_its_way`; `reason` is the
    provider's own code. Reports repeat, and come out of order."""

    provider: str
    provider_id: str
    status: str
    reason: str
    at: datetime
