"""The clinic's verbs on referrals: take one on, and decide where it goes.

Every step is an event with who took it and when. Of two people who decide at once on the same reading one wins: the
version is compared inside the UPDATE, and the other learns how the referral stands now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors
from api.referrals import states, telling
from api.referrals.models import ReferralEvent, ReferralTriage


class ReferralTaken(errors.Conflict):
    title = "Somebody else has this referral"
    detail = "Another person has already taken this referral on; say `take_over` where that is meant."
    title_es = "Otra persona tiene esta derivación"
    detail_es = "Otra persona ya tomó esta derivación; indique `take_over` si quiere relevarla."


class DecidedMeanwhile(errors.PreconditionFailed):
    """`state` and `sub_status` are what somebody else has made of it."""

    slug = "referral-decided-meanwhile"
    title = "Somebody decided on this referral first"
    detail = "This referral has changed since it was read; `state` says how it stands. Read it again and decide anew."
    title_es = "Alguien decidió antes sobre esta derivación"
    detail_es = "La derivación cambió desde que se leyó; `state` indica su estado. Léala de nuevo y decida otra vez."


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decides. `sub_status` says more where the decision leaves it open; the reason is for the clinic
    unless it was written to be told to the partner."""

    decision: str
    sub_status: str | None = None
    reason: str | None = None
    tell_partner: bool = False


@dataclass(frozen=True, slots=True)
class Leads:
    """Where a decision leads: `to` a state (None: it stays), with this sub-status; from some states it `stays`."""

    to: str | None
    sub_status: str | None = None
    stays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """A step as an event tells it."""

    state: str
    sub_status: str | None
    reason: str | None = None
    reason_told: bool = False


LEADS: Mapping[str, Leads] = {
    "accept": Leads("accepted"),
    "contact_attempted": Leads(None, "contact_attempted"),
    "unable_to_reach": Leads(None, "unable_to_reach"),
    "waitlist": Leads("on_hold", "waitlisted", stays=("accepted", "on_hold")),
    "schedule_assessment": Leads("in_progress", "assessment_scheduled", stays=("in_progress",)),
    "assessment_no_show": Leads(None, "assessment_no_show"),
    "proceed": Leads("in_progress"),
    "hold": Leads("on_hold"),
    "reject": Leads("rejected"),
    "fail": Leads("failed"),
    "cancel": Leads("cancelled"),
    "close": Leads("completed", "closed"),
}


def row(referral_id: UUID) -> ReferralTriage:
    """Where the referral stands now. Raises `errors.NotFound`."""
    found = db.session().get(ReferralTriage, referral_id, populate_existing=True)
    if found is None:
        raise errors.NotFound
    return found


def claim(*, referral_id: UUID, by: str, role: str, at: datetime, take_over: bool = False) -> None:
    """Take the referral on; again by the same person is once. Raises `ReferralTaken`, `states.StepNotAllowed`,
    `errors.NotFound`."""
    before = _locked(referral_id)
    states.refuse_change_within(before.state)
    if before.claimed_by == by:
        return
    if before.claimed_by is not None and not take_over:
        raise ReferralTaken
    write(before, "claimed", {"claimed_by": by, "claimed_role": role, "claimed_at": at}, by=by, role=role, at=at)


def release(*, referral_id: UUID, by: str, role: str, at: datetime) -> None:
    """Give back what one has taken on; where it is not one's own any more, nothing happens."""
    before = _locked(referral_id)
    if before.claimed_by == by:
        nobody = dict.fromkeys(("claimed_by", "claimed_role", "claimed_at"))
        write(before, "released", nobody, by=by, role=role, at=at)


def decide(*, referral_id: UUID, decision: Decision, expected: int | None, by: str, role: str, at: datetime) -> None:
    """Let a decision hold, made on the version `expected` (None: on whatever is so now).

    Raises `DecidedMeanwhile`, `states.StepNotAllowed`, `states.ReasonMissing`, `states.SubStatusDoesNotFit`,
    `errors.NotFound`.
    """
    before = row(referral_id)
    refuse_other_version(before, expected)
    move(before, [_move(before, decision)], by=by, role=role, at=at)


