"""An id that leads nowhere is one 404, whatever it is the id of; what is another patient's is that same 404."""

import uuid
from collections.abc import Iterator

import pytest

from tests.contract.documents import NAMED
from tests.contract.rules import Json
from tests.matrix.asking import PLACES, Matrix, names, parameters
from tests.matrix.rights import RIGHTS
from tests.rules.doors import said
from tests.world import THERE

# The record system brings its patients by their own ids: whoever is not there is there from now on.
BRINGS = ("putPatient",)
ADDRESSED = [name for name in NAMED if names(name, "path")]
OF_SYSTEMS = [name for name in ADDRESSED if RIGHTS[name].kind in ("clinic", "partner") and name not in BRINGS]


@pytest.fixture(autouse=True)
def swept() -> None:
    """In place of the sweeping after each test: the clinic stays furnished for all operations."""


def nobodys(parameter: Json, matrix: Matrix) -> Iterator[str]:
    """Ids of nothing, of something of another kind, and what could be no id at all."""
    other = matrix.there("series_id" if parameter["name"] != "series_id" else "patient_id")
    yield from (str(uuid.uuid4()), str(uuid.uuid4()), str(other))
    if parameter["schema"].get("format") != "uuid":
        yield from ("nobody", "x" * 101, "no%00body", "é")


def test_every_address_leads_to_something_in_the_demo_clinic(matrix: Matrix) -> None:
    used = {one for name in ADDRESSED for one in names(name, "path")}
    assert used <= set(THERE)
    assert not [one for one in used if matrix.there(one) is None]


def test_what_belongs_to_a_patient_is_known_to_the_rule_of_doors() -> None:
    """`tests/rules/test_doors.py` compares the answers, to the byte, of all of them."""
    mine = {name for name in ADDRESSED if PLACES[name][1].startswith("/v1/me/")}
    assert mine == {name for name, right in RIGHTS.items() if right.whose}
    assert {"deleteMyAppSession", "deleteMyPasskey"} <= mine


@pytest.mark.parametrize("name", OF_SYSTEMS)
def test_nobodys_is_one_404_for_systems_too(name: str, matrix: Matrix) -> None:
    right = RIGHTS[name]
    for parameter in parameters(name, "path"):
        told = [
            said(matrix.ask(name, right, right.kind, whole=True, **{parameter["name"]: one}))
            for one in nobodys(parameter, matrix)
        ]
        status, body, _ = told[0]
        assert (status, body["type"].rsplit("/", 1)[1]) == (404, "not-found"), parameter["name"]
        assert [one for one in told if one != told[0]] == [], parameter["name"]
