"""The authorization challenge: a patient signs in on the app's own screens (OAuth for First-Party Apps §4, §5).

Three ways lead to an authorization code: an activation code, with which a passkey or a name, password and one-time code
are set up (`setting_up`); a passkey, which names its owner by itself; name, password and one-time code in one request
(`proving`). Whatever is wrong with what is presented is one answer, after the same statements and the same hashes: at
this clinic, that an account exists is itself protected (42 CFR 2.13(c)(2); ASVS 5.0 6.3.8).

These functions run their own transactions: a hash takes long, and waits in none.
"""

from uuid import UUID

import sqlalchemy as sa

from api import db, oauth
from api.access import activation, attempts, authenticators, ceremonies, hashing, throttles, totp, ways
from api.access import terms as house
from api.access.attempts import Asked, Held
from api.access.ways import Patience


def open_activation(asked: Asked, code: str, patience: Patience) -> oauth.InsufficientAuthorization:
    """What follows a right activation code: how to set up a passkey, or a password and one-time codes.

    Raises `oauth.AccessDenied` for any code that cannot be used, `throttles.TooManyTries`.
    """
    presented = activation.presented(code)
    if presented.secret is not None:
        hashing.refuse_crowd()
    spent = patience.spend("activation", presented.hash)
    with db.transaction(attempts.holder(presented.hash)):
        found = activation.found(presented)
    with throttles.looked_at(spent):
        right = activation.right(found, presented)
    patient_id = found.patient_id if found else db.uuid7()
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)):
        welcome = ways.is_active(patient_id) and right
        step = _set_up(asked, patient_id, found.id) if welcome and found else None
        if step is None:
            db.become(attempts.holder(presented.hash))
            _wait_for_no_disk()
            activation.missed(found.id if found and not right else None)
    if step is None:
        raise oauth.AccessDenied
    throttles.succeeded(spent)
    return step


def _wait_for_no_disk() -> None:
    """Commit without it: only a code that exists has a row to write, and to wait for that would tell of it. A crash of
    the database may forget the wrong tries of its last second."""
    db.session().execute(sa.select(sa.func.set_config("synchronous_commit", "off", True)))


def _set_up(asked: Asked, patient_id: UUID, activation_id: UUID) -> oauth.InsufficientAuthorization:
    account, secret = authenticators.account(patient_id), totp.new_secret()
    exclude = authenticators.exclude(patient_id)
    whose = {
        "patient_id": patient_id,
        "activation_id": activation_id,
        "totp_secret": authenticators.sealed_totp(patient_id, secret),
    }
    begun = attempts.begin(asked, whose=whose)
    options = ceremonies.creation_options(
        house.current().relying_party, challenge=begun.challenge, user_handle=account.user_handle, exclude=exclude
    )
    return oauth.InsufficientAuthorization(
        members={
            "auth_session": begun.auth_session,
            "passkey_creation": options,
            "totp_secret": secret,
            "totp_uri": totp.uri(secret, label=ceremonies.LABEL),
        }
    )


def ask_for_passkey(asked: Asked) -> oauth.InsufficientAuthorization:
    """Begin a sign-in by passkey; the answer names no account."""
    with db.transaction(db.Caller(kind="holder")):
        return passkey_step(asked)


def passkey_step(
    asked: Asked, kind: type[oauth.InsufficientAuthorization] = oauth.InsufficientAuthorization
) -> oauth.InsufficientAuthorization:
    """An attempt made in the running transaction, which goes on as its holder, and the refusal that carries it."""
    begun = attempts.begin(asked)
    options = ceremonies.request_options(house.current().relying_party, challenge=begun.challenge)
    return kind(members={"auth_session": begun.auth_session, "passkey_request": options})


def resume(auth_session: str, asked: Asked) -> Held:
    """The attempt that the app goes on with. Raises `oauth.InvalidSession`."""
    with db.transaction(attempts.holder(attempts.hashed(auth_session))):
        return attempts.held(auth_session, client_id=asked.client_id or None, key=asked.key)
