"""Crisis help: the right numbers first, and never more than is true."""

from dataclasses import replace
from datetime import UTC, datetime, time
from uuid import UUID

import pytest

from api.programs import about, crisis
from api.programs.edition import Closure, Hours, Location
from schemas.crisis import CrisisConfigAnswer, CrisisHelpAnswer

CLINIC = about.Clinic(name="Example Clinic", phone="+1 555 0100")
MONDAY_TEN = datetime(2026, 11, 23, 15, tzinfo=UTC)
MONDAY_NIGHT = datetime(2026, 11, 24, 3, tzinfo=UTC)


def place(**details):
    weekly = tuple(Hours(weekday=day, opens=time(9), closes=time(17)) for day in range(1, 6))
    known = {"answers_clinic_line": True, **details}
    return Location(id=UUID(int=1), details=known, time_zone="America/New_York", hours=weekly)


PLACE = place()


def help_at(at, *, clinic=CLINIC, locations=(PLACE,), language="en"):
    answer = crisis.help_at(at, clinic=clinic, locations=locations, language=language)
    assert CrisisHelpAnswer().load(answer)
    return answer


def line(answer):
    return next((one for one in answer["resources"] if one["key"] == "clinic_line"), None)


@pytest.mark.parametrize("language", ["en", "es"])
def test_911_and_988_by_call_and_text_always_come_first(language):
    answer = help_at(MONDAY_NIGHT, clinic=about.Clinic(), locations=(), language=language)
    assert [(one["kind"], one["number"]) for one in answer["resources"]] == [
        ("call", "911"), ("call", "988"), ("text", "988"),
    ]  # fmt: skip
    assert "911" in answer["headline"]
    assert all(one["around_the_clock"] for one in answer["resources"])


@pytest.mark.parametrize("language", ["en", "es"])
def test_of_988_only_the_number_is_stated_and_no_menu_or_keyword(language):
    said = " ".join(
        one["text"] for one in help_at(MONDAY_TEN, language=language)["resources"] if one["number"] == "988"
    )
    assert not any(hint in said.lower() for hint in ("press", "oprima", "ayuda", "español", "palabra"))


def test_it_says_that_nobody_watches_around_the_clock():
    assert "not monitored around the clock" in help_at(MONDAY_TEN)["monitoring_note"]
    assert "no se vigila las 24 horas" in help_at(MONDAY_TEN, language="es")["monitoring_note"]


def test_the_clinics_line_is_open_now_until_it_closes():
    found = line(help_at(MONDAY_TEN))
    assert (found["open_now"], found["open_until"]) == (True, "2026-11-23T22:00:00Z")
    assert "around_the_clock" not in found
    assert found["time_zone"] == "America/New_York"


def test_the_clinics_line_is_closed_now_and_opens_again():
    found = line(help_at(MONDAY_NIGHT))
    assert (found["open_now"], found["opens_at"]) == (False, "2026-11-24T14:00:00Z")
    assert "open_until" not in found


def test_a_line_that_is_not_configured_is_absent():
    assert line(help_at(MONDAY_TEN, clinic=replace(CLINIC, phone=None))) is None


@pytest.mark.parametrize("locations", [(), (place(answers_clinic_line=False),)], ids=["no place", "not its line"])
def test_a_line_without_stated_hours_is_called_neither_open_nor_closed(locations):
    answer = help_at(MONDAY_TEN, locations=locations)
    assert not {"open_now", "open_until", "opens_at"} & set(line(answer))


def test_when_somebody_looks_is_said_only_as_far_as_it_is_known():
    assert "open now" in help_at(MONDAY_TEN)["attention_note"]
    assert "closed now" in help_at(MONDAY_NIGHT)["attention_note"]
    assert "not stated" in help_at(MONDAY_TEN, locations=())["attention_note"]


def test_on_a_holiday_the_line_is_closed():
    holiday = Closure(UUID(int=2), datetime(2026, 11, 23, 5, tzinfo=UTC), datetime(2026, 11, 24, 5, tzinfo=UTC))
    assert line(help_at(MONDAY_TEN, locations=(replace(place(), closures=(holiday,)),)))["open_now"] is False


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_the_app_keeps_has_hours_and_no_now(language):
    kept = crisis.to_keep(at=MONDAY_TEN, clinic=CLINIC, locations=[place()], language=language)
    assert CrisisConfigAnswer().load(kept)
    assert not {"open_now", "open_until", "opens_at"} & set(line(kept))
    assert kept["clinic_line_hours"][0]["hours"][0] == {"weekday": "monday", "opens": "09:00", "closes": "17:00"}
    assert "attention_note" not in kept


def test_without_a_line_the_app_keeps_no_hours_of_one():
    kept = crisis.to_keep(at=MONDAY_TEN, clinic=about.Clinic(), locations=[place()], language="en")
    assert (line(kept), kept["clinic_line_hours"]) == (None, [])


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("tolerance", "naloxone", "alone")), ("es", ("tolerancia", "naloxona", "sol"))]
)
def test_overdose_safety_names_tolerance_naloxone_and_company(language, words):
    said = " ".join(crisis.overdose_safety(language))
    assert all(word in said for word in words)
