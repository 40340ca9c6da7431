"""The authorization challenge: a patient signs in on the app's own screens (OAuth for First-Party Apps §4, §5).

Three ways lead to an authorization code: an activation code, with which a passkey or a name, password and one-time code
are set up; a passkey, which names its owner by itself; name, password and one-time code in one request. Whatever is
wrong with what is presented is one answer, after the same statements and the same hashes: at this clinic, that an
account exists is itself protected (42 CFR 2.13(c)(2); ASVS 5.0 6.3.8).

These functions run their own transactions: a hash takes long, and waits in none.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import audit, auth, db, errors, oauth, vocabulary
from api.access import (
    activation,
    app_sessions,
    attempts,
    authenticators,
    ceremonies,
    hashing,
    nobody,
    passwords,
    sealing,
    throttles,
    totp,
)
from api.access import terms as house
from api.access.attempts import Asked, Held
from api.access.models import Passkey, SignInAccount
from api.patients.models import Patient

_, AAL2, PHISHING_RESISTANT = vocabulary.ACRS
BY_PASSKEY, BY_PASSWORD = ("hwk", "user"), ("pwd", "otp")
LABEL = "Clinic app account"
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
    right = activation.right(found, presented)
    patient_id = found.patient_id if found else db.uuid7()
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)):
        welcome = _is_active(patient_id) and right
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
            "totp_uri": totp.uri(secret, label=LABEL),
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


def register_passkey(held: Held, asked: Asked, credential: str, *, keep: bool, at: datetime) -> Welcome:
    """Set up the first passkey after an activation code, or one more; others end unless `keep`.

    Raises `oauth.AccessDenied` for a credential that cannot be believed.
    """
    rp = house.current().relying_party
    try:
        _refuse_stale(held)
        created = ceremonies.created(rp, challenge=held.attempt.challenge, credential=credential)
        return _with_passkey(held, asked, created, keep=keep, at=at)
    except ceremonies.PasskeyRefused as refused:
        _count(held)
        raise oauth.AccessDenied from refused


def _with_passkey(held: Held, asked: Asked, created: ceremonies.Created, *, keep: bool, at: datetime) -> Welcome:
    """Raises `ceremonies.PasskeyRefused` for a passkey of somebody else, `oauth.InvalidRequest` for one too many."""
    patient_id = _whose(held)
    name = held.attempt.device_name or asked.device_name
    with _as_patient(patient_id):
        _activate(held, patient_id, keep=keep)
        try:
            passkey = authenticators.add_passkey(patient_id=patient_id, created=created, name=name, at=at)
        except authenticators.TooManyPasskeys as refused:
            raise oauth.InvalidRequest(refused.detail) from refused
        proved = auth.Proved(PHISHING_RESISTANT, BY_PASSKEY, at)
        return Welcome(_code(held, asked, patient_id, proved, passkey.id))


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
        _count(held)
        raise oauth.AccessDenied
    hash_ = hashing.hashed(sealing.peppered(password))
    with _as_patient(patient_id):
        _activate(held, patient_id, keep=keep)
        kept = authenticators.set_password(
            patient_id=patient_id,
            name=name,
            password_hash=hash_,
            totp_secret=held.attempt.totp_secret,
            totp_step=step,
            at=at,
        )
        welcome = Welcome(_code(held, asked, patient_id, auth.Proved(AAL2, BY_PASSWORD, at), None), kept)
    if kept and asked.key:
        throttles.know(what=sealing.index(kept), key=asked.key)
    return welcome


def by_passkey(held: Held, asked: Asked, credential: str, patience: Patience, *, at: datetime) -> Welcome:
    """Sign in by a passkey that names its owner (WebAuthn §7.2). Raises `oauth.AccessDenied`, `TooManyTries`."""
    credential_id, handle = _presented(credential)
    spent = patience.spend("passkey", attempts.hashed(credential_id.hex()))
    with db.transaction(attempts.holder(credential_id)) as session:
        passkey = session.scalar(sa.select(Passkey).where(Passkey.credential_id == credential_id))
    asserted = _asserted(held, credential, passkey)
    patient_id = passkey.patient_id if passkey else db.uuid7()
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)) as session:
        right = _is_active(patient_id, handle=handle) and asserted is not None
        if right and passkey and asserted:
            used = {"sign_count": asserted.sign_count, "backed_up": asserted.backed_up, "last_used_at": at}
            session.execute(sa.update(Passkey).where(Passkey.id == passkey.id).values(used))
            welcome = Welcome(
                _code(held, asked, patient_id, auth.Proved(PHISHING_RESISTANT, BY_PASSKEY, at), passkey.id)
            )
        else:
            attempts.missed(held)
    if not right:
        raise oauth.AccessDenied
    throttles.succeeded(spent)
    return welcome


def by_password(held: Held | None, asked: Asked, said: Password, patience: Patience, *, at: datetime) -> Welcome:
    """Sign in by name, password and one-time code: one hash, whatever is wrong. Raises `oauth.AccessDenied`,
    `throttles.TooManyTries`, `errors.Unavailable`."""
    hashing.refuse_crowd()
    index = sealing.index(said.name)
    spent = patience.spend("password", index)
    with db.transaction(attempts.holder(index)) as session:
        account = session.scalar(sa.select(SignInAccount).where(SignInAccount.name_index == index))
    right = _matches(account, said.password, spent)
    patient_id = account.patient_id if account else db.uuid7()
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)) as session:
        theirs = session.execute(_standing(patient_id).with_for_update(of=SignInAccount)).first()
        step = _fresh_step(theirs.SignInAccount if theirs else None, said.code, at)
        welcome = None
        if right and theirs and theirs.status == "active" and step:
            theirs.SignInAccount.totp_last_step = step
            session.flush()
            welcome = Welcome(_code(held, asked, patient_id, auth.Proved(AAL2, BY_PASSWORD, at), None))
        elif held:
            attempts.missed(held)
        else:
            # Rolled back: committing the lock of an account that exists would wait for the disk.
            raise oauth.AccessDenied
    if welcome is None:
        raise oauth.AccessDenied
    throttles.succeeded(spent)
    _renew(account, said.password)
    return welcome


def _renew(account: SignInAccount | None, password: str) -> None:
    """Hash the password that was right anew, where its hash was made with earlier parameters; some time, if not now."""
    if account is None or account.password_hash is None or not hashing.outdated(account.password_hash):
        return
    with contextlib.suppress(errors.Unavailable):
        fresh = hashing.hashed(sealing.peppered(passwords.normalised(password)))
        theirs = (SignInAccount.patient_id == account.patient_id, SignInAccount.password_hash == account.password_hash)
        with _as_patient(account.patient_id) as session:
            session.execute(sa.update(SignInAccount).where(*theirs).values(password_hash=fresh))


def _matches(account: SignInAccount | None, password: str, spent: throttles.Spent) -> bool:
    stored = account.password_hash if account else None
    try:
        return hashing.matches(sealing.peppered(passwords.normalised(password)), stored)
    except Exception:
        throttles.unspend(spent)
        raise


def _fresh_step(account: SignInAccount | None, code: str, at: datetime) -> int | None:
    """The time step of a right code that was not used before (RFC 6238 §5.2)."""
    secret = authenticators.totp_secret(account) if account else None
    step = totp.step_of(secret or nobody.TOTP_SECRET, code, at)
    used = account.totp_last_step if account else None
    return step if secret and step is not None and step > (used or 0) else None


def _asserted(held: Held, credential: str, passkey: Passkey | None) -> ceremonies.Asserted | None:
    """None for what cannot be believed; a passkey that is nobody's is judged by a key that is nobody's."""
    try:
        _refuse_stale(held)
        asserted = ceremonies.asserted(
            house.current().relying_party,
            challenge=held.attempt.challenge,
            credential=credential,
            public_key=passkey.public_key if passkey else nobody.passkey(),
            sign_count=passkey.sign_count if passkey else 0,
            backup_eligible=passkey.backup_eligible if passkey else True,
        )
    except ceremonies.PasskeyRefused:
        return None
    return asserted if passkey else None


def _presented(credential: str) -> tuple[bytes, bytes]:
    """The credential id and the user handle. Who was named by nothing else must be named by the handle (WebAuthn §7.2
    step 6): one that is missing is nobody's."""
    try:
        credential_id, handle = ceremonies.presented(credential)
    except ceremonies.PasskeyRefused:
        return b"malformed", b""
    return credential_id, handle or b""


