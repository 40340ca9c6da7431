"""What the ways to sign in have in common: what each is worth, what leads on from it, and who may go."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm

from api import audit, auth, db, vocabulary
from api.access import attempts, ceremonies, throttles
from api.access.attempts import Asked, Held
from api.access.models import SignInAccount
from api.patients.models import Patient

_, AAL2, PHISHING_RESISTANT = vocabulary.ACRS
BY_PASSKEY, BY_PASSWORD = ("hwk", "user"), ("pwd", "otp")
OPERATION = "authorizeChallenge"


@dataclass(frozen=True, slots=True)
class Password:
    """A sign-in by name, or the one that is being set up: all three at once, so that no answer is about one of them."""

    name: str
    password: str
    code: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """The authorization code, and the name under which the patient signs in from now on if it was just made."""

    authorization_code: str
    sign_in_name: str | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """Where a request comes from, for counting its tries."""

    address: str
    key: str | None

    def spend(self, flow: str, what: bytes) -> throttles.Spent:
        return throttles.spend(flow=flow, what=what, address=self.address, key=self.key)


def is_active(patient_id: UUID, *, handle: bytes | None = None) -> bool:
    """Whether the patient may sign in; with a user handle, whether it is theirs too (WebAuthn §7.2 step 6)."""
    row = (
        db.session()
        .execute(
            sa.select(Patient.status, SignInAccount.user_handle)
            .outerjoin(SignInAccount, SignInAccount.patient_id == Patient.id)
            .where(Patient.id == patient_id)
        )
        .first()
    )
    return row is not None and row.status == "active" and handle in (None, row.user_handle)


def code(held: Held | None, asked: Asked, patient_id: UUID, proved: auth.Proved, passkey_id: UUID | None) -> str:
    """The code, and the audit's row of how it came about."""
    audit.record(db.Caller(kind="patient", patient_id=patient_id), operation=OPERATION, action="create")
    first = attempts.again(held, asked) if held else asked
    return attempts.conclude(first, held, patient_id=patient_id, proved=proved, passkey_id=passkey_id)


def as_patient(patient_id: UUID) -> AbstractContextManager[orm.Session]:
    return db.transaction(db.Caller(kind="patient", patient_id=patient_id))


def count_miss(held: Held) -> None:
    with db.transaction(attempts.holder(held.session_hash)):
        attempts.missed(held)


def refuse_stale(held: Held) -> None:
    if not held.fresh:
        raise ceremonies.PasskeyRefused
