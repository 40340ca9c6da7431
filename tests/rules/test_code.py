"""The source keeps the rules of the house, and each rule rejects its bad example."""

import ast
from pathlib import Path

import pytest

from tests.rules.code import DELIVERS_TO_THE_LOG, MAY_ASK_THE_CLOCK, ROOT, RULES, SHARED_BY_DOORS, findings, sources

BAD = Path(__file__).parent / "bad"


@pytest.mark.parametrize("name", RULES)
def test_the_source_keeps_the_rule(name: str) -> None:
    found = [one for path, tree in sources("api", "schemas", "migrations") for one in findings(name, path, tree)]
    assert found == []


@pytest.mark.parametrize("name", RULES)
def test_the_rule_rejects_its_bad_example(name: str) -> None:
    """The first line of a bad example says which file it pretends to be; `# bad` marks each line to be found."""
    text = (BAD / f"{name}.py").read_text()
    pretended = text.splitlines()[0].removeprefix("# ")
    expected = {number for number, line in enumerate(text.splitlines(), start=1) if line.endswith("# bad")}
    assert {int(one.split(":")[1]) for one in findings(name, pretended, ast.parse(text))} == expected != set()


def test_every_bad_example_has_its_rule() -> None:
    assert {file.stem for file in BAD.glob("*.py")} >= set(RULES)


def test_exceptions_are_still_needed() -> None:
    rooms = {file.stem for file in (ROOT / "api").glob("*/*.py")}
    assert rooms >= {*MAY_ASK_THE_CLOCK, *SHARED_BY_DOORS}
    assert all((ROOT / path).exists() for path in DELIVERS_TO_THE_LOG)
