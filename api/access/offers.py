"""What a signed-in patient was offered to sign in with from now on, until they answer: once, and for minutes.

A passkey's challenge is a row, gone with the first answer, right or wrong. A TOTP secret is kept nowhere before a code
confirms it: the offer carries it, sealed for this patient with the time.
"""

import base64
import binascii
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import sqlalchemy as sa

from api import db, errors
from api.access import authenticators, ceremonies, sealing, totp
from api.access.models import Passkey, PasskeyOffer

PASSKEY_LIFETIME = timedelta(minutes=5)
TOTP_LIFETIME = timedelta(minutes=10)
TOTP_PLACE = "totp offer"
STAMP_BYTES = 8


class CodeRefused(errors.Unprocessable):
    title = "This code does not fit"
    detail = "This code does not fit, or it took too long. Scan the new code again, and type what the app shows."
    title_es = "Este código no corresponde"
    detail_es = "Este código no corresponde o pasó demasiado tiempo. Escanee de nuevo y escriba lo que muestra la app."


def passkey(*, patient_id: UUID, rp: ceremonies.RelyingParty) -> tuple[UUID, str]:
    """An offer and its creation options."""
    offer_id, challenge = db.uuid7(), ceremonies.new_challenge()
    held = authenticators.account(patient_id)
    db.session().execute(sa.insert(PasskeyOffer).values(id=offer_id, patient_id=patient_id, challenge=challenge))
    exclude = authenticators.exclude(patient_id)
    return offer_id, ceremonies.creation_options(rp, challenge=challenge, user_handle=held.user_handle, exclude=exclude)


def passkey_made(
    *, patient_id: UUID, offer_id: UUID, rp: ceremonies.RelyingParty, credential: str, name: str | None, at: datetime
) -> Passkey:
    """Keep the passkey that answers an offer; an answer that comes again gives the same one.

    Raises `ceremonies.PasskeyRefused`, `authenticators.TooManyPasskeys`.
    """
    challenge = _taken(patient_id, offer_id)
    if challenge is None:
        return _known(patient_id, credential)
    # A refusal rolls back, and a challenge is good for one answer only.
    db.after_rollback(partial(_taken, patient_id, offer_id))
    created = ceremonies.created(rp, challenge=challenge, credential=credential)
    return authenticators.add_passkey(patient_id=patient_id, created=created, name=name, at=at)


def totp_secret(*, patient_id: UUID, at: datetime) -> tuple[str, str]:
    """An offer and the secret in it. Nothing is stored."""
    secret = totp.new_secret()
    plain = int(at.timestamp()).to_bytes(STAMP_BYTES, "big") + secret.encode()
    sealed = sealing.seal(plain, place=TOTP_PLACE, row=patient_id)
    return base64.urlsafe_b64encode(sealed).decode(), secret


def totp_confirmed(*, patient_id: UUID, offer: str, code: str, at: datetime) -> tuple[str, int]:
    """The secret in `offer`, and the step of the code that confirms it. Raises `CodeRefused`."""
    secret = _offered(patient_id, offer, at)
    if secret is None or (step := totp.step_of(secret, code, at)) is None:
        raise CodeRefused
    return secret, step


def _taken(patient_id: UUID, offer_id: UUID) -> bytes | None:
    """The challenge of an offer that is still good, which it no longer is from here on."""
    taken = sa.delete(PasskeyOffer).where(
        PasskeyOffer.id == offer_id,
        PasskeyOffer.patient_id == patient_id,
        PasskeyOffer.created_at > sa.func.now() - PASSKEY_LIFETIME,
    )
    return db.session().scalar(taken.returning(PasskeyOffer.challenge).execution_options(synchronize_session=False))


def _known(patient_id: UUID, credential: str) -> Passkey:
    """The patient's own passkey that `credential` speaks of: its first answer was lost on the way."""
    credential_id, _ = ceremonies.presented(credential)
    theirs = (Passkey.patient_id == patient_id, Passkey.credential_id == credential_id)
    known = db.session().scalar(sa.select(Passkey).where(*theirs))
    if known is None:
        raise ceremonies.PasskeyRefused
    return known


def _offered(patient_id: UUID, offer: str, at: datetime) -> str | None:
    try:
        sealed = base64.b64decode(offer.encode(), altchars=b"-_", validate=True)
        plain = sealing.unseal(sealed, place=TOTP_PLACE, row=patient_id)
    except (ValueError, binascii.Error):
        return None
    since = at.timestamp() - int.from_bytes(plain[:STAMP_BYTES], "big")
    # Two servers' clocks differ a little.
    fresh = timedelta(minutes=-1) < timedelta(seconds=since) < TOTP_LIFETIME
    return plain[STAMP_BYTES:].decode() if fresh else None
