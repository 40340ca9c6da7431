"""Every operation, asked by the caller it is made for, answers only what its contract says."""

from collections.abc import Mapping

import pytest

from api.app import Continuum
from tests.contract import behaviour
from tests.contract.documents import NAMED


@pytest.mark.parametrize("name", NAMED)
def test_the_operation_answers_what_the_contract_says(
    name: str, app: Continuum, own_headers: Mapping[str, str], known: Mapping[str, str]
) -> None:
    assert behaviour.knock(name, app, own_headers, known, behaviour.EXAMPLES)
