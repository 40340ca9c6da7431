"""Anyone may read the questionnaires: versioned, with who sees the answers, help, scoring and worked examples."""

from collections.abc import Iterator

import pytest

from api.staff import duty
from tests.knocking import Knocker


@pytest.fixture
def nobody_to_tell() -> Iterator[None]:
    before = duty.contacts()
    duty.use((), needed=True)
    yield
    duty.use(before, needed=False)


def test_the_questionnaires_are_listed_in_their_current_version(visitor: Knocker) -> None:
    found = visitor.get("/v1/instruments").json
    assert [(one["key"], one["version"]) for one in found["items"]] == [("daily", "1"), ("phq-9", "1")]
    assert found["help"]["resources"][0]["number"] == "911"


def test_one_says_who_sees_the_answers_and_where_help_is_before_the_first_question(visitor: Knocker) -> None:
    answer = visitor.get("/v1/instruments/phq-9")
    text = answer.get_data(as_text=True)
    assert text.index('"who_sees"') < text.index('"help"') < text.index('"items"')
    assert [one["number"] for one in answer.json["help"]["resources"]][:3] == ["911", "988", "988"]
    assert "not read live" in answer.json["who_sees"]


def test_the_phq_9_stands_as_it_was_published(visitor: Knocker) -> None:
    found = visitor.get("/v1/instruments/phq-9").json
    assert (found["validated"], found["languages"], found["loinc"]) == (True, ["en"], "44249-1")
    item_9 = found["items"][8]
    assert item_9["text"] == "Thoughts that you would be better off dead or of hurting yourself in some way"
    assert (item_9["loinc"], item_9["safety"]) == ("44260-8", True)
    assert [option["number"] for option in item_9["options"]] == [0, 1, 2, 3]
    assert found["scoring"]["items"] == [f"phq9_{number}" for number in range(1, 10)]


def test_it_brings_worked_examples_so_that_a_phone_can_score_alike(visitor: Knocker) -> None:
    vectors = {one["name"]: one for one in visitor.get("/v1/instruments/phq-9").json["test_vectors"]}
    assert vectors["everything nearly every day"]["total"] == 27
    alone = vectors["item 9 alone: no total"]
    assert (alone["answers"], alone["complete"], alone["safety"]) == ([{"item": "phq9_9", "number": 2}], False, True)
    assert "total" not in alone


def test_a_reader_of_spanish_gets_spanish_only_where_it_was_published(visitor: Knocker) -> None:
    headers = {"Accept-Language": "es"}
    daily = visitor.get("/v1/instruments/daily", headers=headers)
    phq9 = visitor.get("/v1/instruments/phq-9", headers=headers).json
    assert (daily.json["language"], daily.json["title"]) == ("es", "Registro diario")
    assert daily.headers["Content-Language"] == "es"
    assert (phq9["language"], phq9["items"][0]["text"]) == ("en", "Little interest or pleasure in doing things")
    assert phq9["who_sees"].startswith("Su equipo")


def test_the_note_says_that_it_is_not_read_live(visitor: Knocker) -> None:
    items = visitor.get("/v1/instruments/daily").json["items"]
    assert "not read live" in next(item["note"] for item in items if item["key"] == "note")


@pytest.mark.parametrize("address", ["gad-7", "phq-9?version=2"])
def test_what_never_stood_is_not_there(visitor: Knocker, address: str) -> None:
    assert visitor.get(f"/v1/instruments/{address}").status_code == 404


def test_an_older_version_stays_readable(visitor: Knocker) -> None:
    assert visitor.get("/v1/instruments/phq-9?version=1").json["version"] == "1"


def test_they_may_be_kept_for_a_minute_by_anyone(visitor: Knocker) -> None:
    headers = visitor.get("/v1/instruments").headers
    assert headers["Cache-Control"] == "public, max-age=60"
    assert "Accept-Language" in headers["Vary"]


def test_production_without_a_duty_contact_offers_nothing_with_safety_items(
    visitor: Knocker, nobody_to_tell: None
) -> None:
    assert visitor.get("/v1/instruments").json["items"] == []
    assert visitor.get("/v1/instruments/phq-9").status_code == 404
