"""How many texts a patient gets: at most one in 24 hours and three in seven days, whatever they are about.

The numbers are those of 47 CFR 64.1200(a)(9)(iv); the days roll, as no rule says where one begins. One text of each cap
is kept for changes, so ordinary reminders are held to one less. Of a cap of one nothing could be kept without keeping
ordinary texts out altogether: that one goes to whichever comes first. What is counted is what was handed to the
provider or is about to be: `reserve` comes before the sending, under a lock of the patient's number, so that any number
of workers hold the caps exactly.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db
from api.messages.models import TextNumber, TextSent

DAY, WEEK = timedelta(hours=24), timedelta(days=7)
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Caps:
    day: int = 1
    week: int = 3

    def allow(self, *, today: int, this_week: int) -> "Allowance":
        """What may still be sent after so many texts."""
        ordinary = today < _ordinary(self.day) and this_week < _ordinary(self.week)
        return Allowance(ordinary=ordinary, change=today < self.day and this_week < self.week)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether one more text of each kind may be sent now."""

    ordinary: bool
    change: bool

    def of(self, kind: str) -> bool:
        return self.change if kind == "change" else self.ordinary


_caps = Caps()


def use(caps: Caps) -> None:
    """Hold to these `caps` from here on."""
    global _caps
    _caps = caps


def allowance(patient_ids: Collection[UUID], *, at: datetime) -> dict[UUID, Allowance]:
    """For every one of them. A text reserved by a clock that runs ahead counts too."""
    since = TextSent.sent_at > at - WEEK
    today = sa.func.count().filter(TextSent.sent_at > at - DAY)
    counts = (
        sa.select(TextSent.patient_id, today, sa.func.count())
        .where(TextSent.patient_id.in_(patient_ids), since)
        .group_by(TextSent.patient_id)
    )
    counted = {patient_id: (day, week) for patient_id, day, week in db.session().execute(counts)}
    sent = {patient_id: counted.get(patient_id, (0, 0)) for patient_id in patient_ids}
    return {one: _caps.allow(today=day, this_week=week) for one, (day, week) in sent.items()}


def counted(message_keys: Collection[str]) -> frozenset[str]:
    """Which of these texts are counted already: whether they went out is in doubt, and sending them counts no more."""
    known = sa.select(TextSent.message_key).where(TextSent.message_key.in_(message_keys))
    return frozenset(db.session().scalars(known)) if message_keys else frozenset()


def reserve(
    *,
    patient_id: UUID,
    message_key: str,
    kind: str,
    at: datetime,
    subject_id: UUID | None = None,
    starts_at: datetime | None = None,
) -> bool:
    """Count a text before it is sent; False where none may be, or texts are off. The same key is counted once.

    `subject_id` and `starts_at`: the session that it speaks of and the beginning that it names; "1" and "2" answer
    that. Of several sessions, `starts_at` alone: there is no telling which one is answered.
    """
    number = sa.select(TextNumber).where(TextNumber.patient_id == patient_id).with_for_update()
    found = db.session().scalar(number.execution_options(populate_existing=True))
    if found is None or found.why_off:
        return False
    if _known(patient_id, message_key):
        return True
    if not allowance([patient_id], at=at)[patient_id].of(kind):
        return False
    row = {"patient_id": patient_id, "message_key": message_key, "kind": kind, "sent_at": at}
    spoken = {"subject_id": subject_id, "starts_at": starts_at}
    db.session().execute(insert(TextSent).values(id=db.uuid7(), **row, **spoken))
    return True


def release(*, patient_id: UUID, message_key: str) -> None:
    """The provider did not take it, and never will: it counts for nothing. Whatever is in doubt counts."""
    db.session().execute(sa.delete(TextSent).where(*_this(patient_id, message_key)))


def last_spoken_of(*, patient_id: UUID, since: datetime) -> TextSent | None:
    """The last text since then that spoke of sessions; without a `subject_id` where of several."""
    of_sessions = TextSent.starts_at.is_not(None)
    texts = sa.select(TextSent).where(TextSent.patient_id == patient_id, TextSent.sent_at > since, of_sessions)
    return db.session().scalar(texts.order_by(TextSent.sent_at.desc(), TextSent.id.desc()).limit(1))


def forget_old(*, at: datetime) -> None:
    db.session().execute(sa.delete(TextSent).where(TextSent.sent_at < at - KEPT))


def _ordinary(cap: int) -> int:
    return cap - 1 if cap > 1 else cap


def _known(patient_id: UUID, message_key: str) -> bool:
    known = sa.select(TextSent.id).where(*_this(patient_id, message_key))
    return db.session().scalar(known) is not None


def _this(patient_id: UUID, message_key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return TextSent.patient_id == patient_id, TextSent.message_key == message_key
