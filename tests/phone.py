"""A patient's phone on the command line: `python -m tests.phone activate CODE | today | refresh | sign-in | revoke`, or
`ask METHOD PATH [BODY]`.

It does what the app does: keeps a DPoP key and a passkey, signs in on its own screens, and starts over with the
server's nonce when its clock is wrong. What it holds lies in one file, readable by its owner only. Tests use the same
phone over the application itself.
"""

import argparse
import base64
import hashlib
import json
import os
import secrets
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.authenticator import Authenticator
from tests.dpop import Key

Headers = Mapping[str, str]
Transport = Callable[[str, str, Headers, bytes | None], "Answer"]
APP = "continuum-app"


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Refused(Exception):
    """The server did not do it."""

    def __init__(self, answer: Answer) -> None:
        told = answer.json if answer.body else {}
        super().__init__(told.get("error_description") or told.get("detail") or f"status {answer.status}")
        self.answer, self.told = answer, told


@dataclass
class Phone:
    """One phone and whatever it holds. `minutes_fast` is how wrong its clock is."""

    address: str
    transport: Transport
    key: Key = field(default_factory=Key)
    authenticator: Authenticator | None = None
    tokens: dict[str, Any] = field(default_factory=dict)
    nonce: str | None = None
    name: str = "Command-line phone"
    proof: dict[str, Any] = field(default_factory=dict)
    client_id: str = APP

    def activate(self, code: str, **more: str) -> dict[str, Any]:
        """Set up a passkey with the clinic's code, and sign in."""
        verifier = secrets.token_urlsafe(48)
        step = self._step(activation_code=code, verifier=verifier, **more)
        return self.register(step, verifier, **more)

    def register(self, step: Mapping[str, Any], verifier: str, **more: str) -> dict[str, Any]:
        """Answer the step after an activation code with a passkey, and sign in."""
        self.authenticator = self.authenticator or Authenticator(self.address, relying_party(step["passkey_creation"]))
        passkey = self.authenticator.create(step["passkey_creation"])
        kept = {name: value for name, value in more.items() if name == "keep_authenticators"}
        return self._finish(step["auth_session"], verifier, passkey=passkey, **kept)

    def set_password(self, code: str, name: str, password: str, totp: Callable[[str], str], **more: str) -> str:
        """Set up a name, password and one-time codes with the clinic's code, and sign in; gives the name as kept."""
        verifier = secrets.token_urlsafe(48)
        step = self._step(activation_code=code, verifier=verifier)
        said = {"sign_in_name": name, "password": password, "totp": totp(step["totp_secret"])}
        self.secret = step["totp_secret"]
        told = self.challenge(auth_session=step["auth_session"], client_id=APP, **said, **more)
        self._exchange(told.json["authorization_code"], verifier)
        return str(told.json["sign_in_name"])

    def sign_in(self, **more: str) -> dict[str, Any]:
        """By the passkey."""
        verifier = secrets.token_urlsafe(48)
        step = self._step(verifier=verifier, **more)
        return self._finish(step["auth_session"], verifier, passkey=self.asserted(step["passkey_request"]))

    def sign_in_by_password(self, name: str, password: str, totp: str, **more: str) -> dict[str, Any]:
        verifier = secrets.token_urlsafe(48)
        begun = self._begin(verifier)
        told = self.challenge(**begun, sign_in_name=name, password=password, totp=totp, **more)
        if told.status != 200:
            raise Refused(told)
        return self._exchange(told.json["authorization_code"], verifier)

    def confirm(self, auth_session: str, passkey_request: str) -> dict[str, Any]:
        """Show that it is still the patient, after the phone was quiet for long."""
        verifier = secrets.token_urlsafe(48)
        return self._finish(auth_session, verifier, passkey=self.asserted(passkey_request), pkce=True)

    def refresh(self, **more: str) -> dict[str, Any]:
        form = {"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"], **more}
        return self._keep(self.form("/oauth/token", {**form, "client_id": self.client_id}))

    def revoke(self) -> None:
        told = self.form("/oauth/revoke", {"token": self.tokens["refresh_token"], "client_id": self.client_id})
        if told.status != 200:
            raise Refused(told)

    def get(self, path: str, headers: Headers | None = None) -> Answer:
        return self.request("GET", path, headers=headers)

    def request(self, method: str, path: str, *, body: Any = None, headers: Headers | None = None) -> Answer:
        """A request with the access token and a proof; once more with the server's nonce where it wants one."""
        sent = {"Authorization": f"DPoP {self.tokens['access_token']}", **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        sent |= {"Content-Type": "application/json"} if data else {}
        return self._proved(method, path, sent, data, token=self.tokens["access_token"])

    def challenge(self, **form: str) -> Answer:
        return self.form("/oauth/authorize-challenge", form)

    def form(self, path: str, form: Mapping[str, str]) -> Answer:
        """A form with a proof."""
        sent = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._proved("POST", path, sent, urllib.parse.urlencode(form).encode(), token=None)

    def asserted(self, options: str) -> str:
        assert self.authenticator, "this phone has no passkey yet"
        return self.authenticator.get(options)

    def state(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "key": self.key.state(),
            "authenticator": self.authenticator and self.authenticator.state(),
            "tokens": self.tokens,
        }

    @classmethod
    def of(cls, state: Mapping[str, Any], transport: Transport) -> "Phone":
        held = state["authenticator"] and Authenticator.of(state["authenticator"])
        return cls(state["address"], transport, Key.of(state["key"]), held, dict(state["tokens"]))

    def _proved(self, method: str, path: str, headers: Headers, data: bytes | None, *, token: str | None) -> Answer:
        url = self.address + path
        for _ in range(2):
            proof = self.key.proof(method, url, token=token, nonce=self.nonce, **self.proof)
            answer = self.transport(method, url, {**headers, "DPoP": proof}, data)
            fresh = answer.headers.get("dpop-nonce")
            if fresh is None or fresh == self.nonce:
                break
            self.nonce = fresh
        # The API and sign-in have nonces of their own.
        self.nonce = None
        return answer

    def _begin(self, verifier: str) -> dict[str, str]:
        return {
            "client_id": self.client_id,
            "response_type": "code",
            "device_name": self.name,
            **_pkce(verifier),
        }

    def _step(self, *, verifier: str, **form: str) -> Any:
        """What is needed next. Raises `Refused`."""
        told = self.challenge(**self._begin(verifier), **form)
        if told.json.get("error") != "insufficient_authorization":
            raise Refused(told)
        return told.json

    def _finish(self, auth_session: str, verifier: str, *, pkce: bool = False, **form: str) -> dict[str, Any]:
        told = self.challenge(auth_session=auth_session, **form, **(_pkce(verifier) if pkce else {}))
        if told.status != 200:
            raise Refused(told)
        return self._exchange(told.json["authorization_code"], verifier)

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        return self._keep(self.form("/oauth/token", {**form, "client_id": self.client_id}))

    def _keep(self, answer: Answer) -> dict[str, Any]:
        if answer.status != 200:
            raise Refused(answer)
        self.tokens = answer.json
        return self.tokens


def relying_party(creation_options: str) -> str:
    return str(json.loads(creation_options)["rp"]["id"])


def _pkce(verifier: str) -> dict[str, str]:
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {"code_challenge": challenge, "code_challenge_method": "S256"}


def over_http(method: str, url: str, headers: Headers, body: bytes | None) -> Answer:
    """A transport for a server at an address."""
    asked = urllib.request.Request(url, body, dict(headers), method=method)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as answer:
        return Answer(answer.code, {name.lower(): value for name, value in answer.headers.items()}, answer.read())


def main(words: list[str] | None = None) -> int:
    """The exit code; what the server says is printed."""
    parser = argparse.ArgumentParser(prog="python -m tests.phone", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=("activate", "today", "refresh", "sign-in", "revoke", "ask"))
    parser.add_argument("words", nargs="*", help="the clinic's activation code; or a method, a path and JSON")
    parser.add_argument("--api", default=os.environ.get("API", "http://127.0.0.1:8000"))
    parser.add_argument("--file", type=Path, default=Path(".data/phone.json"))
    options = parser.parse_args(words)
    phone = _loaded(options.file, options.api)
    try:
        said = _done(phone, options.command, options.words)
    except Refused as refused:
        print(f"{refused.answer.status}: {refused}", file=sys.stderr)
        return 1
    finally:
        _saved(options.file, phone)
    print(said)
    return 0


def _done(phone: Phone, command: str, words: list[str]) -> str:
    if command in ("today", "ask"):
        return _asked(phone, *(words if command == "ask" else ["GET", "/v1/me/today"]))
    if command == "revoke":
        phone.revoke()
        return "Signed out."
    done = {"activate": lambda: phone.activate(*words), "refresh": phone.refresh, "sign-in": phone.sign_in}[command]()
    return f"Signed in for {done['expires_in']} seconds, with {done['scope'].count(' ') + 1} scopes."


def _asked(phone: Phone, method: str, path: str, body: str | None = None) -> str:
    """What the server says, read well. Raises `Refused`."""
    told = None if body is None else json.loads(body)
    answer = phone.request(method, path, body=told, headers={"Idempotency-Key": secrets.token_urlsafe(16)})
    if answer.status >= 400:
        raise Refused(answer)
    try:
        return json.dumps(answer.json, indent=4, ensure_ascii=False)
    except ValueError:
        return answer.body.decode()


def _loaded(file: Path, address: str) -> Phone:
    if not file.exists():
        return Phone(address, over_http)
    return Phone.of({**json.loads(file.read_text()), "address": address}, over_http)


def _saved(file: Path, phone: Phone) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        json.dump(phone.state(), opened)


if __name__ == "__main__":
    sys.exit(main())
