"""How these tests send referrals, what the clinic does with them meanwhile, and what an answer looks like."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from api import clock, db
from api.app import Continuum
from api.referrals import admitting, triage
from schemas.referrals import ReferralAsk
from tests.knocking import Knocker

SENT: Mapping[str, Any] = ReferralAsk.example
PATH = "/v1/partner/referrals"
BY: Mapping[str, str] = {"by": "u-17", "role": "counselor"}
PDF = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TAG = re.compile(r'"\d{18}"')


@dataclass(frozen=True)
class Sent:
    """A referral and the partner that sent it."""

    partner: Knocker
    id: UUID

    @property
    def path(self) -> str:
        return f"{PATH}/{self.id}"

    def read(self, **headers: str) -> TestResponse:
        return self.partner.get(self.path, headers=headers)

    def tag(self) -> str:
        return str(self.read().headers["ETag"])

    def amend(self, *, tag: str | None = None, **changes: Any) -> TestResponse:
        return self.partner.patch(self.path, json=changes, headers={"If-Match": tag or self.tag()})

    def cancel(self, reason: str = "Not asked for any more.", *, tag: str | None = None) -> TestResponse:
        return self._take_back("cancellation", {"reason": reason}, tag)

    def withdraw(self, *, tag: str | None = None, **said: Any) -> TestResponse:
        return self._take_back("withdrawal", said, tag)

    def attach(self, content: bytes = PDF, media_type: str = "application/pdf") -> TestResponse:
        return self.partner.put(f"{self.path}/document", data=content, headers={"Content-Type": media_type})

    def _take_back(self, how: str, said: Mapping[str, Any], tag: str | None) -> TestResponse:
        headers = {"If-Match": tag or self.tag()}
        return self.partner.post(f"{self.path}/{how}", key="", json=said, headers=headers)


def refer(partner: Knocker, **changed: Any) -> Sent:
    answer = partner.post(PATH, json={**SENT, **changed})
    assert answer.status_code == 201, answer.text
    return Sent(partner, UUID(answer.json["id"]))


def decide(referral: Sent, decision: str, **said: Any) -> None:
    """What somebody at the clinic decides."""
    with db.transaction(db.SYSTEM):
        made = triage.Decision(decision, **said)
        triage.decide(referral_id=referral.id, decision=made, expected=None, at=clock.now(), **BY)


def link(referral: Sent, patient: Knocker) -> None:
    with db.transaction(db.SYSTEM):
        who = admitting.Who(str(patient.external_id))
        admitting.link(referral_id=referral.id, who=who, expected=None, at=clock.now(), **BY)


def admit(referral: Sent, patient: Knocker) -> None:
    """Accepted, and placed in the intensive outpatient program."""
    decide(referral, "accept")
    with db.transaction(db.SYSTEM):
        admitting.admit(
            referral_id=referral.id,
            who=admitting.Who(str(patient.external_id)),
            into=admitting.Placement("iop", ["substance_use"]),
            expected=None,
            at=clock.now(),
            **BY,
        )


def triaged(referral: Sent, patient: Knocker) -> None:
    """Accepted, and known to be this patient."""
    link(referral, patient)
    decide(referral, "accept", sub_status="contact_attempted")


def untouched(referral: Sent, patient: Knocker) -> None:
    """Nobody at the clinic has looked at it."""


# What the clinic may have done with a referral, of which its sender must see nothing.
DONE: Mapping[str, Callable[[Sent, Knocker], None]] = {"untouched": untouched, "triaged": triaged, "admitted": admit}


def said(answer: TestResponse) -> tuple[int, dict[str, str], str]:
    """Status, headers and body with ids, tags and the request's own names put alike."""
    own = {"X-Request-Id", "traceparent", "RateLimit"}
    headers = {name: alike(value) for name, value in answer.headers if name not in own}
    return answer.status_code, headers, re.sub(r"urn:request:\w+", "", alike(answer.text))


def alike(text: str) -> str:
    return TAG.sub('"tag"', ID.sub("id", text))


def client(app: Continuum, client_id: UUID, scopes: tuple[str, ...]) -> Knocker:
    """A partner's system with a token."""
    token = app.extensions["tokens"].issue(kind="partner", subject=client_id, client_id=str(client_id), scopes=scopes)
    return Knocker(app, {"Authorization": f"Bearer {token}"}, id=client_id)
