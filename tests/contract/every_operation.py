"""Every operation, asked by the caller it is made for, answers only what its contract says."""

import pytest

from api.app import Continuum
from tests.contract import behaviour
from tests.contract.conftest import House
from tests.contract.documents import NAMED


@pytest.fixture(autouse=True)
def swept() -> None:
    """In place of the sweeping after each test: the house stays furnished for all operations."""


@pytest.mark.parametrize("name", NAMED)
def test_the_operation_answers_what_the_contract_says(name: str, app: Continuum, house: House) -> None:
    assert behaviour.knock(name, app, house.own(name), house.known(name), behaviour.EXAMPLES)
