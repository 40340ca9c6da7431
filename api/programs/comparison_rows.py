"""The rows of the comparison: what stands in a program's cell, and how those that state it differ."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from api.programs import comparison_words as words
from api.programs import presentation, ranges, wording
from api.programs.edition import Edition, Program
from api.programs.therapies import differing_therapies, therapies_in_words


@dataclass(frozen=True, slots=True)
class Value:
    """What a program states: in words, and as a range where it is a number."""

    text: str
    range: dict[str, Any] | None = None


Differ = Callable[[Edition, list[Program], str], str]


@dataclass(frozen=True, slots=True)
class Row:
    """`differ` speaks of the programs that state a value; `relation`, where given, of all of them."""

    key: str
    value: Callable[[Edition, Program, str], Value | None]
    differ: Differ
    relation: Differ | None = None


def range_of(key: str, program: Program) -> ranges.Range | None:
    """The stated range, or for `hours_per_week` the derived one."""
    if key != "hours_per_week":
        return program.content.get(key)
    return ranges.hours_per_week(program.content.get("frequency"), program.content.get("session_length"))


def _in_words(key: str) -> Row:
    """A quality said in sentences; compared by its few words."""

    def value(_: Edition, program: Program, language: str) -> Value | None:
        said = program.content.get(key)
        return Value(_whole_text(said, language)) if said else None

    def differ(_: Edition, programs: list[Program], language: str) -> str:
        short = _each(key, [(one, one.content[key]["in_short"][language]) for one in programs], language)
        return " ".join([short, *_notes(key, programs, language)])

    return Row(key, value, differ)


def _whole_text(said: dict[str, Any], language: str) -> str:
    if "text" in said:
        return presentation.quality(said, language)
    first, *others = (person[language] for person in said["people"])
    return "; ".join([first, *map(wording.lower_first, others)])


def _notes(key: str, programs: list[Program], language: str) -> list[str]:
    """What is noted of the quality, once where it is noted of several."""
    noted = [note[language] for one in programs if (note := one.content[key].get("note"))]
    return list(dict.fromkeys(noted))


def _each(key: str, texts: list[tuple[Program, str]], language: str) -> str:
    template = words.SAYS[key][language]
    said = [template.format(name=one.short_name(language), text=text) for one, text in texts]
    joint = ". " if key.startswith("steps") else "; "
    return joint.join(wording.upper_first(one) if joint == ". " else one for one in said) + "."


def _number(key: str) -> Row:
    def value(_: Edition, program: Program, language: str) -> Value | None:
        span = range_of(key, program)
        return Value(ranges.in_words(span, language), presentation.span_in(span, language)) if span else None

    def differ(_: Edition, programs: list[Program], language: str) -> str:
        if len(programs) == 1:
            return _alone(programs[0], ranges.in_words(range_of(key, programs[0]) or {}, language), language)
        return " ".join(_ordered(key, programs, language) + _unordered(key, programs, language))

    return Row(key, value, differ)


def _alone(program: Program, text: str, language: str) -> str:
    return words.ALONE[language].format(name=program.short_name(language), text=text)


def _ordered(key: str, programs: list[Program], language: str) -> list[str]:
    if key == "hours_per_week" and len(programs) == 2:
        return _by_how_much(key, programs, language)
    return _more(key, programs, lambda one, other: _exceeds(range_of(key, one), range_of(key, other)), language)


def _by_how_much(key: str, programs: list[Program], language: str) -> list[str]:
    for one, other in (programs, programs[::-1]):
        more, less = range_of(key, one), range_of(key, other)
        if more and less and _exceeds(more, less):
            gap = {**more, "min": more["min"] - less["max"], "max": more["max"] - less["min"]}
            names = {"name": one.short_name(language), "others": other.short_name(language)}
            return [words.MORE_BY[language].format(text=ranges.in_words(gap, language), **names)]
    return []


def _more(key: str, programs: list[Program], more: Callable[[Program, Program], bool], language: str) -> list[str]:
    said = []
    for one in programs:
        if others := [other.short_name(language) for other in programs if more(one, other)]:
            names = {"name": one.short_name(language), "others": wording.listed(others, language)}
            said.append(words.MORE[key][language].format(**names))
    return said


def _exceeds(one: ranges.Range | None, other: ranges.Range | None) -> bool:
    """Whether all of `one` lies above all of `other`. A day holds a session at least, so days may exceed
    sessions; never the reverse, nor minutes of what is not the same."""
    if not one or not other or one["min"] <= other["max"]:
        return False
    lengths = {"minutes_per_day", "minutes_per_session"}
    return one["unit"] in (other["unit"], "days_per_week") or {one["unit"], other["unit"]} == lengths


def _unordered(key: str, programs: list[Program], language: str) -> list[str]:
    """What keeps two ranges from being more or less: they overlap, or they count different things."""
    said = []
    for one, other in combinations(programs, 2):
        first, second = range_of(key, one) or {}, range_of(key, other) or {}
        if key == "frequency" and first["unit"] != second["unit"]:
            said.append(_units(one, other, language))
        elif not _exceeds(first, second) and not _exceeds(second, first):
            names = wording.listed([one.short_name(language), other.short_name(language)], language)
            said.append(words.OVERLAP[language].format(names=names))
    return said


def _units(one: Program, other: Program, language: str) -> str:
    counted = [
        words.UNITS_DIFFER[program.content["frequency"]["unit"].split("_")[0]][language].format(
            name=program.short_name(language)
        )
        for program in (one, other)
    ]
    return f"{wording.listed(counted, language)}."


def _intensities(edition: Edition, programs: list[Program], language: str) -> str:
    said = _more("intensity", programs, lambda one, other: edition.less_intense(other.slug, one.slug), language)
    for one, other in combinations(programs, 2):
        if not edition.less_intense(one.slug, other.slug) and not edition.less_intense(other.slug, one.slug):
            names = wording.listed([one.short_name(language), other.short_name(language)], language)
            said.append(words.ORDER_NOT_STATED[language].format(names=names))
    return " ".join(said)


def _lasting(_: Edition, program: Program, language: str) -> Value | None:
    duration = program.content.get("duration")
    return Value(ranges.duration_in_words(duration, language)) if duration else None


def _lengths(_: Edition, programs: list[Program], language: str) -> str:
    said = []
    for one in programs:
        duration = one.content["duration"]
        template = words.USUAL_LENGTH if "min_weeks" in duration else words.NO_SET_END
        text = ranges.duration_in_words(duration, language)
        said.append(template[language].format(name=one.short_name(language), text=text))
    return "; ".join(said) + "."


def _said(key: str, text: Callable[[Edition, Program, str], str | None]) -> Row:
    """A fact whose words are made from data."""

    def value(edition: Edition, program: Program, language: str) -> Value | None:
        said = text(edition, program, language)
        return Value(said) if said else None

    def differ(edition: Edition, programs: list[Program], language: str) -> str:
        return _each(
            key, [(one, wording.lower_first(text(edition, one, language) or "")) for one in programs], language
        )

    return Row(key, value, differ)


def _living(_: Edition, program: Program, language: str) -> str | None:
    residential = program.content.get("residential")
    return None if residential is None else wording.LIVING[residential][language]


def _offered(_: Edition, program: Program, language: str) -> str | None:
    return None if program.offered_here is None else wording.OFFERED[program.offered_here][language]


def _hours_of_day(_: Edition, program: Program, language: str) -> str | None:
    tracks = [wording.TRACKS[track][language] for track in program.content.get("tracks", ())]
    return wording.HOURS_OF_DAY[language].format(wording.listed(tracks, language, joint="or")) if tracks else None


def _before(edition: Edition, program: Program, language: str) -> str | None:
    names = [one.short_name(language) for one in edition.steps_from(program.slug)]
    return wording.listed(names, language, joint="or") or None


def _after(edition: Edition, program: Program, language: str) -> str | None:
    names = [one.short_name(language) for one in edition.steps_to(program.slug)]
    return wording.listed(names, language, joint="or") or None


def _therapies(_: Edition, program: Program, language: str) -> Value | None:
    said = therapies_in_words(program, language)
    return Value(said) if said else None


_intensity = _in_words("intensity")

ROWS = (
    Row("intensity", _intensity.value, _intensity.differ, relation=_intensities),
    _in_words("structure"),
    _in_words("supervision"),
    _number("frequency"),
    _number("session_length"),
    _number("hours_per_week"),
    Row("duration", _lasting, _lengths),
    Row("therapies", _therapies, lambda _, programs, language: differing_therapies(programs, language)),
    _said("living", _living),
    _said("hours_of_day", _hours_of_day),
    _in_words("flexibility"),
    _in_words("goal"),
    _in_words("suits"),
    _said("steps_from", _before),
    _said("steps_to", _after),
    _said("offered_here", _offered),
)
