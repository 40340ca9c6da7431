"""How the contract writes down what OAuth's endpoints refuse: in OAuth's own JSON, not as problem documents."""

from api import contract_parts, errors, oauth
from api.contract_parts import Json
from schemas.oauth import OAuthErrorAnswer

SCHEMA: Json = {"$ref": "#/components/schemas/OAuthErrorAnswer"}
NEXT_STEP = {
    name: value
    for name, value in OAuthErrorAnswer.example.items()
    if name not in ("error", "error_description", "retry", "problem")
}


def response(status: int, refusals: list[type[errors.Refusal]]) -> Json:
    """The response of one status: each refusal it stands for is an example under its slug."""
    return {
        "description": " ".join(sorted({f"`{oauth.code_of(one)[0]}`." for one in refusals})),
        "headers": contract_parts.problem_headers(status, refusals),
        "content": {
            "application/json": {
                "schema": SCHEMA,
                "examples": {one.slug: {"summary": one.title, "value": example(one)} for one in refusals},
            }
        },
    }


def example(refusal: type[errors.Refusal]) -> Json:
    """What an app would read."""
    return {
        "error": oauth.code_of(refusal)[0],
        "error_description": oauth.UNSAYABLE.sub("", refusal.detail),
        "retry": refusal.retry,
        "problem": f"https://api.example.org/problems/{refusal.slug}",
        **(NEXT_STEP if issubclass(refusal, oauth.InsufficientAuthorization) else {}),
    }
