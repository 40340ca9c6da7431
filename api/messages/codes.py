"""Codes that show that a number or mail address is the patient's: six digits that live ten minutes.

The digits are computed from the row's id under a key of the deployment when they are sent and when they are tried, so
no row, job or log holds them. What guards them goes by the database's clock. A wrong try outlives its rollback.
"""

import hmac
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, queue
from api.messages import keyed
from api.messages.models import ContactCode

JOB = "send-contact-code"
LIFE = timedelta(minutes=10)
MOST_TRIES = 5
# How many codes one patient may have sent by one channel, by the age that they are counted to.
MOST_SENT = ((timedelta(hours=1), 3), (timedelta(days=1), 6))
KEPT = timedelta(days=2)


class TooManyCodes(errors.TooManyRequests):
    title = "Too many codes"
    detail = "Several codes were sent already. Please wait before asking for another one."
    title_es = "Demasiados códigos"
    detail_es = "Ya se enviaron varios códigos. Espere antes de pedir otro."


class WrongCode(errors.Unprocessable):
    """Wrong, used, too old and never sent are one answer."""

    title = "That code is not right"
    detail = "That code is not right, or it is too old. Please check it, or ask for a new one."
    title_es = "Ese código no es correcto"
    detail_es = "Ese código no es correcto o ya venció. Revíselo o pida uno nuevo."


def send(*, patient_id: UUID, channel: str, contact_id: UUID) -> None:
    """Have a new code sent once the running transaction commits; codes before it no longer count.

    Call it under the lock of the patient's version. Raises `TooManyCodes`.
    """
    for age, most in MOST_SENT:
        _refuse_beyond(patient_id, channel, age, most)
    code_id = db.uuid7()
    made = sa.insert(ContactCode).values(
        id=code_id,
        patient_id=patient_id,
        channel=channel,
        contact_id=contact_id,
        created_at=sa.func.clock_timestamp(),
        expires_at=sa.func.clock_timestamp() + LIFE,
    )
    db.session().execute(made)
    queue.enqueue(JOB, code_id=code_id)


def redeem(*, patient_id: UUID, channel: str, contact_id: UUID, given: str) -> None:
    """Use up the newest code of this number or address. Raises `WrongCode`, which counts as a try."""
    found = db.session().scalar(_newest(patient_id, channel).with_for_update())
    if found is None or found.contact_id != contact_id or not _usable(found.id):
        raise WrongCode
    code_id = found.id
    if not hmac.compare_digest(keyed.code(code_id).encode(), given.encode()):
        # The row itself is gone from the session by then.
        db.after_rollback(lambda: _count_try(code_id))
        raise WrongCode
    found.used_at = sa.func.clock_timestamp()
    db.session().flush()


def waiting(code_id: UUID) -> ContactCode | None:
    """The code, if it may still be typed in; for the worker that sends it."""
    return db.session().get(ContactCode, code_id) if _usable(code_id) else None


def forget_old() -> None:
    age = sa.func.now() - KEPT
    db.session().execute(sa.delete(ContactCode).where(ContactCode.created_at < age))


def _newest(patient_id: UUID, channel: str) -> sa.Select[Any]:
    return (
        sa.select(ContactCode)
        .where(ContactCode.patient_id == patient_id, ContactCode.channel == channel)
        .order_by(ContactCode.created_at.desc())
        .limit(1)
    )


def _usable(code_id: UUID) -> bool:
    usable = (
        ContactCode.used_at.is_(None),
        ContactCode.wrong_tries < MOST_TRIES,
        ContactCode.expires_at > sa.func.clock_timestamp(),
    )
    return bool(db.session().scalar(sa.select(sa.exists().where(ContactCode.id == code_id, *usable))))


def _refuse_beyond(patient_id: UUID, channel: str, age: timedelta, most: int) -> None:
    since = ContactCode.created_at > sa.func.clock_timestamp() - age
    whose = ContactCode.patient_id == patient_id, ContactCode.channel == channel
    oldest_left = sa.func.min(ContactCode.created_at) + age - sa.func.clock_timestamp()
    left = sa.func.ceil(sa.extract("epoch", oldest_left))
    count, seconds = db.session().execute(sa.select(sa.func.count(), left).where(since, *whose)).one()
    if count >= most:
        raise TooManyCodes(headers={"Retry-After": str(max(1, int(seconds)))})


def _count_try(code_id: UUID) -> None:
    more = sa.update(ContactCode).where(ContactCode.id == code_id)
    db.session().execute(more.values(wrong_tries=ContactCode.wrong_tries + 1))
