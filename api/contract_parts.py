"""What operations share in the contract: headers, parameters, problem responses, security, and the preface."""

from collections.abc import Collection, Mapping
from typing import Any

from api import auth, db, dpop, errors, vocabulary

Json = dict[str, Any]

# A body that is no JSON, such as a paper that is sent.
SENT_BYTES: Json = {
    "schema": {"type": "string", "format": "binary", "maxLength": 1_000_000},
    "example": "%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n",
}

VERSION = "1.0.0"
TITLE = "Continuum"
PREFACE = """\
The patient-facing API of Trinity Wellness Group: programs, sessions, reminders and check-ins for people in
outpatient addiction treatment, and for those who work with them.

**Shapes.** JSON objects in `snake_case`; ids are UUIDs; instants are RFC 3339 in UTC and whole seconds, beside an
IANA `time_zone` where a person reads the time; `format: date` is a calendar day, not an instant. What is not known
is absent, never null or invented. Answers may grow new members: ignore those you do not know. Lists of words marked
`x-extensible-enum` may grow too.

**Lists** carry `items` and, while there is more, `next_page_token`: send it as `page_token` with the same parameters.

**Problems** are `application/problem+json` (RFC 9457). `type` leads to a page that explains it, and `retry` says what
to do: `never`, `later`, `after_refresh` or `after_sign_in`.

**Headers.** Send `Accept-Language: es` for Spanish. `X-Request-Id` and W3C `traceparent` are taken up and sent back.
`RateLimit` says what is left; after 429 and 503 wait as long as `Retry-After` says. Reads with an `ETag` answer
`If-None-Match` with 304. Browsers of other origins may read public answers only.

**Signing in.** The app makes one ES256 key in the phone's secure hardware and signs the patient in on its own screens:
`authorizeChallenge` step by step until it answers a code, then `requestToken`. Every request from then on carries
`Authorization: DPoP <access token>` and, in `DPoP`, a fresh proof of that key (RFC 9449): its `htm`, `htu`, `iat`, a
`jti` of its own, and the token's hash in `ath`. A proof is good once: make a new one for every retry too, and let the
`Idempotency-Key` make the retry safe. What a 401 asks for stands in its `type`:

- `token-expired`: refresh, and send again.
- `use-dpop-nonce`: the phone's clock is wrong; send again with the nonce of `DPoP-Nonce` in the proof, and keep it for
  the next ones. Sign-in has nonces of its own, and asks for them with status 400.
- `step-up-required`: have the patient confirm who they are, in one of the ways of `acr_values`, and send again.
- `session-ended`, `invalid-token`: sign in. What waits to be sent stays, for the same patient.
- `session-revoked`: the phone was signed out from elsewhere; wipe what it keeps.
- `invalid-dpop-proof`: the proof does not fit the request, or was sent before.

Systems send `Authorization: Bearer` with the token that `requestToken` gave them for an assertion of their own key.
"""

INFO: Json = {
    "title": TITLE,
    "version": VERSION,
    "description": PREFACE,
    "contact": {"name": "Trinity Wellness Group"},
}

SERVERS = [
    {
        "url": "/",
        "description": "Production: the host that serves this document. Staging and local hosts serve their own.",
        "x-internal": False,
    }
]

# What each tag groups, in the words of the clinic.
TAGS = {
    "Account": "Signed-in phones, and what the patient signs in with.",
    "Audit": "Who did what, to whose record, on whose behalf.",
    "Alerts and tasks": "Safety alerts with their deadlines, and everything else that needs a person.",
    "App": "What the app needs before anybody signs in: crisis help, versions, contacts.",
    "Webhooks": "Being told that something of yours has changed: endpoints, secrets, and the log of what was sent.",
    "Calendar": "Private addresses from which calendar apps read the patient's times.",
    "Capacity": "Where new patients can start, per program and location; no personal data.",
    "Check-ins": "Questionnaires, what is due, answers, and the crisis help beside them.",
    "Contact": "Where texts and mail go: confirmed by a code, and texts only with consent.",
    "Enrollment": "The level of care: current, past, and what typically follows.",
    "Enrollments": "Placing a patient in a level of care, and every step from there.",
    "Instruments": "The questionnaires, versioned, with who sees the answers and how they are scored.",
    "Locations": "Where care happens: addresses, hours, closures.",
    "Me": "Who the app serves, and how they want to be addressed.",
    "Patients": "Patients as the clinic's record system knows them.",
    "Privacy": "What may be told outside, by whose consent; what was; and what the patient asked not to be told.",
    "Programs": "The levels of care, as the clinic describes them.",
    "Referral requests": "A person asks for a call back, from the clinic's website.",
    "Referrals": "Whom partners send here, where it stands, and what a consent lets them see of it.",
    "Reminders": "What was said, what will be, what was held back, and why.",
    "Schedule": "Series, sessions and their members, as the clinic plans them.",
    "Sign-in": "OAuth: signing in on the app's own screens, tokens for phones and systems, and how they end.",
    "Sessions": "Care sessions: when and where, replies, arrivals, attendance.",
    "Today": "The app's first screen in one read.",
}