def note_withdrawal(*, referral_id: UUID, by: str, role: str, at: datetime) -> None:
    """Somebody has looked at a withdrawal that came when the person had been admitted, or the referral had ended. The
    withdrawal itself stays with what its sender sent."""
    before = _locked(referral_id)
    if before.late_withdrawal is not None:
        write(before, "withdrawal_noted", {"late_withdrawal": None}, by=by, role=role, at=at)


def possible(state: str) -> list[str]:
    """The decisions that may be taken on a referral in this state."""
    return [decision for decision, leads in LEADS.items() if _fits(state, leads)]


def refuse_other_version(before: ReferralTriage, expected: int | None) -> None:
    """Raises `DecidedMeanwhile` unless `before` is what was decided on."""
    if expected is not None and before.version != expected:
        raise _overtaken(before)


def move(
    before: ReferralTriage,
    moves: Sequence[Move],
    *,
    by: str,
    role: str,
    at: datetime,
    with_them: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write steps down, one after another, with what else comes of them. Raises `DecidedMeanwhile`."""
    last = moves[-1]
    _update(before, {**{name: getattr(last, name) for name in _OF_MOVES}, **with_them, "overdue_at": None}, at)
    for one in moves:
        _note(before, "moved", by=by, role=role, at=at, move=one)
    telling.tell(referral_id=before.referral_id, at=at)


def write(before: ReferralTriage, act: str, values: Mapping[str, Any], *, by: str, role: str, at: datetime) -> None:
    """Write down an act that leaves the state as it is. Raises `DecidedMeanwhile`."""
    _update(before, values, at)
    _note(before, act, by=by, role=role, at=at)
    telling.tell(referral_id=before.referral_id, at=at)


def _update(before: ReferralTriage, values: Mapping[str, Any], at: datetime) -> None:
    """The version that was read is compared inside the UPDATE."""
    changed = db.session().scalar(
        sa.update(ReferralTriage)
        .where(ReferralTriage.referral_id == before.referral_id, ReferralTriage.version == before.version)
        .values(**values, changed_at=at, version=before.version + 1)
        .returning(ReferralTriage.version)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        raise _overtaken(row(before.referral_id))


def _note(before: ReferralTriage, act: str, *, by: str, role: str, at: datetime, move: Move | None = None) -> None:
    """Add to what happened. A move is what a partner may come to know of, if a consent allows."""
    said = {name: getattr(move, name) for name in _OF_MOVES} if move else {}
    happened = ReferralEvent(
        referral_id=before.referral_id, at=at, act=act, actor_kind="clinic", actor=by, actor_role=role, **said
    )
    happened.told = move is not None
    db.session().add(happened)
    db.session().flush()


_OF_MOVES = ("state", "sub_status", "reason", "reason_told")


def _fits(state: str, leads: Leads) -> bool:
    to = _target(state, leads)
    reached = state in states.OPEN if _stays(state, leads) else to in states.next_states(state, actor=states.CLINIC)
    return reached and leads.sub_status in (None, *states.SUB_STATUSES[to])


def _stays(state: str, leads: Leads) -> bool:
    return leads.to is None or state in leads.stays


def _target(state: str, leads: Leads) -> str:
    return state if leads.to is None or state in leads.stays else leads.to


def _move(before: ReferralTriage, decided: Decision) -> Move:
    leads = LEADS[decided.decision]
    if not _fits(before.state, leads):
        raise states.StepNotAllowed(extra={"state": before.state})
    to = _target(before.state, leads)
    states.refuse_without_reason(to, decided.reason)
    states.refuse_unfit(to, decided.sub_status)
    return Move(to, leads.sub_status or decided.sub_status, decided.reason, decided.tell_partner)


def _locked(referral_id: UUID) -> ReferralTriage:
    found = db.session().get(ReferralTriage, referral_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise errors.NotFound
    return found


def _overtaken(now: ReferralTriage) -> DecidedMeanwhile:
    stands = {"state": now.state, "sub_status": now.sub_status, "version": now.version}
    return DecidedMeanwhile(extra={name: value for name, value in stands.items() if value is not None})
