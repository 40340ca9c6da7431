"""Who did what, to whose record, on whose behalf (45 CFR 164.312(b); 42 CFR 2.16).

Rows are only ever added: no role may change or delete them. They are written in the transaction of the act,
or, for a refusal, after its rollback. A periodic job seals them in batches into a hash chain, so no request
waits for the chain. A patient's own reads go to the log, not here. No values, names or free text: ids, the
route's template and the outcome.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from api import db
from api.prepared import Prepared

ACTIONS = {"GET": "read", "HEAD": "read", "POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
SEAL_BATCH = 1000
SEAL_LOCK = 0x5EA1
GENESIS = bytes(32)
# A row appears after its `recorded_at`, when its transaction began, but no later than this: sealing looks back so far.
LONGEST_TRANSACTION = timedelta(hours=1)


class AuditEvent(db.Base):
    """One act. `operation` is the contract's operationId, or a job's or command's name; `patient_id` whose record.
    With `times` it stands for as many refusals of a minute that were only counted."""

    __tablename__ = "audit_events"
    __table_args__ = (
        sa.Index("ix_audit_events_recorded_at_id", "recorded_at", "id"),
        sa.Index("ix_audit_events_patient_id_recorded_at", "patient_id", "recorded_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    caller_kind: Mapped[str]
    client_id: Mapped[UUID | None]
    app_session_id: Mapped[UUID | None]
    acting_user: Mapped[str | None]
    acting_role: Mapped[str | None]
    patient_id: Mapped[UUID | None]
    action: Mapped[str]
    operation: Mapped[str]
    resource_id: Mapped[UUID | None]
    outcome: Mapped[str]
    problem: Mapped[str | None]
    request_id: Mapped[str | None]
    times: Mapped[int | None]


class RefusalCount(db.Base):
    """How often one caller (the nil id: strangers) was refused something in a minute (see `refusals`)."""

    __tablename__ = "refusal_counts"

    minute_at: Mapped[datetime] = mapped_column(primary_key=True)
    principal: Mapped[UUID] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    problem: Mapped[str] = mapped_column(primary_key=True)
    caller_kind: Mapped[str]
    action: Mapped[str]
    times: Mapped[int]


class AuditSeal(db.Base):
    """A link of the chain: `hash` = SHA-256(previous hash, canonical JSON of the event)."""

    __tablename__ = "audit_seals"

    position: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    hash: Mapped[bytes]


def record(
    caller: db.Caller,
    *,
    operation: str,
    action: str,
    patient_id: UUID | None = None,
    resource_id: UUID | None = None,
    problem: str | None = None,
    request_id: str | None = None,
    times: int | None = None,
) -> None:
    """Add one row at the end of the running transaction; `problem` is the slug of the refusal, if it was one."""
    _INSERT.leave(
        id=db.uuid7(),
        caller_kind=caller.kind,
        client_id=caller.client_id,
        app_session_id=caller.app_session_id,
        acting_user=caller.acting_user,
        acting_role=caller.acting_role,
        patient_id=patient_id or caller.patient_id,
        action=action,
        operation=operation,
        resource_id=resource_id,
        outcome="refused" if problem else "done",
        problem=problem,
        request_id=request_id,
        times=times,
    )


_GIVEN = [column for column in AuditEvent.__table__.columns if column.server_default is None]
_INSERT = Prepared(
    sa.insert(AuditEvent.__table__)  # type: ignore[arg-type]
    .inline()
    .values({column.name: sa.bindparam(column.name, type_=column.type) for column in _GIVEN})
)


_LAST = (
    sa.select(AuditSeal.position, AuditSeal.hash, AuditEvent.recorded_at)
    .join(AuditEvent, AuditEvent.id == AuditSeal.event_id)
    .order_by(AuditSeal.position.desc())
    .limit(1)
)


def seal(*, batch: int = SEAL_BATCH) -> int:
    """Chain up to `batch` unsealed rows, oldest first; returns how many. One sealer at a time; others return 0."""
    session = db.session()
    if not session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(SEAL_LOCK))):
        return 0
    last = session.execute(_LAST).first()
    position, digest, since = last if last else (0, GENESIS, None)
    unsealed = sa.select(AuditEvent).where(~sa.exists().where(AuditSeal.event_id == AuditEvent.id))
    if since is not None:
        unsealed = unsealed.where(AuditEvent.recorded_at > since - LONGEST_TRANSACTION)
    events = session.scalars(unsealed.order_by(AuditEvent.recorded_at, AuditEvent.id).limit(batch)).all()
    links = []
    for number, event in enumerate(events, position + 1):
        digest = link(digest, event)
        links.append({"position": number, "event_id": event.id, "hash": digest})
    if links:
        session.execute(sa.insert(AuditSeal), links)
    return len(links)


def link(previous: bytes, event: AuditEvent) -> bytes:
    """The hash that follows `previous` for `event`.

    A column that came later is left out where it is empty: what was sealed before it came has the same hash still.
    """
    columns: dict[str, Any] = {column.name: getattr(event, column.name) for column in AuditEvent.__table__.columns}
    if event.times is None:
        del columns["times"]
    canonical = orjson.dumps(columns, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(previous + canonical).digest()


@dataclass(frozen=True, slots=True)
class Chain:
    """What was found of the chain: how many `links` hold, the `newest` of their hashes, the first position that is
    `broken`, and whether the one that was `expected` is missing from its end."""

    links: int
    newest: bytes
    broken: int | None = None
    cut: bool = False


def verified(*, position: int = 0, expected: bytes = GENESIS) -> Chain:
    """The whole chain computed anew. `expected` is the hash that an earlier run found at `position`: without it,
    nobody could tell a chain that was cut, or made anew from its beginning."""
    links, digest = 0, GENESIS
    with db.session().execute(_CHAIN) as rows:
        for number, (seal_row, event) in enumerate(rows, 1):
            here = link(digest, event) if event else GENESIS
            right = event is not None and (seal_row.position, seal_row.hash) == (number, here)
            if not right or (number == position and here != expected):
                return Chain(links, digest, broken=number)
            links, digest = number, here
    return Chain(links, digest, cut=links < position)


def broken_at() -> int | None:
    """The first position of the chain that does not verify, or None when all of it does."""
    return verified().broken


def verify_report(expect: str | None = None) -> tuple[bool, str]:
    """Whether the chain holds, and that in one sentence. `expect` is `POSITION:HASH` as an earlier report said it."""
    try:
        known = _known(expect) if expect else {}
    except ValueError:
        return False, "What is expected must be POSITION:HASH, the hash in 64 hexadecimal digits."
    chain = verified(**known)
    if chain.broken:
        return False, f"The audit's chain is broken at position {chain.broken}."
    if chain.cut:
        return False, f"The audit's chain ends at position {chain.links}: what was sealed after it is gone."
    return True, f"The audit's chain holds: {chain.links} links, the newest {chain.links}:{chain.newest.hex()}"


def _known(expect: str) -> dict[str, Any]:
    position, _, digest = expect.partition(":")
    found = {"position": int(position), "expected": bytes.fromhex(digest)}
    if len(bytes.fromhex(digest)) != len(GENESIS) or int(position) < 0:
        raise ValueError
    return found


_CHAIN = (
    sa.select(AuditSeal, AuditEvent)
    .outerjoin(AuditEvent, AuditEvent.id == AuditSeal.event_id)
    .order_by(AuditSeal.position)
    .execution_options(yield_per=SEAL_BATCH)
)
