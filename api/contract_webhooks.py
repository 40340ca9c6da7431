"""The webhooks in the contract: what we send to partners, described as OpenAPI describes what others receive."""

from api.contract_fields import Converter
from api.contract_parts import Json
from schemas.webhooks import BODIES, WebhookChallengeAnswer

CHALLENGE = "endpoint.verification"
HEADERS = {
    "webhook-id": (
        "The same at every attempt: what you have had before, leave aside.",
        "0192f7a4-5b1e-7c3d-9a10",
        r"^[A-Za-z0-9_-]+$",
    ),
    "webhook-timestamp": (
        "When this attempt was made, in seconds since 1970; refuse what is 5 minutes off.",
        "1795615200",
        r"^[0-9]+$",
    ),
    "webhook-signature": (
        "One or more of `v1,` and base64 of HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`, parted by"
        " spaces; one that fits is enough.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        r"^v1,[A-Za-z0-9+/=]+( v1,[A-Za-z0-9+/=]+)*$",
    ),
}
ANSWER = "Any 2xx within 15 seconds. 410 ends the endpoint; anything else is tried again over three days."


def described(converter: Converter) -> Json:
    """One item of `webhooks` for each type of event, its shapes put among the components."""
    return {name: {"post": _operation(name, converter)} for name in BODIES}


def _operation(name: str, converter: Converter) -> Json:
    shape = BODIES[name]
    summary, _, _ = " ".join((shape.__doc__ or "").split()).partition(". ")
    return {
        "operationId": "on" + "".join(word.capitalize() for word in name.split(".")),
        "tags": ["Webhooks"],
        "summary": summary.rstrip("."),
        "description": " ".join((shape.__doc__ or "").split()),
        "parameters": [_header(*one) for one in HEADERS.items()],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": converter.component(shape), "example": shape.example}},
        },
        "responses": {"200": _answer(name, converter)},
    }


def _header(name: str, told: tuple[str, str, str]) -> Json:
    description, example, pattern = told
    schema = {"type": "string", "maxLength": 2048, "pattern": pattern}
    return {"name": name, "in": "header", "required": True, "description": description, "schema": schema} | {
        "example": example
    }


def _answer(name: str, converter: Converter) -> Json:
    if name != CHALLENGE:
        return {"description": ANSWER}
    shape = {"schema": converter.component(WebhookChallengeAnswer), "example": WebhookChallengeAnswer.example}
    return {"description": "The challenge, echoed.", "content": {"application/json": shape}}
