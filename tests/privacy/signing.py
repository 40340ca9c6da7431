"""How these tests have a consent signed as the app does: read the form, sign what was read."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from api import vocabulary
from tests.conftest import add_client
from tests.knocking import Knocker
from tests.world import freshly

FORM, CONSENTS = "/v1/me/consent-form", "/v1/me/consents"
OF_TREATMENT = {
    "patient_name": "Sam Rivers",
    "categories": ["presence", "referral_outcome"],
    "purpose": "treatment",
    "expires_on_event": "end_of_treatment",
    "language": "en",
}
OF_A_MATTER = {
    **OF_TREATMENT,
    "categories": ["attendance", "progress"],
    "purpose": "criminal_justice",
    "terms": "criminal_justice",
    "matter": "Case 27-118",
    "revocable": "from_final_disposition",
    "expires_on_event": "final_disposition",
}
NewPartner = Callable[..., str]


@pytest.fixture
def new_partner(superuser: psycopg.Connection[Any]) -> NewPartner:
    """Registers a partner, and gives the id by which a consent names it."""

    def make(kind: str = "treating_provider", name: str = "Harbor Detox") -> str:
        scopes = vocabulary.PARTNER_SCOPES
        return str(add_client(superuser, kind="partner", name=name, scopes=scopes, partner_kind=kind))

    return make


@pytest.fixture
def sure(patient: Knocker) -> Knocker:
    """A patient who has just proved who they are."""
    return freshly(patient)


def sign(patient: Knocker, wanted: dict[str, Any], **more: Any) -> Any:
    """The answer to signing what the form said; `more` is sent besides."""
    shown = patient.post(FORM, key="", json=wanted)
    assert shown.status_code == 200, shown.text
    signed = {**wanted, "text_sha256": shown.json["text_sha256"], "signature": "Sam Rivers"}
    return patient.post(CONSENTS, json={**signed, **more})


def given(patient: Knocker, wanted: dict[str, Any]) -> dict[str, Any]:
    """A consent that was given."""
    answer = sign(patient, wanted)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def slug(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rpartition("/")[2]
