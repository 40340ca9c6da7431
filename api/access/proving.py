"""Proving who one is: by a passkey, which names its owner, or by name, password and one-time code together.

Each takes the same steps whoever is named and whatever is wrong: tries are counted, the row is looked for, one
signature or one hash is computed, and what was right is judged again under the lock that lets the patient in.
"""

import contextlib
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from api import auth, db, errors, oauth
from api.access import attempts, authenticators, ceremonies, hashing, nobody, passwords, sealing, throttles, totp, ways
from api.access import terms as house
from api.access.attempts import Asked, Held
from api.access.models import Passkey, SignInAccount
from api.access.ways import Password, Patience, Welcome
from api.prepared import Prepared


def by_passkey(held: Held, asked: Asked, credential: str, patience: Patience, *, at: datetime) -> Welcome:
    """Sign in by a passkey that names its owner (WebAuthn §7.2). Raises `oauth.AccessDenied`, `TooManyTries`."""
    credential_id, handle = _presented(credential)
    spent = patience.spend("passkey", attempts.hashed(credential_id.hex()))
    with db.transaction(attempts.holder(credential_id)) as session:
        passkey = session.scalar(sa.select(Passkey).where(Passkey.credential_id == credential_id))
    asserted = _asserted(held, credential, passkey)
    patient_id = passkey.patient_id if passkey else db.uuid7()
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)) as session:
        right = ways.is_active(patient_id, handle=handle) and asserted is not None
        if right and passkey and asserted and _used(passkey, asserted, at):
            welcome = Welcome(
                ways.code(
                    held, asked, patient_id, auth.Proved(ways.PHISHING_RESISTANT, ways.BY_PASSKEY, at), passkey.id
                )
            )
        else:
            welcome = None
            attempts.missed(held)
    if welcome is None:
        raise oauth.AccessDenied
    throttles.succeeded(spent)
    return welcome


def _used(passkey: Passkey, asserted: ceremonies.Asserted, at: datetime) -> bool:
    """Note the use of a passkey; False where it was removed since it was looked for."""
    used = (
        sa.update(Passkey)
        .where(Passkey.id == passkey.id)
        .values(sign_count=asserted.sign_count, backed_up=asserted.backed_up, last_used_at=at)
        .returning(Passkey.id)
    )
    return db.session().execute(used).first() is not None


def by_password(held: Held | None, asked: Asked, said: Password, patience: Patience, *, at: datetime) -> Welcome:
    """Sign in by name, password and one-time code: one hash, whatever is wrong. Raises `oauth.AccessDenied`,
    `throttles.TooManyTries`, `errors.Unavailable`."""
    hashing.refuse_crowd()
    index = sealing.index(said.name)
    spent = patience.spend("password", index)
    with db.transaction(attempts.holder(index)):
        account = _NAMED.one(name_index=index)
    right = _matches(account, said.password, spent)
    patient_id = account.patient_id if account else db.uuid7()
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)):
        theirs = _LOCKED.one(patient_id=patient_id)
        step = _fresh_step(theirs, said.code, at)
        welcome = None
        if right and step and theirs and theirs.status == "active" and _unchanged(account, theirs):
            _STEP.run(patient_id=patient_id, step=step)
            welcome = Welcome(ways.code(held, asked, patient_id, auth.Proved(ways.AAL2, ways.BY_PASSWORD, at), None))
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


def _unchanged(account: Any, locked: Any) -> bool:
    """Whether the password is still the one that was compared, and the name still leads to it."""
    return account is not None and (account.password_hash, account.name_index) == (
        locked.password_hash,
        locked.name_index,
    )


def _renew(account: Any, password: str) -> None:
    """Hash the password that was right anew, where its hash was made with earlier parameters; some time, if not now."""
    if account is None or account.password_hash is None or not hashing.outdated(account.password_hash):
        return
    with contextlib.suppress(errors.Unavailable):
        fresh = hashing.hashed(sealing.peppered(passwords.normalised(password)))
        theirs = (SignInAccount.patient_id == account.patient_id, SignInAccount.password_hash == account.password_hash)
        with ways.as_patient(account.patient_id) as session:
            session.execute(sa.update(SignInAccount).where(*theirs).values(password_hash=fresh))


def _matches(account: Any, password: str, spent: throttles.Spent) -> bool:
    stored = account.password_hash if account else None
    with throttles.looked_at(spent):
        return hashing.matches(sealing.peppered(passwords.normalised(password)), stored)


def _fresh_step(account: Any, code: str, at: datetime) -> int | None:
    """The time step of a right code that was not used before (RFC 6238 §5.2)."""
    secret = authenticators.totp_secret(account) if account else None
    step = totp.step_of(secret or nobody.TOTP_SECRET, code, at)
    used = account.totp_last_step if account else None
    return step if secret and step is not None and step > (used or 0) else None


def _asserted(held: Held, credential: str, passkey: Passkey | None) -> ceremonies.Asserted | None:
    """None for what cannot be believed; a passkey that is nobody's is judged by a key that is nobody's."""
    try:
        ways.refuse_stale(held)
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


# Signing in by password is statements enough beside its hash: they go past the session.
_NAMED = Prepared(
    "SELECT patient_id, name_index, password_hash FROM sign_in_accounts WHERE name_index = %(name_index)s"
)
_LOCKED = Prepared(
    """
    SELECT patient_id, name_index, password_hash, totp_secret, totp_last_step, patients.status
    FROM sign_in_accounts JOIN patients ON patients.id = patient_id
    WHERE patient_id = %(patient_id)s FOR UPDATE OF sign_in_accounts
    """
)
_STEP = Prepared("UPDATE sign_in_accounts SET totp_last_step = %(step)s WHERE patient_id = %(patient_id)s")
