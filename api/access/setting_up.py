"""Setting up a way in after an activation code: a passkey, or a name with a password and one-time codes.

The code is used up by the transaction that sets it up. Unless the patient keeps them, earlier ways in end with it, and
the phones that they signed in: whoever needed a new code may have lost the phone.
"""

from datetime import datetime
from uuid import UUID

from api import auth, db, oauth
from api.access import (
    activation,
    app_sessions,
    authenticators,
    ceremonies,
    hashing,
    passwords,
    sealing,
    throttles,
    totp,
    ways,
)
from api.access import terms as house
from api.access.attempts import Asked, Held
from api.access.ways import Password, Welcome


def register_passkey(held: Held, asked: Asked, credential: str, *, keep: bool, at: datetime) -> Welcome:
    """Set up the first passkey after an activation code, or one more; others end unless `keep`.

    Raises `oauth.AccessDenied` for a credential that cannot be believed.
    """
    rp = house.current().relying_party
    try:
        ways.refuse_stale(held)
        created = ceremonies.created(rp, challenge=held.attempt.challenge, credential=credential)
        return _with_passkey(held, asked, created, keep=keep, at=at)
    except ceremonies.PasskeyRefused as refused:
        ways.count_miss(held)
        raise oauth.AccessDenied from refused


def _with_passkey(held: Held, asked: Asked, created: ceremonies.Created, *, keep: bool, at: datetime) -> Welcome:
    """Raises `ceremonies.PasskeyRefused` for a passkey of somebody else, `oauth.InvalidRequest` for one too many."""
    patient_id = _whose(held)
    name = held.attempt.device_name or asked.device_name
    with ways.as_patient(patient_id):
        _activate(held, patient_id, keep=keep)
        try:
            passkey = authenticators.add_passkey(patient_id=patient_id, created=created, name=name, at=at)
        except authenticators.TooManyPasskeys as refused:
            raise oauth.InvalidRequest(refused.detail) from refused
        proved = auth.Proved(ways.PHISHING_RESISTANT, ways.BY_PASSKEY, at)
        return Welcome(ways.code(held, asked, patient_id, proved, passkey.id))


def register_password(held: Held, asked: Asked, said: Password, *, keep: bool, at: datetime) -> Welcome:
    """Set up name, password and one-time codes after an activation code; other ways in end unless `keep`.

    Raises `oauth.AccessDenied` for a wrong one-time code, `passwords.PasswordRefused` and
    `authenticators.SignInNameRefused` for choices that cannot be, which cost no try.
    """
    patient_id = _whose(held)
    secret = sealing.unseal(held.attempt.totp_secret or b"", place=authenticators.TOTP_PLACE, row=patient_id).decode()
    name = authenticators.chosen_name(said.name)
    password = passwords.accepted(said.password, name=authenticators.base_name(said.name))
    if (step := totp.step_of(secret, said.code, at)) is None:
        ways.count_miss(held)
        raise oauth.AccessDenied
    hash_ = hashing.hashed(sealing.peppered(password))
    with ways.as_patient(patient_id):
        _activate(held, patient_id, keep=keep)
        kept = authenticators.set_password(
            patient_id=patient_id,
            name=name,
            password_hash=hash_,
            totp_secret=held.attempt.totp_secret,
            totp_step=step,
            at=at,
        )
        welcome = Welcome(ways.code(held, asked, patient_id, auth.Proved(ways.AAL2, ways.BY_PASSWORD, at), None), kept)
    if kept and asked.key:
        throttles.know(what=sealing.index(kept), key=asked.key)
    return welcome


def _activate(held: Held, patient_id: UUID, *, keep: bool) -> None:
    """Use the activation code up; unless the patient keeps them, all earlier ways in and signed-in phones end."""
    used = ways.is_active(patient_id) and activation.use(
        patient_id=patient_id, activation_id=held.attempt.activation_id or db.uuid7()
    )
    if not used:
        raise oauth.AccessDenied
    if not keep:
        authenticators.end_all(patient_id=patient_id)
        app_sessions.sign_out(patient_id=patient_id, reason="recovered")


def _whose(held: Held) -> UUID:
    assert held.attempt.patient_id is not None, "only an activation code leads here"
    return held.attempt.patient_id
