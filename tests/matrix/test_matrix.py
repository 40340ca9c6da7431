"""Every operation, asked by every caller: each is let in or refused as its hand-kept line says; none is left out."""

from dataclasses import replace
from pathlib import Path

import pytest

from api.app import Continuum
from tests.contract.documents import DOCUMENT, NAMED
from tests.contract.rules import Json, resolved
from tests.contract.test_examples import MADE_ELSEWHERE
from tests.matrix import bad
from tests.matrix.asking import PLACES, Matrix
from tests.matrix.callers import CALLERS
from tests.matrix.rights import LET_IN, RIGHTS, Right, form, outcome, patient, public

TESTS = Path(__file__).parents[1]
# Writes that succeed elsewhere than among the contract's examples, where no phone answers a challenge.
SUCCEED_IN = {
    "createMyPasskey": "access/test_my_passkeys.py",
    "putMyTotp": "access/test_my_passwords.py",
    "confirmMyPhone": "messages/test_phones.py",
    "confirmMyEmail": "messages/test_unsubscribe.py",
}


@pytest.fixture(autouse=True)
def swept() -> None:
    """In place of the sweeping after each test: the clinic stays furnished for all operations."""


def test_every_operation_has_a_line_and_every_line_an_operation() -> None:
    assert set(RIGHTS) == set(NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_the_contract_says_what_the_line_says(name: str) -> None:
    assert unlike(RIGHTS[name], name) == []


@pytest.mark.parametrize("name", NAMED)
def test_each_caller_is_let_in_or_refused_as_the_line_says(name: str, matrix: Matrix) -> None:
    before = matrix.picture()
    found = matrix.misfits(name, RIGHTS[name])
    assert not found, "\n".join(found)
    # Whole requests were refused and broken ones let in: none of them did anything.
    assert RIGHTS[name].kind == "oauth" or matrix.picture() == before


def test_every_write_succeeds_somewhere() -> None:
    assert set(MADE_ELSEWHERE) <= set(SUCCEED_IN)
    for name, file in SUCCEED_IN.items():
        assert PLACES[name][1] in (TESTS / file).read_text()


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("getMe", patient("me:write")),
        ("getMe", public()),
        ("getMe", patient("me:read", fresh=True)),
        ("getProgram", patient("me:read")),
        ("putMyPassword", patient("account:write")),
        ("getMySession", patient("sessions:read")),
        ("requestToken", public()),
        ("getMe", form()),
    ],
)
def test_a_line_that_says_something_else_is_noticed(name: str, right: Right) -> None:
    assert unlike(right, name)


@pytest.mark.parametrize(
    ("name", "noticed_by"),
    [
        ("getMe", {"patient with too little scope"}),
        ("getMyPreferences", {one for one in CALLERS if outcome(RIGHTS["getMyPreferences"], CALLERS[one]) != LET_IN}),
        ("offerMyTotp", {one for one, caller in CALLERS.items() if not caller.fresh}),
    ],
)
def test_a_door_that_is_made_wrong_is_noticed(name: str, noticed_by: set[str], matrix: Matrix, app: Continuum) -> None:
    found = replace(matrix, app=bad.made(app)).misfits(name, RIGHTS[name])
    assert {one.split(": ")[0].removeprefix(f"{name}, ") for one in found} >= noticed_by


def unlike(right: Right, name: str) -> list[str]:
    """What the contract says otherwise than the line."""
    operation = NAMED[name]
    told = {"security": operation["security"], "form": PLACES[name][1].startswith("/oauth/")}
    meant = {"security": [{right.kind: right.scope.split()}] if right.scope else [], "form": right.kind == "oauth"}
    told |= {"fresh": "step-up-required" in problems(operation, "401")}
    meant |= {"fresh": right.fresh}
    if right.kind == "patient":
        told |= {"whose": "{" in PLACES[name][1] and "404" in operation["responses"]}
        meant |= {"whose": right.whose}
    return [one for one, said in meant.items() if told[one] != said]


def problems(operation: Json, status: str) -> set[str]:
    """The names of the problems that the contract shows for a status."""
    if status not in operation["responses"]:
        return set()
    content = resolved(DOCUMENT, operation["responses"][status])["content"]
    return {name for media in content.values() for name in media.get("examples", {})}
