"""What a patient signs in with: passkeys, and beside them a sign-in name with password and one-time codes.

Everything here runs as the patient. Whether somebody else has a passkey or a name is never told: a passkey of another
is refused like a broken one, and names end in digits that are drawn, so that none is ever taken.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db, errors
from api.access import app_sessions, ceremonies, notices, sealing
from api.access.models import Passkey, SignInAccount

USER_HANDLE_BYTES = 64
NAME = re.compile(r"[a-z0-9._-]{3,40}")
LONGEST_WISH, LONGEST_BASE = 200, 40
DIGITS = 4
MOST_DRAWS = 10
MOST_PASSKEYS = 50
TOTP_PLACE = "sign_in_accounts.totp_secret"


class LastAuthenticator(errors.Conflict):
    title = "This is your only way to sign in"
    detail = "This is your only way to sign in. Add another one first, then remove this one."
    title_es = "Es su única forma de acceder"
    detail_es = "Es su única forma de acceder. Agregue otra primero y después quite esta."


class TooManyPasskeys(errors.Conflict):
    title = "There are many passkeys already"
    detail = "There are many passkeys already. Remove one that is no longer used, then add this one."
    title_es = "Ya hay muchas llaves de acceso"
    detail_es = "Ya hay muchas llaves de acceso. Quite una que ya no use y después agregue esta."


class SignInNameRefused(errors.Unprocessable):
    title = "Please choose another sign-in name"
    detail = "Please choose a sign-in name of at least three letters or digits."
    title_es = "Elija otro nombre de acceso"
    detail_es = "Elija un nombre de acceso de al menos tres letras o números."


def account(patient_id: UUID) -> SignInAccount:
    """The patient's account, made when it is first asked for; two at once find the same one."""
    handle = secrets.token_bytes(USER_HANDLE_BYTES)
    made = insert(SignInAccount).values(patient_id=patient_id, user_handle=handle)
    db.session().execute(made.on_conflict_do_nothing(index_elements=[SignInAccount.patient_id]))
    return _account(patient_id)


def passkeys(patient_id: UUID) -> list[Passkey]:
    """The patient's passkeys, oldest first."""
    theirs = sa.select(Passkey).where(Passkey.patient_id == patient_id).order_by(Passkey.created_at, Passkey.id)
    return list(db.session().scalars(theirs))


def exclude(patient_id: UUID) -> list[bytes]:
    """The credential ids that a phone of the patient's need not make again."""
    return [one.credential_id for one in passkeys(patient_id)]


def add_passkey(*, patient_id: UUID, created: ceremonies.Created, name: str | None, at: datetime) -> Passkey:
    """Keep a new passkey, and tell the patient of it; the same one again changes nothing.

    Raises `ceremonies.PasskeyRefused` for one that is registered to anybody else (WebAuthn §7.1 step 26), and
    `TooManyPasskeys`.
    """
    values = {column: getattr(created, column) for column in ceremonies.Created.__dataclass_fields__}
    values |= {"transports": list(created.transports), "patient_id": patient_id, "name": name, "created_at": at}
    made: Passkey | None = db.session().scalar(
        insert(Passkey)
        .values(id=db.uuid7(), **values)
        .on_conflict_do_nothing(index_elements=[Passkey.credential_id])
        .returning(Passkey)
    )
    if made is None:
        return _same(patient_id, created)
    if len(passkeys(patient_id)) > MOST_PASSKEYS:
        raise TooManyPasskeys
    notices.tell(patient_id, notices.ADDED)
    return made


def remove_passkey(*, patient_id: UUID, passkey_id: UUID, keep: UUID | None) -> None:
    """Remove a passkey and end what it opened, but the app session `keep`; the patient is told.

    Raises `errors.NotFound`, `LastAuthenticator`.
    """
    held = _locked(patient_id)
    theirs = passkeys(patient_id)
    if passkey_id not in {one.id for one in theirs}:
        raise errors.NotFound
    if len(theirs) == 1 and not has_password(held):
        raise LastAuthenticator
    _remove(patient_id, [passkey_id])
    app_sessions.end_of_passkeys(
        patient_id=patient_id, passkey_ids=[passkey_id], reason="authenticator_removed", keep=keep
    )
    notices.tell(patient_id, notices.REMOVED)


def has_password(held: SignInAccount) -> bool:
    """Whether name, password and one-time codes are all set: none of them lets anybody in alone."""
    return None not in (held.name_index, held.password_hash, held.totp_secret)


def chosen_name(wish: str) -> str:
    """A sign-in name made of what the patient wishes, and four digits. Raises `SignInNameRefused`."""
    return _with_digits(base_name(wish))


