"""Texts that come in: what each does to the patients whose number it came from, and how it is answered.

A number belongs to a household: STOP ends texts for everybody who uses it, and so does "wrong number"; a word of crisis
concerns everybody who has confirmed it. "1" and "2" answer the last text about an appointment, and only where exactly
one of them got such a text lately: an answer for the wrong person would be worse than none.

The door opens a transaction as the holder of the number to find who uses it, one as each of these patients to act, and
one as the holder again to keep what kind of text it was. Doing any of it twice is doing it once, so a text that comes
again, or that was half met, converges on its `sid`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, events
from api.messages import caps, keyed, phones
from api.messages.events import CrisisWordReceived, TextConfirmed, TextDeclined
from api.messages.meaning import Meaning
from api.messages.models import InboundText, TextNumber
from api.patients import service as patients

# How long "1" and "2" may wait for: a reminder of three days ahead, and the day itself.
ANSWERED_WITHIN = timedelta(days=4)
HOURLY = timedelta(hours=1)
# Two machines that answer each other would go on for ever; a word of crisis is no machine's.
AT_MOST_HOURLY = ("not_read", "help", "nothing_to_answer", "start_in_app")
KEPT = timedelta(days=30)
ANSWERS = {"confirmed": TextConfirmed, "declined": TextDeclined}
STOPS = {"stop": "stopped", "wrong_number": "wrong_number"}
WITH_HELP = {"stop": "stop_crisis", "wrong_number": "wrong_number_crisis"}


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it came in, without its words."""

    sid: str
    number: str
    meaning: Meaning

    @property
    def index(self) -> bytes:
        return keyed.index(self.number)

    @property
    def source(self) -> str:
        return f"text:{self.sid}"


@dataclass(frozen=True, slots=True)
class User:
    """A patient who uses the number, as the number alone tells, and as far as it is `known`: their language, whether
    "1" or "2" could be their answer to something, and when they last agreed to texts there."""

    patient_id: UUID
    confirmed: bool
    language: str | None = None
    reminded: bool = False
    agreed_at: datetime | None = None


def kept(sid: str) -> InboundText | None:
    """What was kept of the text, if it has come before."""
    return db.session().scalar(sa.select(InboundText).where(InboundText.sid == sid))


def users() -> list[User]:
    """Everybody who uses the number that the running transaction's holder presents."""
    found = db.session().execute(
        sa.select(TextNumber.patient_id, TextNumber.confirmed_at).order_by(TextNumber.patient_id)
    )
    return [User(patient_id, confirmed_at is not None) for patient_id, confirmed_at in found]


def known(user: User, text: Text, *, at: datetime) -> User:
    """Asked in a transaction of the patient's own."""
    last = caps.last_spoken_of(patient_id=user.patient_id, since=at - ANSWERED_WITHIN)
    agreed_at = phones.agreed_at(patient_id=user.patient_id, number=text.number)
    return replace(user, language=patients.language(user.patient_id), reminded=last is not None, agreed_at=agreed_at)


def answering(text: Text, users: Iterable[User]) -> UUID | None:
    """Whose answer "1" or "2" is: of those who use the number, the only one who got a text about it lately."""
    asked = [one.patient_id for one in users if one.confirmed and one.reminded]
    return asked[0] if len(asked) == 1 and text.meaning.kind in ANSWERS else None


def act(*, user: User, text: Text, shared: bool, answers: bool, at: datetime) -> str | None:
    """The patient's part; gives the sentence that it comes to, if any of its own. `answers`: "1" and "2" are this
    patient's. Raises `errors.Conflict` or `errors.NotFound` where what it answers is no longer so."""
    kind = text.meaning.kind
    if kind in STOPS:
        phones.stop(patient_id=user.patient_id, reason=STOPS[kind], at=at)
    # After the patient's version is locked: whoever answers a questionnaire meanwhile takes the two in this order too.
    if text.meaning.crisis and user.confirmed:
        events.announce(CrisisWordReceived(user.patient_id, text.source, shared, at))
    if kind == "start":
        return "start" if phones.start(patient_id=user.patient_id, at=at) else None
    return _answered(user.patient_id, kind, at) if answers else None


def answer(text: Text, said: Collection[str]) -> str:
    """The sentence that answers the text as a whole, after what its parts came to."""
    kind = text.meaning.kind
    if text.meaning.crisis and kind in WITH_HELP:
        return WITH_HELP[kind]
    if kind == "start":
        return "start" if "start" in said else "start_in_app"
    if kind in ANSWERS:
        return next(iter(said), "nothing_to_answer")
    return "not_read" if kind == "other" else kind


def language(text: Text, users: Iterable[User]) -> str | None:
    """The one language of all who use the number; else that of the words; None where neither is known."""
    spoken = {one.language or "en" for one in users}
    return spoken.pop() if len(spoken) == 1 else text.meaning.language


def keep(text: Text, sentence: str, *, users: Collection[User], at: datetime) -> InboundText:
    """Keep what kind of text it was and how it is answered: not at all where the same was said a moment ago. `users`
    as they were before the text."""
    # Two texts of one number at the same moment must not both be the first of the hour.
    lock = int.from_bytes(text.index[:8], "big", signed=True)
    db.session().execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    if (before := kept(text.sid)) is not None:
        return before
    given = _instead_of(sentence) if _answered_already(text, sentence, users, at) else sentence
    row = InboundText(sid=text.sid, number_index=text.index, kind=_kept_kind(text), answer=given, received_at=at)
    row.language = language(text, users)
    db.session().add(row)
    db.session().flush()
    return row


def forget_old(*, at: datetime) -> None:
    db.session().execute(sa.delete(InboundText).where(InboundText.received_at < at - KEPT))


def _answered(patient_id: UUID, kind: str, at: datetime) -> str:
    last = caps.last_spoken_of(patient_id=patient_id, since=at - ANSWERED_WITHIN)
    if last is None or last.subject_id is None or last.starts_at is None:
        raise errors.NotFound
    events.announce(ANSWERS[kind](patient_id, last.subject_id, last.starts_at, at))
    return "noted"


def _kept_kind(text: Text) -> str:
    return "crisis" if text.meaning.crisis and text.meaning.kind == "other" else text.meaning.kind


def _instead_of(sentence: str) -> str | None:
    """What is said instead of a sentence that was said already: to a word of crisis always where help is."""
    return "not_read" if sentence in WITH_HELP.values() else None


def _answered_already(text: Text, sentence: str, users: Iterable[User], at: datetime) -> bool:
    """One confirmation of a stop until texts are started again, by text or in the app; other answers of a machine at
    most hourly."""
    if text.meaning.kind in STOPS:
        agreed = [InboundText.received_at >= one.agreed_at for one in users if one.agreed_at]
        return _last_of(text, InboundText.kind.in_((*STOPS, "start")), *agreed) in STOPS
    if sentence not in AT_MOST_HOURLY or text.meaning.crisis:
        return False
    same = InboundText.answer == sentence, InboundText.received_at > at - HOURLY
    return _last_of(text, *same) is not None


def _last_of(text: Text, *which: sa.ColumnElement[bool]) -> Any:
    texts = sa.select(InboundText.kind).where(InboundText.number_index == text.index, *which)
    return db.session().scalar(texts.order_by(InboundText.received_at.desc(), InboundText.id.desc()).limit(1))