# What a door behind a token may say before anything else.
WITH_TOKEN = (auth.NoToken, auth.InvalidToken, auth.TokenExpired, db.SignedOut, auth.InsufficientScope)
AT_THE_DOOR: dict[str, tuple[type[errors.Refusal], ...]] = {
    # Patients' tokens are bound to a phone's key, and their sign-ins can be ended from elsewhere.
    "patient": (*WITH_TOKEN, dpop.BadProof, dpop.NonceNeeded, db.SessionRevoked),
    "partner": WITH_TOKEN,
    "clinic": (*WITH_TOKEN, auth.ActingUserMissing),
}

SECURITY_NOTES = {
    "patient": "A patient's app session; each request also carries a `DPoP` proof of the phone's key.",
    "partner": "A referral system, by client credentials.",
    "clinic": "One of the clinic's own systems, by client credentials; `Acting-User` names the person it acts for.",
}

# What is no JSON, such as a page to print.
BYTES: Json = {"type": "string", "format": "binary", "maxLength": 4_194_304}
GIVEN = {
    "text/html": "<!doctype html>\n<title>Permission to share information about my care</title>\n",
    "application/pdf": "%PDF-1.7\n%%EOF\n",
}

TEXT = r"^[^\u0000-\u001f]*$"


def text(length: int, pattern: str = TEXT, **more: Any) -> Json:
    return {"type": "string", "maxLength": length, "pattern": pattern, **more}


def header(description: str, schema: Json, **more: Any) -> Json:
    return {"description": description, "schema": schema, **more}


HEADERS: dict[str, Json] = {
    "Access-Control-Allow-Origin": header("`*` on public answers; absent elsewhere.", text(1, r"^\*$")),
    "Cache-Control": header("`no-store` on everything behind a token.", text(200)),
    "Content-Language": header("The language of the answer's words.", text(2, "^(en|es)$")),
    "ETag": header("The version of this answer, for `If-None-Match` and `If-Match`.", text(200, r'^(W/)?"[^"]*"$')),
    "RateLimit": header('What is left: `"minute";r=99;t=30` (RateLimit header fields for HTTP).', text(200)),
    "RateLimit-Policy": header('The quota: `"minute";q=600;w=60`.', text(200)),
    "Retry-After": header("Seconds to wait.", {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86_400}),
    "DPoP-Nonce": header("On `use-dpop-nonce`: belongs into the next proofs.", text(100, "^[A-Za-z0-9_-]+$")),
    "Idempotency-Replayed": header("`true` where this key's act had been done before.", text(4, "^true$")),
    "Location": header("Where the new resource is.", text(500)),
    "WWW-Authenticate": header("How to authenticate (RFC 6750, RFC 9449, RFC 9470).", text(500)),
    "X-Request-Id": header("Name this when you ask us about a request.", text(64)),
    "traceparent": header("W3C Trace Context.", text(55)),
}
EVERYWHERE = (
    "Access-Control-Allow-Origin", "Cache-Control", "Content-Language", "RateLimit", "RateLimit-Policy", "X-Request-Id",
    "traceparent",
)  # fmt: skip

