"""Activation codes: how the clinic lets a patient in for the first time, or again after everything was lost.

A code has two forms. The typed one is 16 characters of Crockford's base32 (no I, L, O, U): a selector that finds the
row, a secret of 50 bits that is kept as an argon2 hash alone, and a check character, so that a slip of the finger
spends no try. The form for links and QR codes has 130 bits, which need no slow hash (ASVS 5.0 6.5.2).
Whatever is wrong with what is presented, the same steps follow: one statement finds, one hash compares, one counts.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db, errors
from api.access import hashing
from api.access.models import ActivationCode
from api.patients.models import Patient

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MEANT = str.maketrans("OIL", "011")
SELECTOR, SECRET, LINK = 5, 10, 26
TYPED = SELECTOR + SECRET + 1
LONGEST = 100
# x^5 + x^2 + 1, primitive over GF(2): the remainder notices every wrong character and every two that were swapped.
POLYNOMIAL = 0b100101
MOST_WRONG_TRIES = 5
# NIST SP 800-63A-4 on codes that confirm an address: how long they live depends on how they travel.
LIFETIMES = {
    "in_person": timedelta(days=7),
    "post": timedelta(days=21),
    "email": timedelta(hours=24),
    "sms": timedelta(minutes=10),
}


class PatientNotActive(errors.Conflict):
    title = "This account is not active"
    detail = "An activation code can only be issued while the patient's account is active."
    title_es = "Esta cuenta no está activa"
    detail_es = "Solo se puede emitir un código de activación mientras la cuenta del paciente está activa."


@dataclass(frozen=True, slots=True)
class Made:
    """A secret and its hash, made before the transaction begins: hashing waits for its turn."""

    handed_over: str
    secret: str
    secret_hash: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A code as it is shown once; `code` and `link_code` are None when it is shown again."""

    id: UUID
    handed_over: str
    expires_at: datetime
    code: str | None = None
    link_code: str | None = None


@dataclass(frozen=True, slots=True)
class Presented:
    """What somebody presents: the hash that finds its row, and the secret of the typed form; None for a link."""

    hash: bytes
    secret: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """The code that was presented; `usable` by the database's clock when it was found."""

    id: UUID
    patient_id: UUID
    secret_hash: str
    usable: bool


def make(handed_over: str) -> Made:
    """Outside of any transaction. Raises `errors.Unavailable` while too many hashes wait."""
    secret = _random(SECRET)
    return Made(handed_over, secret, hashing.hashed(secret))


def issue(*, patient_id: UUID, made: Made) -> Issued:
    """Invite the patient, as the clinic; codes of theirs that were not used end. Raises `PatientNotActive`."""
    _lock_active(patient_id)
    db.session().execute(
        sa.update(ActivationCode)
        .where(
            ActivationCode.patient_id == patient_id, ActivationCode.used_at.is_(None), ActivationCode.ended_at.is_(None)
        )
        .values(ended_at=sa.func.now())
    )
    issued = None
    while issued is None:
        issued = _drawn(patient_id, made)
    return issued


def again(activation_id: UUID) -> Issued:
    """What may still be told of a code: not its secrets. Raises `errors.NotFound`."""
    code = db.session().get(ActivationCode, activation_id)
    if code is None:
        raise errors.NotFound
    return Issued(code.id, code.handed_over, code.expires_at)


def presented(code: str) -> Presented:
    """What `code` presents. One that cannot be right is taken for a typed one that is nobody's."""
    text = "".join(code.upper().split()).replace("-", "").translate(MEANT) if len(code) <= LONGEST else ""
    if set(text) <= set(LETTERS):
        if len(text) == LINK:
            return Presented(_hash("link", text), None)
        if len(text) == TYPED and _check(text) == LETTERS[0]:
            return Presented(_hash("selector", text[:SELECTOR]), text[SELECTOR:-1])
    return Presented(_hash("malformed", code), text[:SECRET])