def _refuse_stale(held: Held) -> None:
    if not held.fresh:
        raise ceremonies.PasskeyRefused


def _standing(patient_id: UUID) -> Any:
    whose = sa.select(Patient.status, SignInAccount).join(SignInAccount, SignInAccount.patient_id == Patient.id)
    return whose.where(Patient.id == patient_id)


def _is_active(patient_id: UUID, *, handle: bytes | None = None) -> bool:
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


def _activate(held: Held, patient_id: UUID, *, keep: bool) -> None:
    """Use the activation code up; unless the patient keeps them, all earlier ways in and signed-in phones end."""
    used = _is_active(patient_id) and activation.use(
        patient_id=patient_id, activation_id=held.attempt.activation_id or db.uuid7()
    )
    if not used:
        raise oauth.AccessDenied
    if not keep:
        authenticators.end_all(patient_id=patient_id)
        app_sessions.end_all(patient_id=patient_id, reason="recovered")


def _whose(held: Held) -> UUID:
    assert held.attempt.patient_id is not None, "only an activation code leads here"
    return held.attempt.patient_id


def _as_patient(patient_id: UUID) -> Any:
    return db.transaction(db.Caller(kind="patient", patient_id=patient_id))


def _count(held: Held) -> None:
    with db.transaction(attempts.holder(held.session_hash)):
        attempts.missed(held)


def _code(held: Held | None, asked: Asked, patient_id: UUID, proved: auth.Proved, passkey_id: UUID | None) -> str:
    """The code, and the audit's row of how it came about."""
    audit.record(db.Caller(kind="patient", patient_id=patient_id), operation=OPERATION, action="create")
    first = attempts.again(held, asked) if held else asked
    return attempts.conclude(first, held, patient_id=patient_id, proved=proved, passkey_id=passkey_id)
