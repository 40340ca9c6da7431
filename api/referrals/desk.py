"""What the clinic reads of referrals: all that was sent, where each stands, and what happened to it.

The soonest and oldest come first. A partner's name is the one that it has now; who wrote what stands in the events.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, pages
from api.access import partners
from api.referrals import snapshots, states, triage
from api.referrals.models import Referral, ReferralEvent, ReferralTriage
from api.staff import whose

Json = dict[str, Any]
_CALLED = {column: name for name, column in snapshots.COLUMNS.items()}
_SOONEST = sa.case((Referral.urgency == "soon", 0), else_=1)
_OF_REFERRAL = (
    *("id", "client_id", "origin", "own_identifier", "given_name", "family_name", "called", "contact_preference"),
    *("phone", "voicemail_allowed", "email", "best_time", "language", "urgency", "notes", "part2_notice"),
    *("withdrawn", "withdrawn_reason", "created_at", "changed_at"),
)
_OF_TRIAGE = (
    *("state", "sub_status", "reason", "reason_told", "claimed_by", "claimed_role", "claimed_at", "enrollment_id"),
    *("admitted_at", "document_verified_at", "document_verified_by", "document_verified_role", "late_withdrawal"),
    *("overdue_at", "version"),
)


def page(
    *,
    filters: Mapping[str, Any],
    asked: int,
    page_token: str | None,
    bound_to: Sequence[Any],
) -> tuple[list[Json], str | None]:
    """One page of the referrals that `filters` name: those still open, unless a state is asked for."""
    found = sa.select(Referral).join(ReferralTriage, ReferralTriage.referral_id == Referral.id)
    rows, more = pages.page(
        found.where(*_wanted(filters)),
        keys=[_SOONEST, Referral.created_at, Referral.id],
        asked=asked,
        page_token=page_token,
        bound_to=(*bound_to, *sorted(filters.items())),
    )
    return _shown(rows), more


def one(referral_id: UUID) -> Json:
    """One referral with its events, oldest first. Raises `errors.NotFound`."""
    referral = db.session().get(Referral, referral_id, populate_existing=True)
    if referral is None:
        raise errors.NotFound
    happened = sa.select(ReferralEvent).where(ReferralEvent.referral_id == referral_id)
    events = db.session().scalars(happened.order_by(ReferralEvent.number)).all()
    hidden = () if referral.contact_preference == "may_contact" else snapshots.ADDRESSES
    return _shown([referral])[0] | {"events": [_step(event, hidden) for event in events]}


def _step(event: ReferralEvent, hidden: Sequence[str]) -> Json:
    """A step, and what it replaced of what had been sent before; `hidden`: former ways of reaching somebody who is not
    to be contacted any more."""
    told = {column.key: getattr(event, column.key) for column in ReferralEvent.__table__.c}
    replaced = sorted((event.was or {}).items())
    was = {_CALLED.get(name, name): value for name, value in replaced if name not in hidden}
    return told | {"replaced": [{"member": name, "value": str(value)} for name, value in was.items()] or None}


def _wanted(filters: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    state, origin = filters.get("state"), filters.get("origin")
    wanted = [ReferralTriage.state == state if state else ReferralTriage.state.in_(states.OPEN)]
    if filters.get("withdrawn_late"):
        wanted = [ReferralTriage.late_withdrawal.is_not(None)]
    if origin:
        wanted.append(Referral.origin == origin)
    if filters.get("overdue"):
        wanted.append(ReferralTriage.overdue_at.is_not(None))
    return wanted


def _shown(referrals: Sequence[Referral]) -> list[Json]:
    ids = [one.id for one in referrals]
    stand = _by_id(sa.select(ReferralTriage).where(db.among(ReferralTriage.referral_id, ids)), "referral_id")
    known = whose.external_ids(row.patient_id for row in stand.values() if row.patient_id)
    names = {partner.id: partner for partner in partners.listed()} if any(one.client_id for one in referrals) else {}
    return [_one(referral, stand[referral.id], known, names) for referral in referrals]


def _one(
    referral: Referral, stands: ReferralTriage, known: Mapping[UUID, str], names: Mapping[UUID, partners.Partner]
) -> Json:
    partner = names.get(referral.client_id) if referral.client_id else None
    return {
        **{name: getattr(referral, name) for name in _OF_REFERRAL},
        **{name: getattr(stands, name) for name in _OF_TRIAGE},
        "partner_name": partner.name if partner else None,
        "partner_kind": partner.kind if partner else None,
        "born_on": referral.born_on,
        "program": referral.program_slug,
        "referral_reason": referral.reason,
        "partner_cancelled_at": referral.withdrawn_at,
        "resembles": referral.looks_like,
        "document_sha256": referral.document_sha256.hex() if referral.document_sha256 else None,
        "document_size": referral.document_size,
        "document_received_at": referral.document_received_at,
        "document_verified": stands.document_id is not None and stands.document_id == referral.document_id,
        "patient_external_id": known.get(stands.patient_id) if stands.patient_id else None,
        "patient_id": stands.patient_id,
        "decisions": triage.possible(stands.state),
    }


def _by_id(found: sa.Select[Any], key: str) -> dict[UUID, Any]:
    rows = db.session().scalars(found.execution_options(populate_existing=True))
    return {getattr(row, key): row for row in rows}