def found(presented: Presented) -> Found | None:
    """The code that is presented, inside the transaction of a `holder` of `presented.hash`."""
    held = sa.or_(ActivationCode.selector_hash == presented.hash, ActivationCode.link_hash == presented.hash)
    columns = (ActivationCode.id, ActivationCode.patient_id, ActivationCode.secret_hash, _usable())
    row = db.session().execute(sa.select(*columns).where(held)).first()
    return Found(*row) if row else None


def right(found: Found | None, presented: Presented) -> bool:
    """Whether the code may be used. A typed one costs one hash whatever was found, a link none.

    Outside of any transaction. Raises `errors.Unavailable` while too many hashes wait.
    """
    usable = found is not None and found.usable
    if presented.secret is None:
        return usable
    return hashing.matches(presented.secret, found.secret_hash if found else None) and usable


def missed(found_id: UUID | None) -> None:
    """Count a wrong try, as the holder; of nobody's code too, so that it takes the same statement."""
    db.session().execute(
        sa.update(ActivationCode)
        .where(ActivationCode.id == (found_id or db.uuid7()))
        .values(wrong_tries=ActivationCode.wrong_tries + 1)
        .execution_options(synchronize_session=False)
    )


def use(*, patient_id: UUID, activation_id: UUID) -> bool:
    """Use the code up, as the patient; False where it cannot be used any more. Of two at once one wins."""
    used = (
        sa.update(ActivationCode)
        .where(ActivationCode.id == activation_id, ActivationCode.patient_id == patient_id, _usable())
        .values(used_at=sa.func.now())
        .returning(ActivationCode.id)
        .execution_options(synchronize_session=False)
    )
    return db.session().execute(used).first() is not None


def _usable() -> sa.ColumnElement[bool]:
    return sa.and_(
        ActivationCode.used_at.is_(None),
        ActivationCode.ended_at.is_(None),
        ActivationCode.expires_at > sa.func.now(),
        ActivationCode.wrong_tries < MOST_WRONG_TRIES,
    )


def _lock_active(patient_id: UUID) -> None:
    """Two codes issued at once follow each other, so that the earlier one ends."""
    locked = sa.select(Patient.status).where(Patient.id == patient_id).with_for_update(key_share=True)
    if db.session().scalar(locked) != "active":
        raise PatientNotActive


def _drawn(patient_id: UUID, made: Made) -> Issued | None:
    """The code with a selector drawn for it; None where that is taken, for there are only 33 million."""
    selector, link = _random(SELECTOR), _random(LINK)
    kept = insert(ActivationCode).values(
        id=db.uuid7(),
        patient_id=patient_id,
        selector_hash=_hash("selector", selector),
        secret_hash=made.secret_hash,
        link_hash=_hash("link", link),
        handed_over=made.handed_over,
        expires_at=sa.func.now() + LIFETIMES[made.handed_over],
    )
    told = kept.on_conflict_do_nothing().returning(ActivationCode.id, ActivationCode.expires_at)
    if (row := db.session().execute(told).first()) is None:
        return None
    return Issued(row.id, made.handed_over, row.expires_at, _shown(selector + made.secret), link)


def _shown(text: str) -> str:
    whole = text + _check(text + LETTERS[0])
    return "-".join(whole[start : start + 4] for start in range(0, TYPED, 4))


def _check(text: str) -> str:
    """The remainder of the text as a polynomial over GF(32): LETTERS[0] for one that ends in its check character."""
    remainder = 0
    for value in map(LETTERS.index, text):
        remainder = (remainder << 1) ^ value
        remainder ^= POLYNOMIAL if remainder & 0b100000 else 0
    return LETTERS[remainder]


def _random(length: int) -> str:
    letters: Sequence[str] = [secrets.choice(LETTERS) for _ in range(length)]
    return "".join(letters)


def _hash(form: str, text: str) -> bytes:
    """Each form by itself: no selector finds a link."""
    return hashlib.sha256(f"{form}:{text}".encode("utf-8", "surrogatepass")).digest()
