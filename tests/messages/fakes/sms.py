"""A gateway for texts that speaks as Twilio does: basic auth, a form, JSON with an id or an error code."""

import base64
import itertools
from urllib.parse import parse_qsl

import orjson

from api import carriers
from api.messages import signatures
from tests.messages.fakes.answers import Asked, Scripted
from tests.messages.fakes.http import HttpFake

ACCOUNT, TOKEN, SIGNING = "AC0123456789abcdef", "auth-token", "signing-token"
SENDER = "+12125550100"


class SmsFake(HttpFake):
    """Listens until it is stopped; takes every text, unless its script says otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)
        # What the gateway lists, as a test says.
        self.taken: list[dict[str, str]] = []

    def judged(self, asked: Asked) -> Scripted:
        basic = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {basic}":
            return Scripted(401, orjson.dumps({"code": 20003, "message": "Authenticate", "status": 401}))
        path, _, query = asked.path.partition("?")
        if path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            return Scripted(404, orjson.dumps({"code": 20404, "status": 404}))
        if asked.method == "GET":
            to = dict(parse_qsl(query)).get("To")
            return Scripted(200, orjson.dumps({"messages": [one for one in self.taken if one["to"] == to]}))
        return Scripted(201, orjson.dumps({"sid": f"SM{next(self._numbers):032x}", "status": "queued"}))

    @property
    def form(self) -> dict[str, str]:
        """What the last text came as."""
        return dict(parse_qsl(self.script.last.body.decode(), keep_blank_values=True))


def settings(url: str = "https://sms.example", token: str = TOKEN, sender: str = SENDER) -> carriers.Sms:
    return carriers.Sms(url, ACCOUNT, token, sender, SIGNING)


def signed(path: str, form: dict[str, str], public_url: str = "http://127.0.0.1:8000") -> dict[str, str]:
    """The headers of a callback of this gateway."""
    return {signatures.HEADER: signatures.signature(SIGNING, public_url + path, form.items())}
