"""POST once: the same key and body again give the first answer again (draft-ietf-httpapi-idempotency-key-header-07).

An advisory lock for the transaction's length keeps a second request with the key from waiting: it gets 409. The
record commits with the work. Only successes are kept, as a status and a resource's id, and a replay is rendered
anew under today's rights, so a stored answer cannot leak. Records live `DAYS`.
"""

import hashlib
import re
from datetime import datetime
from typing import Protocol
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from api import db, errors
from api.prepared import Prepared

DAYS = 30
# An RFC 9651 String, or the bare token that most client libraries send.
KEY = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"|([!#$%&\'*+.^_`|~0-9A-Za-z:/-]{1,255})')


class IdempotencyKeyMissing(errors.BadRequest):
    slug = "idempotency-key-missing"
    title = "Idempotency-Key is missing"
    detail = "Send a header Idempotency-Key that is new for each thing you mean to do."
    title_es = "Falta Idempotency-Key"
    detail_es = "Envíe una cabecera Idempotency-Key nueva para cada cosa que quiera hacer."


class IdempotencyKeyReused(errors.Unprocessable):
    slug = "idempotency-key-reused"
    title = "Idempotency-Key was used for something else"
    detail = "This Idempotency-Key came with another request before."
    title_es = "Idempotency-Key ya se usó para otra cosa"
    detail_es = "Esta Idempotency-Key ya llegó antes con otra solicitud."


class IdempotencyInProgress(errors.Conflict):
    slug = "idempotency-in-progress"
    title = "The same request is being worked on"
    detail = "The first request with this Idempotency-Key has not finished. Try again shortly."
    title_es = "La misma solicitud está en curso"
    detail_es = "La primera solicitud con esta Idempotency-Key no ha terminado. Inténtelo de nuevo en breve."
    retry = "later"


REFUSALS = (IdempotencyKeyMissing, IdempotencyKeyReused, IdempotencyInProgress)


class IdempotencyRecord(db.Base):
    """A POST that succeeded: `principal` is the patient's or the client's id; for a stranger it is made of the key."""

    __tablename__ = "idempotency_records"
    __table_args__ = (sa.Index("ix_idempotency_records_created_at", "created_at"),)

    principal: Mapped[UUID] = mapped_column(primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    resource_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class Done(Protocol):
    """What is remembered of a request that succeeded."""

    fingerprint: bytes
    resource_id: UUID | None


# The record is looked for as of before the lock is taken: what is committed in between, `keep` runs into.
_CLAIM = Prepared("""
    SELECT pg_try_advisory_xact_lock(%(lock)s::bigint) AS locked, fingerprint, resource_id
    FROM (VALUES (0)) AS one LEFT JOIN idempotency_records
        ON principal = %(principal)s::uuid AND key_hash = %(key_hash)s::bytea
""")
_KEEP = Prepared("""
    INSERT INTO idempotency_records (principal, key_hash, fingerprint, resource_id)
    VALUES (%(principal)s::uuid, %(key_hash)s::bytea, %(fingerprint)s::bytea, %(resource_id)s::uuid)
""")


def parse(header: str | None) -> str:
    """The key in an `Idempotency-Key` header. Raises `IdempotencyKeyMissing`, `errors.BadRequest`."""
    if header is None:
        raise IdempotencyKeyMissing
    if (match := KEY.fullmatch(header.strip())) is None:
        raise errors.BadRequest("Idempotency-Key must be a string of 1 to 255 printable characters.")
    return match[1] or match[2]


def hashed(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def is_preview(body: bytes) -> bool:
    """Whether a body asks for a preview, which changes nothing however often it comes and so needs no key."""
    try:
        value = orjson.loads(body)
    except ValueError:
        return False
    return isinstance(value, dict) and value.get("dry_run") is True


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """What a key stands for: where it was sent and with which bytes."""
    return hashlib.sha256(b"\x00".join((method.encode(), path.encode(), body))).digest()


def claim(*, principal: UUID, key: str, fingerprint: bytes) -> Done | None:
    """Take `key` for this transaction; the record of the request that was already done with it, if one was.

    Raises `IdempotencyInProgress` when another transaction holds it, `IdempotencyKeyReused` for another request.
    """
    key_hash = hashed(key)
    lock = int.from_bytes(hashlib.sha256(principal.bytes + key_hash).digest()[:8], "big", signed=True)
    found = _CLAIM.one(lock=lock, principal=principal, key_hash=key_hash)
    if not found.locked:
        raise IdempotencyInProgress
    if found.fingerprint is None:
        return None
    if found.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    done: Done = found
    return done


def keep(*, principal: UUID, key: str, fingerprint: bytes, resource_id: UUID | None) -> None:
    """Remember that the work was done; it commits with the work.

    The commit raises `IdempotencyInProgress` when another request with the key committed just before this one claimed
    it.
    """
    known = {"principal": principal, "key_hash": hashed(key), "fingerprint": fingerprint, "resource_id": resource_id}
    _KEEP.leave(taken=IdempotencyInProgress, **known)


def forget_old() -> None:
    """Drop records older than `DAYS`, by the database's clock; run by the worker."""
    age = sa.func.now() - sa.func.make_interval(0, 0, 0, DAYS)
    db.session().execute(sa.delete(IdempotencyRecord).where(IdempotencyRecord.created_at < age))
