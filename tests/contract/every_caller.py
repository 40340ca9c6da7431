"""Every operation, asked by every caller it is not made for. `make contract` runs this; it takes minutes."""

import pytest

from api.app import Continuum
from tests.contract import behaviour
from tests.contract.conftest import House, own_kind
from tests.contract.documents import NAMED

KINDS = ("public", "patient", "unproved", "partner", "clinic")
OTHERS = [(name, kind) for name in NAMED for kind in KINDS if kind != own_kind(name)]


@pytest.fixture(autouse=True)
def swept() -> None:
    """In place of the sweeping after each test: the house stays furnished for all operations."""


@pytest.mark.parametrize(("name", "kind"), OTHERS)
def test_the_operation_answers_others_what_the_contract_says(
    name: str, kind: str, app: Continuum, house: House
) -> None:
    answers = behaviour.knock(name, app, house.callers[kind], house.known(name), behaviour.EXAMPLES)
    assert answers
    if own_kind(name) != "public":
        # Addresses that are none, or too long, are refused before anybody asks who is there.
        assert {401} <= {answer.status_code for answer in answers} <= {401, 404, 414}