PARAMETERS: dict[str, Json] = {
    "Acting-User": {
        "name": "Acting-User", "in": "header", "required": True,
        "description": "The person or job at the clinic for whom this system acts (an RFC 9651 string item).",
        "schema": text(200, r'^"([ !#-\[\]-~]|\\["\\]){1,64}"; ?role=[A-Za-z*][A-Za-z0-9_.:/*-]{0,63}$'),
        "example": '"u-17";role=counselor',
    },
    "DPoP": {
        "name": "DPoP", "in": "header", "required": False,
        "description": "A fresh proof of the phone's key (RFC 9449), good once. Needed wherever the token is bound to "
        "a key, as every patient's is outside of development.",
        "schema": text(4096, r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$"),
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key", "in": "header", "required": True,
        "description": "Made by the caller, one per act; the same key and body is the same act for 30 days.",
        "schema": text(255, r"^[!#$%&'*+.^_`|~0-9A-Za-z:/-]{1,255}$"),
        "example": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01",
    },
    "Idempotency-Key-Unless-Preview": {
        "name": "Idempotency-Key", "in": "header", "required": False,
        "description": "Needed unless `dry_run` is true. Made by the caller, one per act; kept for 30 days.",
        "schema": text(255, r"^[!#$%&'*+.^_`|~0-9A-Za-z:/-]{1,255}$"),
        "example": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01",
    },
    "If-Match": {
        "name": "If-Match", "in": "header", "required": True,
        "description": "The `ETag` last read; 412 when the resource has changed since, 428 without it.",
        "schema": text(21, r'^"[0-9]{1,19}"$'),
        "example": '"7"',
    },
    "If-None-Match": {
        "name": "If-None-Match", "in": "header", "required": False,
        "description": "The `ETag` last read; 304 when nothing has changed.",
        "schema": text(2000, r"^[^\u0000\r\n]*$"),
        "example": '"7"',
    },
}  # fmt: skip

PROBLEM_PLACE: Json = {
    "type": "object",
    "description": "One value that does not fit.",
    "properties": {
        "pointer": text(4000, description="JSON pointer into the body, or the name of a parameter or header."),
        "detail": text(500, description="What is wrong with it."),
    },
    "required": ["detail", "pointer"],
}

PROBLEM: Json = {
    "type": "object",
    "description": "Why a request was not met (RFC 9457), and what to do about it.",
    "properties": {
        "type": text(300, description="Leads to a page that explains this problem.", format="uri-reference"),
        "title": text(200, description="The same for every problem of this type."),
        "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599},
        "detail": text(1000, description="Fit for the person at the screen to read."),
        "instance": text(200, description="Names this occurrence.", format="uri-reference"),
        "retry": text(
            64, examples=list(vocabulary.RETRIES),
            description="What to do: `never` again as it is, `later`, `after_refresh` of what is out of date (what was "
            "read, or the access token), `after_sign_in`.",
        ),
        "errors": {
            "type": "array",
            "maxItems": 100,
            "description": "On `validation-error` and parameters: each value that does not fit, the first hundred.",
            "items": {"$ref": "#/components/schemas/ProblemPlace"},
        },
    },
    "required": ["detail", "instance", "retry", "status", "title", "type"],
}  # fmt: skip


def security_schemes() -> dict[str, Json]:
    """One scheme per kind of caller, so that no scope of one kind is ever documented for another. Patients' is the one
    that RFC 9449 §7.1 registers."""
    return {
        kind: {
            "type": "http",
            **({"scheme": "DPoP"} if kind == "patient" else {"scheme": "bearer", "bearerFormat": "JWT"}),
            "description": f"{note} An access token of ten minutes (`at+jwt`, ES256; RFC9068, RFC8725). "
            f"Scopes: {', '.join(vocabulary.SCOPES[kind])}.",
        }
        for kind, note in SECURITY_NOTES.items()
    }


def problem_headers(status: int, refusals: Collection[type[errors.Refusal]]) -> dict[str, Json]:
    """Those of the responses that stand for `refusals`."""
    nonce = ("DPoP-Nonce",) if dpop.NonceNeeded in refusals else ()
    return headers(*HEADERS_BY_STATUS.get(status, ()), *nonce)


def headers(*names: str) -> dict[str, Json]:
    """References to shared headers; those of EVERYWHERE are added."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted({*EVERYWHERE, *names})}


REFERENCE: Json = {"$ref": "#/components/schemas/Problem"}
NOTHING: Mapping[str, Any] = {}
HEADERS_BY_STATUS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


def problem_example(refusal: type[errors.Refusal]) -> Json:
    """What a caller would read, in English."""
    example = {
        "type": f"https://api.example.org/problems/{refusal.slug}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "instance": "urn:request:5f0c6b1e2a7d4f3c9b8e7a6d5c4b3a29",
        "retry": refusal.retry,
    }
    if issubclass(refusal, errors.Invalid):
        example["errors"] = [{"pointer": "/occurred_at", "detail": "Not a valid datetime."}]
    return example


def problem_response(
    status: int,
    refusals: list[type[errors.Refusal]],
    schema: Json = REFERENCE,
    carried: Mapping[str, Any] = NOTHING,
) -> Json:
    """The response of one status: each refusal it stands for is an example under its slug."""
    examples = {one.slug: {"summary": one.title, "value": {**problem_example(one), **carried}} for one in refusals}
    return {
        "description": " ".join(f"{one.title}." for one in refusals),
        "headers": problem_headers(status, refusals),
        "content": {"application/problem+json": {"schema": schema, "examples": examples}},
    }


RESPONSES: dict[str, Json] = {
    "NotModified": {
        "description": "Nothing has changed since the version named in If-None-Match.",
        "headers": headers("ETag"),
    },
    "Problem": problem_response(500, [errors.Internal]) | {"description": "Any other problem."},
}


def components() -> Json:
    """Everything shared but the problem responses of single refusals, which the operations decide."""
    return {
        "headers": HEADERS,
        "parameters": PARAMETERS,
        "schemas": {"Problem": PROBLEM, "ProblemPlace": PROBLEM_PLACE},
        "securitySchemes": security_schemes(),
    }