def base_name(wish: str) -> str:
    """The wish as letters, digits and `._-`, without accents. Raises `SignInNameRefused` where too few are left."""
    plain = unicodedata.normalize("NFKD", wish[:LONGEST_WISH]).casefold()
    joined = ".".join(re.sub(r"[^a-z0-9._\s-]", "", plain).split())
    base = joined.strip("._-")[:LONGEST_BASE].rstrip("._-")
    if not NAME.fullmatch(base):
        raise SignInNameRefused
    return base


def set_password(
    *,
    patient_id: UUID,
    name: str | None,
    password_hash: str | None,
    totp_secret: bytes | None,
    at: datetime,
    totp_step: int | None = None,
) -> str | None:
    """Set what is given, leave the rest, and tell the patient; gives `name` as it is kept.

    `password_hash` is of the peppered password; `totp_secret` is sealed for `TOTP_PLACE`, and `totp_step` the step
    whose code confirmed it. The name's digits are drawn again where they are somebody's already.
    """
    account(patient_id)
    values: dict[str, Any] = {}
    if name:
        name = _free(patient_id, name)
        values |= {"name_index": sealing.index(name)}
    if password_hash:
        values |= {"password_hash": password_hash, "password_set_at": at}
    if totp_secret:
        # A step that was used stays used, whichever secret it was of.
        values |= {
            "totp_secret": totp_secret,
            "totp_last_step": sa.func.greatest(SignInAccount.totp_last_step, totp_step),
        }
    _set(patient_id, values)
    notices.tell(patient_id, notices.ADDED)
    return name


def sealed_totp(patient_id: UUID, secret: str) -> bytes:
    return sealing.seal(secret.encode(), place=TOTP_PLACE, row=patient_id)


def totp_secret(held: SignInAccount) -> str | None:
    """The account's TOTP secret in base32; None where none is set."""
    if held.totp_secret is None:
        return None
    return sealing.unseal(held.totp_secret, place=TOTP_PLACE, row=held.patient_id).decode()


def end_all(*, patient_id: UUID, except_passkey: UUID | None = None) -> int:
    """Take every way in but one passkey, as after a lost phone; gives how many, a password counting as one.

    The patient is told. App sessions stay as they are: `app_sessions.sign_out` ends them.
    """
    held = _locked(patient_id)
    ended = _remove(patient_id, [one.id for one in passkeys(patient_id) if one.id != except_passkey])
    if held.name_index or held.password_hash or held.totp_secret:
        cleared = ("name_index", "password_hash", "password_set_at", "totp_secret", "totp_last_step")
        _set(patient_id, dict.fromkeys(cleared))
        ended += 1
    if ended:
        notices.tell(patient_id, notices.REMOVED)
    return ended


def _account(patient_id: UUID) -> SignInAccount:
    found = sa.select(SignInAccount).where(SignInAccount.patient_id == patient_id)
    return db.session().scalars(found.execution_options(populate_existing=True)).one()


def _locked(patient_id: UUID) -> SignInAccount:
    """The account, locked: two who remove at once must not both find another way in."""
    account(patient_id)
    locked = sa.select(SignInAccount).where(SignInAccount.patient_id == patient_id).with_for_update()
    return db.session().scalars(locked.execution_options(populate_existing=True)).one()


def _same(patient_id: UUID, created: ceremonies.Created) -> Passkey:
    found = db.session().scalar(
        sa.select(Passkey).where(
            Passkey.patient_id == patient_id,
            Passkey.credential_id == created.credential_id,
            Passkey.public_key == created.public_key,
        )
    )
    if found is None:
        raise ceremonies.PasskeyRefused
    return found


def _remove(patient_id: UUID, passkey_ids: Iterable[UUID]) -> int:
    removed = (
        sa.delete(Passkey)
        .where(Passkey.patient_id == patient_id, Passkey.id.in_(list(passkey_ids)))
        .returning(Passkey.id)
        .execution_options(synchronize_session=False)
    )
    return len(db.session().execute(removed).all())


def _set(patient_id: UUID, values: dict[str, Any]) -> None:
    changed = sa.update(SignInAccount).where(SignInAccount.patient_id == patient_id).values(values)
    db.session().execute(changed.execution_options(synchronize_session=False))


def _free(patient_id: UUID, name: str) -> str:
    """`name`, or the same with other digits where it is somebody's, which only a holder of its index can see."""
    for _ in range(MOST_DRAWS):
        if not _taken(name):
            break
        name = _with_digits(name[: -DIGITS - 1])
    else:
        raise SignInNameRefused
    db.become(db.Caller(kind="patient", patient_id=patient_id))
    return name


def _taken(name: str) -> bool:
    index = sealing.index(name)
    db.become(db.Caller(kind="holder", presented=index))
    # Of two who drew the same digits at once, the second sees the first's.
    db.session().execute(sa.select(sa.func.pg_advisory_xact_lock(int.from_bytes(index[:8], "big", signed=True))))
    return bool(db.session().scalar(sa.select(sa.exists().where(SignInAccount.name_index == index))))


def _with_digits(base: str) -> str:
    return f"{base}-{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
