"""What people read in a browser: the contract, its documents, and what each problem means.

Nothing here needs a token and nothing here loads anything from elsewhere.
"""

from pathlib import Path

from flask import Blueprint, Response, make_response, render_template, send_from_directory

from api import errors

DOCUMENTS = Path(__file__).resolve().parent.parent / "openapi"
AUDIENCES = ("public", "patient", "partner", "clinic")

# Swagger UI sets style attributes and draws its icons from data: addresses; its script is a file of ours.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# What each `retry` word asks of a person, in both languages.
ADVICE = {
    "never": {
        "en": "Trying again as it is will not help: something in the request has to change first.",
        "es": "Repetirlo tal cual no servirá: primero tiene que cambiar algo en la solicitud.",
    },
    "later": {
        "en": "Please try again in a little while.",
        "es": "Inténtelo de nuevo dentro de un momento.",
    },
    "after_refresh": {
        "en": "What you have is out of date. Refresh it, then try again.",
        "es": "Lo que tiene ya no está al día. Actualícelo e inténtelo de nuevo.",
    },
    "after_sign_in": {
        "en": "Please sign in, then try again.",
        "es": "Inicie sesión e inténtelo de nuevo.",
    },
}

reading = Blueprint(
    "reading", __name__, static_folder="static", static_url_path="/docs/static", template_folder="templates"
)


@reading.get("/docs")
def docs() -> Response:
    """The contract, drawn from the documents below."""
    return _page(reading.send_static_file("docs.html"))


@reading.get("/openapi.json")
def whole_document() -> Response:
    return _document("openapi.json")


@reading.get(f"/openapi/<any({','.join(AUDIENCES)}):audience>.json")
def audience_document(audience: str) -> Response:
    return _document(f"{audience}.json")


@reading.get("/problems/<slug>")
def problem(slug: str) -> Response:
    """What a problem's `type` address leads to (RFC 9457 §4). Raises `NotFound` for a slug nobody minted."""
    if slug not in errors.REFUSALS:
        raise errors.NotFound
    refusal = errors.REFUSALS[slug]
    return _page(make_response(render_template("problem.html", problem=refusal, advice=ADVICE[refusal.retry])))


def _document(name: str) -> Response:
    """A committed document, byte for byte; any website may read it (standards: only public things are CORS `*`)."""
    response = send_from_directory(DOCUMENTS, name, mimetype="application/json", max_age=300)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _page(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
