"""How tests reach patients by text and mail: a post that records, and numbers that are on."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from api import db
from api.messages import caps, keyed, phones, post, worker_contacts
from api.messages.gateway import ACCEPTED, Address, Message

NUMBER, OTHER_NUMBER = "+12125550123", "+12125550124"
AT = datetime(2026, 11, 23, 15, tzinfo=UTC)


class Recorded(post.Post):
    """Takes everything, and keeps it with where it went."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[Message, Address]] = []
        self.verdict = ACCEPTED

    def say(self, message: Message, addresses: Sequence[Address]) -> str:
        self.said += [(message, one) for one in addresses]
        return self.verdict


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    before, made = post.in_use(), Recorded()
    post._in_use = made
    yield made
    post._in_use = before


def as_patient(patient_id: UUID) -> db.Caller:
    return db.Caller(kind="patient", patient_id=patient_id)


def newest_code(owner_sql, patient_id: UUID, channel: str = "sms") -> UUID:
    asked = "SELECT id FROM contact_codes WHERE patient_id = %s AND channel = %s ORDER BY created_at DESC LIMIT 1"
    ((code_id,),) = owner_sql(asked, patient_id, channel)
    return code_id


def digits(owner_sql, patient_id: UUID, channel: str = "sms") -> str:
    return keyed.code(newest_code(owner_sql, patient_id, channel))


def send_code(owner_sql, patient_id: UUID, channel: str = "sms") -> None:
    worker_contacts.send(code_id=newest_code(owner_sql, patient_id, channel))


def turned_on(owner_sql, patient, number: str = NUMBER) -> None:
    """The patient chooses the number, confirms it, and agrees to texts."""
    with db.transaction(as_patient(patient.id)):
        phones.choose(patient_id=patient.id, number=number, at=AT)
    with db.transaction(as_patient(patient.id)):
        phones.confirm(patient_id=patient.id, code=digits(owner_sql, patient.id), at=AT)
        phones.consent(patient_id=patient.id, text_id="appointment-texts-1", language="en", at=AT)


def texted(patient_id: UUID, *, at: datetime = AT, **told) -> bool:
    """A reminder by text, as the worker counts it before it sends."""
    key = told.pop("key", f"{at}")
    with db.transaction(db.WORKER):
        return caps.reserve(patient_id=patient_id, message_key=key, kind=told.pop("kind", "ordinary"), at=at, **told)


def number_of(patient_id: UUID):
    with db.transaction(as_patient(patient_id)):
        return phones.of_patient(patient_id=patient_id)
