"""A person asks for themselves, from the clinic's website: into the same triage as what partners send.

Nothing is looked up and nothing is answered but that it arrived, so nobody learns from it who is known here. Kept short
by two budgets, one for an address and one for everybody together: a flood must not bury the people behind it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from limits import RateLimitItemPerHour

from api import db, errors
from api.access import throttles
from api.access.windows import Counting
from api.programs.edition import Edition
from api.referrals.models import Referral
from api.referrals.snapshots import UnknownProgram

# It takes at least so many addresses to spend what everybody has together.
ADDRESSES = 10
THANKS = {
    "en": "Thank you. Your request has arrived, and somebody of our intake team will get in touch in the way that you"
    " chose.",
    "es": "Gracias. Su solicitud llegó y alguien de nuestro equipo de admisión se comunicará de la manera que usted"
    " eligió.",
}

_together, _an_address = RateLimitItemPerHour(200), RateLimitItemPerHour(20)
_counting = Counting()


class TooManyRequestsForCalls(errors.TooManyRequests):
    title = "Too many requests just now"
    detail = "We cannot take more requests from here just now. Please call the clinic, or try again later."
    title_es = "Demasiadas solicitudes en este momento"
    detail_es = "Ahora no podemos recibir más solicitudes desde aquí. Llame a la clínica o inténtelo más tarde."


def use(per_hour: int) -> None:
    """Take at most so many requests an hour of everybody together."""
    global _together, _an_address
    _together, _an_address = RateLimitItemPerHour(per_hour), RateLimitItemPerHour(-(-per_hour // ADDRESSES))


def spend(address: str) -> None:
    """Count a request from `address`, in one statement of its own. Raises `TooManyRequestsForCalls`."""
    windows = _counting.take(
        (_an_address, ("requests for calls", throttles.network(address))), (_together, ("requests for calls",))
    )
    if over := [window.seconds for window in windows if window.over]:
        raise TooManyRequestsForCalls(headers={"Retry-After": str(max(over))})


def request(*, asked: Mapping[str, Any], catalogue: Edition, at: datetime) -> UUID:
    """Keep what a person asks; its triage comes with it. Raises `UnknownProgram`."""
    if asked["program"] is not None and catalogue.program(asked["program"]) is None:
        raise UnknownProgram([("/program", "Is not in the catalogue.")])
    referral_id = db.uuid7()
    same = ("phone", "email", "voicemail_allowed", "best_time", "language")
    values = {name: asked[name] for name in same} | {
        "called": asked["name"],
        "notes": asked["message"],
        "program_slug": asked["program"],
    }
    # Whoever asks may add a referral and read none, so nothing is given back.
    db.session().execute(
        sa.insert(Referral.__table__)  # type: ignore[arg-type]
        .inline()
        .values(
            id=referral_id,
            origin="self",
            contact_preference="may_contact",
            created_at=at,
            changed_at=at,
            **values,
        )
    )
    return referral_id
