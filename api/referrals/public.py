"""Anyone's door to ask for a call: the one form that the clinic's website sends here from a browser.

Scripts of that website alone may send it and read the answer: browsers ask first (Fetch Standard, CORS preflight), and
an origin that is not listed, letter for letter, is told nothing.
"""

from typing import Any
from uuid import UUID

from flask import Response, current_app, g, request

from api import answering, clock, language, observe
from api.blueprint import Door
from api.meeting import ANY_WEBSITE
from api.programs import about, crisis, shelf
from api.referrals import intake, requests
from api.referrals.snapshots import UnknownProgram
from schemas.referral_requests import ReferralRequestAnswer, ReferralRequestAsk

door = Door("referral_requests", kind="public", tag="Referral requests", open_to_anyone=True)

RULE = "/referral-requests"
READ = "Idempotency-Replayed, Retry-After, X-Request-Id"
PREFLIGHT_SECONDS = "600"


def prepare() -> None:
    """The budget, and the catalogue: who presents only a key reads neither in the transaction."""
    requests.spend(request.remote_addr or "")
    g.catalogue = shelf.stock().edition


def replayed(_: UUID) -> dict[str, Any]:
    return said()


def preflight() -> Response:
    """What a browser may send. Anything else that asks is answered too, and told nothing."""
    return answering.nothing(204)


# Before the operation, which would answer OPTIONS by itself.
door.add_url_rule(RULE, "preflightReferralRequest", preflight, methods=["OPTIONS"])


@door.post(
    RULE,
    operation="requestReferral",
    summary="Ask the clinic to get in touch",
    idempotent=True,
    replay=replayed,
    prepares=prepare,
    refusals=[UnknownProgram, requests.TooManyRequestsForCalls],
)
@door.asks(ReferralRequestAsk)
@door.answers(ReferralRequestAnswer, status=202)
def request_referral(asked: dict[str, Any]) -> dict[str, Any]:
    """For the form of the clinic's website. The answer is the same for everybody, and repeats nothing of what was sent.
    This is not an emergency service."""
    requests.request(asked=asked, catalogue=g.catalogue, at=clock.now())
    return said()


def said() -> dict[str, Any]:
    """What everybody is answered, in the language that the request accepts."""
    spoken = language.chosen()
    return {
        "message": requests.THANKS[spoken],
        "not_an_emergency_service": intake.NOT_AN_EMERGENCY_SERVICE[spoken],
        "crisis": crisis.help_at(clock.now(), clinic=about.clinic(), locations=g.catalogue.locations, language=spoken),
    }


def tell_website(response: Response) -> Response:
    """Name the origin only if it is the website's; and never `*`, which other public answers carry."""
    noted = observe.note()
    noted.headers = [header for header in noted.headers if header != ANY_WEBSITE]
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin in current_app.settings.website_origins:  # type: ignore[attr-defined]
        response.headers.update(_allowed(str(origin)))
    return response


door.after_request(tell_website)


def _allowed(origin: str) -> dict[str, str]:
    named = {"Access-Control-Allow-Origin": origin}
    if request.method != "OPTIONS":
        return named | {"Access-Control-Expose-Headers": READ}
    return named | {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key, Accept-Language",
        "Access-Control-Max-Age": PREFLIGHT_SECONDS,
    }
