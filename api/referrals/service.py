"""A sender's verbs: refer somebody, amend, cancel, and take back what was sent in error.

Whether a step is allowed is decided on what the sender sees (`visible`): so it is answered alike whatever the clinic
has done meanwhile, unless a consent lets the sender know. A cancellation that comes too late undoes nothing; the
clinic is told of it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, pages
from api.privacy import disclosure_words
from api.referrals import duplicates, keeping, sending, snapshots, states, visible
from api.referrals.models import Referral
from api.referrals.visible import Visible
from api.webhooks import service as webhooks

RECEIVED = "referral.received"
PEOPLE = ("given_name", "family_name", "own_identifier", "born_on")


@dataclass(frozen=True, slots=True)
class Expected:
    """What If-Match named (None: any version), and the marks of what may stand beside a referral, by language: the tag
    that a sender holds may be of any of them."""

    tag: int | None
    marks: tuple[str, ...]

    def fits(self, seen: Visible) -> bool:
        return self.tag is None or self.tag in {seen.tag(mark) for mark in self.marks}


def refer(*, client_id: UUID, asked: Mapping[str, Any], at: datetime) -> Visible:
    """Send somebody here. Nothing about the person is looked up but in this sender's own referrals.

    Raises what `snapshots.refuse_unfit` does.
    """
    kept = snapshots.columns(asked)
    snapshots.refuse_unfit(kept)
    sent = sending.send(kept, client_id=client_id, at=at)
    webhooks.announce(client_id=client_id, type=RECEIVED, subject_id=sent.id, version=sent.own_version, occurred_at=at)
    return Visible(sent, release=None)


def get(*, client_id: UUID, referral_id: UUID, locked: bool = False, at: datetime) -> Visible:
    """Raises `errors.NotFound`, after the same question to the gate whether there is none or its time is over."""
    own = visible.find(referral_id, client_id=client_id, locked=locked)
    found = visible.of_each([own] if own else [], client_id=client_id, at=at)
    for seen in found:
        if seen.release is not None or seen.referral.changed_at > keeping.over_since(at):
            return seen
    raise errors.NotFound


def page(
    *, client_id: UUID, own_identifier: str | None, page_size: int, page_token: str | None, at: datetime
) -> tuple[list[Visible], str | None]:
    """The sender's referrals in the order in which they were sent, which no change alters. One whose time is over is
    read by its id, if a consent releases it: its place between two others here would tell that it is there."""
    own = sa.select(Referral).where(Referral.client_id == client_id, Referral.changed_at > keeping.over_since(at))
    if own_identifier is not None:
        own = own.where(Referral.own_identifier == own_identifier)
    rows, more = pages.page(
        own,
        keys=(Referral.created_at, Referral.id),
        asked=page_size,
        page_token=page_token,
        bound_to=("referrals", client_id, own_identifier),
    )
    return visible.of_each(rows, client_id=client_id, at=at), more


def amend(
    *, client_id: UUID, referral_id: UUID, changes: Mapping[str, Any], expected: Expected, at: datetime
) -> Visible:
    """Change what was sent, while it stands at `received`. Raises `errors.NotFound`, `errors.PreconditionFailed`,
    `states.StepNotAllowed` and what `snapshots.refuse_unfit` does."""
    seen = _expected(client_id, referral_id, expected, at)
    refuse_unless(seen, seen.standing == "received")
    after = snapshots.amended(seen.referral, snapshots.columns(changes))
    with refusing(seen):
        snapshots.refuse_unfit(after)
    return _write(seen, {**after, **_compared(seen.referral, after, at)}, at)


def cancel(*, client_id: UUID, referral_id: UUID, reason: str, expected: Expected, at: datetime) -> Visible:
    """The sender does not ask any more; again is once. Raises `errors.NotFound`, `errors.PreconditionFailed`,
    `states.StepNotAllowed`."""
    return _take_back(client_id, referral_id, "cancelled", reason, expected, at)


def withdraw(*, client_id: UUID, referral_id: UUID, reason: str | None, expected: Expected, at: datetime) -> Visible:
    """It should never have been sent; again is once. Raises as `cancel`."""
    return _take_back(client_id, referral_id, "entered_in_error", reason, expected, at)


def _take_back(
    client_id: UUID, referral_id: UUID, to: str, reason: str | None, expected: Expected, at: datetime
) -> Visible:
    seen = get(client_id=client_id, referral_id=referral_id, locked=True, at=at)
    if (seen.referral.withdrawn, seen.referral.withdrawn_reason) == (to, reason):
        return seen
    _refuse_unexpected(seen, expected)
    refuse_unless(seen, to in states.next_states(seen.standing, actor=states.REQUESTER))
    return _write(seen, {"withdrawn": to, "withdrawn_reason": reason, "withdrawn_at": at}, at)


def change(seen: Visible, values: Mapping[str, Any], *, at: datetime) -> Visible:
    """Write a further act of the sender's. Raises `errors.PreconditionFailed` where another came first."""
    return _write(seen, values, at)


def _expected(client_id: UUID, referral_id: UUID, expected: Expected, at: datetime) -> Visible:
    seen = get(client_id=client_id, referral_id=referral_id, locked=True, at=at)
    _refuse_unexpected(seen, expected)
    return seen


def _refuse_unexpected(seen: Visible, expected: Expected) -> None:
    with refusing(seen):
        if not expected.fits(seen):
            raise errors.PreconditionFailed


def refuse_unless(seen: Visible, allowed: bool) -> None:
    """Raises `states.StepNotAllowed`, naming where the sender sees it stand."""
    with refusing(seen):
        if not allowed:
            raise states.StepNotAllowed(extra={"state": seen.standing, **_going_along(seen)})


@contextmanager
def refusing(seen: Visible) -> Iterator[None]:
    """What is refused in the block tells at least that nothing came before it: where that rests on what the gate
    released, the ledger must keep that it was told."""
    try:
        yield
    except errors.Refusal as refusal:
        refusal.keeps = seen.release is not None
        raise


def _going_along(seen: Visible) -> dict[str, str]:
    """The notice, and the scope of the consent, that a state which was released is never told without (42 CFR 2.32)."""
    if seen.release is None or seen.outcome is None:
        return {}
    scope = disclosure_words.scope(seen.release.under[visible.OUTCOME], [visible.OUTCOME], "en")
    return {"notice": seen.release.notice.short, "scope": scope}


def _compared(referral: Referral, after: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What it is compared by, and what it resembles now; asked only where somebody else may be meant than before."""
    key = snapshots.name_key(after["given_name"], after["family_name"])
    if all(getattr(referral, name) == after[name] for name in PEOPLE):
        return {}
    other = Referral(id=referral.id, client_id=referral.client_id, name_key=key)
    other.own_identifier, other.born_on = after["own_identifier"], after["born_on"]
    return {"name_key": key, "looks_like": list(duplicates.of(other, at=at))}


def _write(seen: Visible, values: Mapping[str, Any], at: datetime) -> Visible:
    """The version that was seen is compared inside the UPDATE."""
    before = seen.referral
    written = db.session().scalar(
        sa.update(Referral)
        .where(Referral.id == before.id, Referral.client_id == before.client_id)
        .where(Referral.own_version == before.own_version)
        .values(**values, own_version=before.own_version + 1, changed_at=at)
        .returning(Referral)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if written is None:
        raise errors.PreconditionFailed
    return visible.after(seen, written, at=at)
