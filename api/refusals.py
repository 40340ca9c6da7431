"""Refusals in the audit, without end for nobody: the first few of a minute as rows, all further ones as a number.

What is counted is (minute by the database's clock, who was refused, operation, problem); strangers are one. A process
that has learnt of a flood in this minute only gathers in memory, and writes once a second for each; killed in between,
it loses what one second gathered. `tell` then says of each minute how many there were beyond the few.
"""

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import audit, db, hotlines
from api.floods import SECONDS_GATHERED, Floods
from api.observe import log
from api.prepared import Prepared

FEW = 10
BATCH = 1000
STRANGERS = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal, as `count_refusal` (migration 0012) takes it, in its order."""

    who: UUID
    kind: str
    its_client: UUID | None
    its_session: UUID | None
    its_user: str | None
    its_role: str | None
    whose: UUID | None
    act: str
    asked: str
    about: UUID | None
    slug: str
    request: str | None

    @property
    def key(self) -> tuple[UUID, str, str]:
        return self.who, self.asked, self.slug


def note(*, caller: db.Caller | None, operation: str, problem: str, request_id: str | None, **more: Any) -> None:
    """Audit a refusal of `caller` (None: a stranger) by an autocommitted statement on a line of its own, so that no
    rollback takes it back. Never raises: what cannot be written now is gathered. `more` is that of `of`."""
    refusal = of(caller, operation=operation, problem=problem, request_id=request_id, **more)
    if floods.took(refusal):
        return
    try:
        floods.learn(refusal, *_on_a_line(refusal, 1))
    except Exception as trouble:
        log.error("refusal not audited yet", error=type(trouble).__name__)
        floods.learn(refusal, FEW, SECONDS_GATHERED)
        floods.took(refusal)


def note_here(*, caller: db.Caller | None, operation: str, problem: str, request_id: str | None, **more: Any) -> None:
    """Audit a refusal in the running transaction, whichever role it has entered: for what runs after a rollback, when
    a second connection beside the one that is held would deadlock a full pool."""
    refusal = of(caller, operation=operation, problem=problem, request_id=request_id, **more)
    if not floods.took(refusal):
        found = _HERE.one(**_parameters(refusal, 1))
        floods.learn(refusal, found.counted, found.seconds_left)


def of(
    caller: db.Caller | None,
    *,
    operation: str,
    problem: str,
    request_id: str | None,
    action: str = "create",
    patient_id: UUID | None = None,
    resource_id: UUID | None = None,
) -> Refusal:
    """The refusal of `caller`; `patient_id` is whose record it was about, and `action` one of `audit.ACTIONS`."""
    who = caller or db.PUBLIC
    return Refusal(
        who=who.patient_id or who.client_id or STRANGERS,
        kind=who.kind,
        its_client=who.client_id,
        its_session=who.app_session_id,
        its_user=who.acting_user,
        its_role=who.acting_role,
        whose=patient_id or who.patient_id,
        act=action,
        asked=operation,
        about=resource_id,
        slug=problem,
        request=request_id,
    )


def tell() -> bool:
    """Of each minute that is over, say in one row how often there was a refusal beyond the few; whether more is due."""
    with db.transaction(db.WORKER) as session:
        over = session.execute(_TAKE, {"most": BATCH}).all()
        for one in over:
            if one.times > FEW:
                _tell_of(one)
    return len(over) == BATCH


def _tell_of(one: Any) -> None:
    ids = {} if one.principal == STRANGERS else {_ID_OF.get(one.caller_kind, "client_id"): one.principal}
    caller = db.Caller(kind=one.caller_kind, **ids)
    audit.record(caller, operation=one.operation, action=one.action, problem=one.problem, times=one.times - FEW)


_ID_OF = {"patient": "patient_id"}
# Whoever began in the minute has had ten seconds to say so.
_TAKE = sa.text("""
    DELETE FROM refusal_counts WHERE (minute_at, principal, operation, problem) IN (
        SELECT minute_at, principal, operation, problem FROM refusal_counts
        WHERE minute_at < date_trunc('minute', now() - interval '10 seconds') ORDER BY minute_at LIMIT :most
    ) RETURNING principal, operation, problem, caller_kind, action, times
""")


_TYPES: dict[str, Any] = {"who": sa.Uuid(), "its_client": sa.Uuid(), "its_session": sa.Uuid(), "whose": sa.Uuid()}
_TYPES |= {"about": sa.Uuid(), "ids": sa.ARRAY(sa.Uuid()), "few": sa.Integer(), "further": sa.Integer()}
_NAMES = ("ids", "few", "further", *(one.name for one in fields(Refusal)))


def _statement() -> sa.Select[Any]:
    kinds = {name: _TYPES.get(name, sa.Text()) for name in _NAMES}
    given = [sa.cast(sa.bindparam(name, type_=kind), kind) for name, kind in kinds.items()]
    columns = (sa.column("counted", sa.Integer), sa.column("seconds_left", sa.Float))
    return sa.select(sa.func.count_refusal(*given).table_valued(*columns, name="found"))


_LINE, _HERE = hotlines.Prepared(_statement()), Prepared(_statement())


def _parameters(refusal: Refusal, times: int) -> dict[str, Any]:
    ids = [db.uuid7() for _ in range(min(times, FEW))]
    return {"ids": ids, "few": FEW, "further": times} | {name: getattr(refusal, name) for name in _NAMES[3:]}


def _on_a_line(refusal: Refusal, times: int) -> tuple[int, float]:
    counted, seconds_left = hotlines.current().ask(_LINE, _parameters(refusal, times))
    return int(counted or 0), float(seconds_left or 0)


floods = Floods(few=FEW, write=_on_a_line)
