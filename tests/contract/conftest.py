"""Callers and things that are there, for requests made from the contract."""

import pytest

from tests.contract.documents import NAMED
from tests.knocking import Knocker


@pytest.fixture
def callers(visitor: Knocker, patient: Knocker, clinic: Knocker) -> dict[str, dict[str, str]]:
    """The headers that each kind of caller always sends; the operation's own are drawn."""
    return {
        "public": {},
        "patient": {"Authorization": patient.headers["Authorization"]},
        "clinic": {"Authorization": clinic.headers["Authorization"]},
    }


@pytest.fixture
def own_headers(name: str, callers: dict[str, dict[str, str]]) -> dict[str, str]:
    """What the caller sends for whom the operation `name` is made."""
    security = NAMED[name]["security"]
    return callers[next(iter(security[0]))] if security else {}


@pytest.fixture
def known(patient: Knocker) -> dict[str, str]:
    """Path parameters that lead somewhere, by name."""
    return {"external_id": patient.external_id or ""}
