"""What tests of signing in say and read: forms of OAuth, one-time codes, and what a refusal is called."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp

from tests.phone import APP, Answer

VERIFIER = "a-verifier-that-only-the-tests-of-signing-in-use"
PASSWORD = "a heron over the quiet river"
STEP = timedelta(seconds=30)


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def begin(verifier: str = VERIFIER, **more: str | None) -> dict[str, str]:
    """The form that begins a sign-in; what is None is left out."""
    form = {
        "client_id": APP,
        "response_type": "code",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        **more,
    }
    return {name: value for name, value in form.items() if value is not None}


def exchange(code: str, verifier: str = VERIFIER, **more: str) -> dict[str, str]:
    """The form that asks for the tokens of an authorization code."""
    form = {"grant_type": "authorization_code", "client_id": APP, "code": code, "code_verifier": verifier}
    return {**form, **more}


def code_now(secret: str, *, steps: int = 0) -> str:
    """What the authenticator app shows, some steps later."""
    return pyotp.TOTP(secret).at(datetime.now(UTC) + steps * STEP)


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["error"]


def problem(answer: Answer) -> str:
    """The page that explains a refusal, of OAuth's or of any other door."""
    told: Any = answer.json
    return str(told.get("problem") or told["type"]).rsplit("/", 1)[1]
