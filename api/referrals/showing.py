"""A referral as `ReferralAnswer` has it, made of what its sender sees."""

from typing import Any

from api.privacy import gate
from api.programs import presentation
from api.referrals import snapshots
from api.referrals.models import Referral
from api.referrals.visible import Visible

Json = dict[str, Any]
CARE = {"presence": "in_treatment", "level_of_care": "level_of_care", "attendance": "sessions", "progress": "weeks"}
OWN = ("id", "withdrawn", "withdrawn_reason", "withdrawn_at", "created_at")


def referral(seen: Visible, about: Json | None = None) -> Json:
    """What is None is left out when it is dumped."""
    return {
        **{name: getattr(seen.referral, column) for name, column in snapshots.COLUMNS.items()},
        **{name: getattr(seen.referral, name) for name in OWN},
        **_standing(seen),
        "possible_duplicates": seen.referral.looks_like,
        "document": _document(seen.referral),
        "care": _care(seen) if seen.care else None,
        "release": _release(seen.release) if seen.release else None,
        "about": about,
    }


def _care(seen: Visible) -> Json:
    return {"categories": sorted(seen.care), **{CARE[category]: fact for category, fact in seen.care.items()}}


def _standing(seen: Visible) -> Json:
    outcome = seen.outcome
    return {
        "version": seen.version,
        "state": seen.state,
        "sub_status": outcome.sub_status if outcome else None,
        "state_reason": outcome.reason if outcome else None,
        "events": seen.events,
        "allowed_steps": seen.steps,
        "changed_at": seen.changed_at,
    }


def _document(own: Referral) -> Json | None:
    if own.document_sha256 is None:
        return None
    return {"sha256": own.document_sha256.hex(), "size": own.document_size, "received_at": own.document_received_at}


def _release(released: gate.Release) -> Json:
    return presentation.known(
        {
            "notice_version": released.notice.version,
            "notice": released.notice.statement,
            "notice_short": released.notice.short,
            "consents": released.scope,
            "expires_at": released.expires_at,
        }
    )
