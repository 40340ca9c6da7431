"""Programs and locations as anyone may read them: one language, what is not known left out.

Answers are made as plain JSON values and kept as bytes; tests load them through their schemas. Umbrella
terms that only search may know are not in them.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from api import vocabulary
from api.programs import about, availability, ranges, wording
from api.programs.availability import Availability
from api.programs.edition import Closure, Edition, Hours, Location, Program

Json = dict[str, Any]

# A closure that ended is shown a little longer, for an app that was offline.
CLOSURE_LINGERS = timedelta(days=7)


def program(edition: Edition, one: Program, language: str) -> Json:
    """A program as `ProgramAnswer` has it."""
    content = one.content
    answer = {
        **_step(one, language),
        "id": str(one.id),
        "aliases": content["aliases"][language],
        "orientation_note": wording.ORIENTATION[language] if one.offered_here is None else None,
        **{key: content.get(key) for key in ("level_of_care", "asam", "residential", "tracks", "settings", "source")},
        **{key: content.get(key) for key in ("reviewed_by", "reviewed_on")},
        **{key: _said(content, key, language) for key in ("summary", "description")},
        **{key: quality(content[key], language) for key in _QUALITIES if key in content},
        **_numbers(content, language),
        "therapies": [_therapy(therapy, language) for therapy in content.get("therapies", ())] or None,
        "intensity": _intensity(content.get("intensity"), language),
        "suits": [person[language] for person in content.get("suits", {}).get("people", ())] or None,
        "steps_from": [_step(before, language) for before in edition.steps_from(one.slug)],
        "steps_to": [_step(after, language) for after in edition.steps_to(one.slug)],
        "locations": [{"id": str(at.id), "name": at.details["name"]} for at in edition.places_of(one.slug)],
        "revision": one.revision,
        "published_at": instant(one.published_at),
        "language": language,
        "translation_reviewed": content["translation_reviewed"] if language != "en" else None,
        "placement_note": wording.PLACEMENT[language],
    }
    return known(answer)


def with_availability(edition: Edition, one: Program, language: str, *, at: datetime) -> Json:
    """A program as `ProgramAnswer` has it, with whether somebody new can start where it is offered."""
    found = availability.of_program(edition, one, at=at, good_for=about.clinic().capacity_good_for)
    return known(
        {**program(edition, one, language), "availability": [_available(each, language) for each in found] or None}
    )


def _available(one: Availability, language: str) -> Json:
    return known(
        {
            "location_id": str(one.location.id),
            "location_name": one.location.details["name"],
            "time_zone": one.location.time_zone,
            "state": one.state,
            "text": wording.AVAILABILITY[one.state][language],
            "confirmed_at": instant(one.stated.confirmed_at) if one.stated else None,
            "closed_until": instant(one.closed_until) if one.closed_until else None,
        }
    )


_QUALITIES = ("structure", "supervision", "flexibility", "goal")


def _step(one: Program, language: str) -> Json:
    return known(
        {
            "slug": one.slug,
            "name": one.name(language),
            "short_name": one.short_name(language),
            "offered_here": one.offered_here,
        }
    )


def _numbers(content: Any, language: str) -> Json:
    frequency, length = content.get("frequency"), content.get("session_length")
    found = {
        "frequency": frequency,
        "session_length": length,
        "minutes_per_week": ranges.minutes_per_week(frequency, length),
        "hours_per_week": ranges.hours_per_week(frequency, length),
    }
    spans = {key: span_in(span, language) for key, span in found.items()}
    return {**spans, "duration": duration_in(content.get("duration"), language)}


def span_in(span: ranges.Range | None, language: str) -> Json | None:
    """A range as `RangeAnswer` has it."""
    if span is None:
        return None
    return known({**span, "text": ranges.in_words(span, language), "note": _said(span, "note", language)})


def duration_in(duration: Json | None, language: str) -> Json | None:
    """A duration as `DurationAnswer` has it."""
    if duration is None:
        return None
    text = ranges.duration_in_words(duration, language)
    return known({**duration, "text": text, "note": _said(duration, "note", language)})


def _therapy(therapy: Json, language: str) -> Json:
    said = {key: _said(therapy, key, language) for key in ("name", "condition")}
    return known({"key": therapy["key"], "conditional": therapy["conditional"], **said})


def _intensity(intensity: Json | None, language: str) -> Json | None:
    if intensity is None:
        return None
    return {
        "text": quality(intensity, language),
        "less_than": intensity["less_than"],
        "lowest": intensity["lowest"],
    }


def quality(said: Json, language: str) -> str:
    """A quality in whole sentences, with what is noted of it."""
    return " ".join(words[language] for words in (said["text"], said.get("note")) if words)


def _said(content: Any, key: str, language: str) -> str | None:
    words = content.get(key) if content else None
    return words[language] if words else None


def location(one: Location, language: str, *, at: datetime) -> Json:
    """A location as `LocationAnswer` has it."""
    details = one.details
    return known(
        {
            "id": str(one.id),
            "name": details["name"],
            "address": address(details),
            "phone": details["phone"],
            "programs": details["programs"],
            "asks_room_code": details["asks_room_code"],
            **opening(one, language, at=at),
        }
    )


def opening(one: Location, language: str, *, at: datetime) -> Json:
    """When a location is open: its zone, weekly hours, and closures that are not long over at `at`."""
    return {
        "time_zone": one.time_zone,
        "hours": [weekly(hours) for hours in one.hours],
        "closures": [_closure(closure, language) for closure in one.closures if closure.ends_at > at - CLOSURE_LINGERS],
    }


def address(details: Any) -> Json:
    """A postal address as `AddressAnswer` has it."""
    return known({key: details[key] for key in ("street", "street_2", "city", "region", "postal_code", "country")})


def weekly(hours: Hours) -> Json:
    """Weekly hours as `OpeningHoursAnswer` has them."""
    return {
        "weekday": vocabulary.WEEKDAYS[hours.weekday - 1],
        "opens": hours.opens.strftime("%H:%M"),
        "closes": hours.closes.strftime("%H:%M"),
    }


def _closure(closure: Closure, language: str) -> Json:
    return known(
        {
            "id": str(closure.id),
            "starts_at": instant(closure.starts_at),
            "ends_at": instant(closure.ends_at),
            "reason": closure.reason[language] if closure.reason else None,
        }
    )


def instant(at: datetime) -> str:
    """An instant as the promise writes it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def known(members: Json) -> Json:
    """The members without those that are not known."""
    return {key: value for key, value in members.items() if value is not None}
