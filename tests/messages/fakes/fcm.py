"""Google's push service: the token endpoint of a service account, and FCM's HTTP v1 API."""

import json
import re
import time
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.messages.fakes.answers import Asked, Scripted
from tests.messages.fakes.certificates import Certificate
from tests.messages.fakes.http import HttpFake

PROJECT, EMAIL = "synthetic-project", "push@synthetic-project.iam.gserviceaccount.example"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SEND = f"/v1/projects/{PROJECT}/messages:send"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


class Fcm(HttpFake):
    """`refuse_tokens_by` is the status and error of the token endpoint, whatever it is given."""

    def __init__(self, certificate: Certificate, public_key: rsa.RSAPublicKey) -> None:
        self._public_key = public_key
        self.issued: list[str] = []
        self.lives_seconds = 3600
        self.refuse_tokens_by: tuple[int, str] | None = None
        super().__init__(certificate)

    @property
    def sent(self) -> list[Asked]:
        return [one for one in self.script.asked if one.path == SEND]

    def judged(self, asked: Asked) -> Scripted:
        if asked.path == "/token":
            return self._token(asked)
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.issued:
            return Scripted(401, said(401, "UNAUTHENTICATED"))
        if asked.path != SEND or not _is_message(asked.json):
            return Scripted(400, said(400, "INVALID_ARGUMENT", code="INVALID_ARGUMENT"))
        return Scripted(200, json.dumps({"name": f"projects/{PROJECT}/messages/0:{len(self.sent)}"}).encode())

    def _token(self, asked: Asked) -> Scripted:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if self.refuse_tokens_by:
            status, error = self.refuse_tokens_by
            return Scripted(status, json.dumps({"error": error}).encode())
        if form.get("grant_type") != GRANT or not self._is_asserted(form.get("assertion", "")):
            return Scripted(400, json.dumps({"error": "invalid_grant"}).encode())
        self.issued.append(f"ya29.{len(self.issued)}")
        answer = {"access_token": self.issued[-1], "expires_in": self.lives_seconds, "token_type": "Bearer"}
        return Scripted(200, json.dumps(answer).encode())

    def _is_asserted(self, assertion: str) -> bool:
        try:
            claims = jwt.decode(assertion, self._public_key, algorithms=["RS256"], audience=f"{self.url}/token")
        except jwt.PyJWTError:
            return False
        fresh = abs(time.time() - claims["iat"]) < 60 and claims["exp"] - claims["iat"] <= 3600
        return bool(fresh and claims["iss"] == EMAIL and claims["scope"] == SCOPE)


def said(status: int, word: str, *, code: str | None = None, field: str | None = None) -> bytes:
    """The body of an error of Google's; `code` is FCM's own, `field` the one that is wrong."""
    details: list[dict[str, Any]] = [{"@type": FCM_ERROR, "errorCode": code}] if code else []
    if field:
        details.append({"@type": BAD_REQUEST, "fieldViolations": [{"field": field, "description": "Invalid."}]})
    error = {"code": status, "message": "Synthetic.", "status": word, "details": details}
    return json.dumps({"error": error}).encode()


def _is_message(body: Any) -> bool:
    """As far as FCM refuses what is none: unknown names, data that is not text, a lifetime that is none."""
    message = body.get("message", {})
    known = {"token", "notification", "data", "android"}
    texts = all(isinstance(value, str) for value in message.get("data", {}).values())
    lives = re.fullmatch(r"\d+s", message.get("android", {}).get("ttl", "0s"))
    return set(message) <= known and bool(message.get("token")) and texts and bool(lives)
