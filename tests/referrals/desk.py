"""How these tests refer people as partners do, and work on referrals as the clinic's own systems do."""

import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from werkzeug.test import TestResponse

from api import vocabulary
from api.app import Continuum
from schemas.consents import PaperConsentAsk
from tests.conftest import add_client
from tests.knocking import Knocker

Json = dict[str, Any]
Sql = Callable[..., list[tuple[Any, ...]]]
PARTNERS, DESK = "/v1/partner/referrals", "/v1/clinic/referrals"
AVERY: Json = {
    "given_name": "Avery",
    "family_name": "Example",
    "born_on": "1990-01-01",
    "contact_preference": "may_contact",
    "phone": "+12125550143",
    "reason": "Asks for evening groups.",
}
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
PLACED: Json = {"patient_external_id": "EHR-200300", "program": "iop", "focus": ["substance_use"]}


@pytest.fixture
def harbor(app: Continuum, superuser: psycopg.Connection[Any]) -> Knocker:
    return new_partner(app, superuser, "Harbor Detox")


def new_partner(app: Continuum, superuser: psycopg.Connection[Any], name: str) -> Knocker:
    """A partner who treats people, signed in."""
    scopes = vocabulary.PARTNER_SCOPES
    client = add_client(superuser, kind="partner", name=name, scopes=scopes, partner_kind="treating_provider")
    token = app.extensions["tokens"].issue(kind="partner", subject=client, client_id=str(client), scopes=scopes)
    return Knocker(app, {"Authorization": f"Bearer {token}"}, id=client)


def refer(partner: Knocker, **changed: Any) -> str:
    """The id of a referral that the partner has just sent."""
    answer = partner.post(PARTNERS, json={**AVERY, **changed})
    assert answer.status_code == 201, answer.text
    found: str = answer.json["id"]
    return found


def acting(clinic: Knocker, user: str, role: str = "counselor") -> Knocker:
    """The same system, acting for somebody else."""
    return Knocker(clinic.app, {**clinic.headers, "Acting-User": f'"{user}";role={role}'}, id=clinic.id)


def at_desk(clinic: Knocker, referral_id: str) -> Json:
    answer = clinic.get(f"{DESK}/{referral_id}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json
    return found


def tag(clinic: Knocker, referral_id: str) -> str:
    return clinic.get(f"{DESK}/{referral_id}").headers["ETag"]


def decide(clinic: Knocker, referral_id: str, decision: str, *, if_match: str = "*", **more: Any) -> TestResponse:
    """A decision, on the version named or on whatever is so."""
    body = {"decision": decision, **more}
    return clinic.post(f"{DESK}/{referral_id}/decisions", headers={"If-Match": if_match}, json=body)


def admit(clinic: Knocker, referral_id: str, *, if_match: str = "*", **changed: Any) -> TestResponse:
    return clinic.post(
        f"{DESK}/{referral_id}/admission", headers={"If-Match": if_match}, json={**PLACED, **changed}
    )  # fmt: skip


def link(clinic: Knocker, referral_id: str, external_id: str, *, if_match: str = "*") -> TestResponse:
    return clinic.put(f"{DESK}/{referral_id}/patient", if_match=if_match, json={"patient_external_id": external_id})


def send_document(partner: Knocker, referral_id: str, content: bytes = PDF) -> TestResponse:
    return partner.put(f"{PARTNERS}/{referral_id}/document", data=content, content_type="application/pdf")


def verify(clinic: Knocker, referral_id: str, document_sha256: str, **changed: Any) -> TestResponse:
    body = {**PaperConsentAsk.example, "document_sha256": document_sha256, **changed}
    return clinic.post(f"{DESK}/{referral_id}/document-verification", json=body)


def name_of(refused: TestResponse) -> str:
    return str(refused.json["type"]).rsplit("/", 1)[1]


def key() -> str:
    return str(uuid.uuid4())
