"""Therapies side by side: which are in every program, which only sometimes, and which are not stated."""

from typing import Any

from api.programs import comparison_words as words
from api.programs import wording
from api.programs.edition import Program


def therapies_in_words(program: Program, language: str) -> str:
    """The therapies of one program, each with its condition; empty where none is stated."""
    said = []
    for therapy in program.content.get("therapies", ()):
        name = wording.lower_first(therapy["name"][language])
        condition = therapy.get("condition", {}).get(language)
        said.append(f"{name} ({condition})" if condition else name)
    return wording.listed(said, language)


def differing_therapies(programs: list[Program], language: str) -> str:
    """One sentence for each group of therapies that stand alike in the programs, which all state theirs."""
    if len(programs) == 1:
        name, text = programs[0].short_name(language), therapies_in_words(programs[0], language)
        return words.ALONE[language].format(name=name, text=text)
    alike: dict[str, list[str]] = {}
    for key, name in _names(programs, language).items():
        alike.setdefault(_where(key, programs, language), []).append(name)
    return " ".join(where.format(therapies=_listed(names, language)) for where, names in alike.items())


def _names(programs: list[Program], language: str) -> dict[str, str]:
    every = (therapy for program in programs for therapy in program.content["therapies"])
    return {therapy["key"]: therapy["name"][language] for therapy in every}


def _listed(names: list[str], language: str) -> str:
    return wording.upper_first(wording.listed([wording.lower_first(name) for name in names], language))


def _where(key: str, programs: list[Program], language: str) -> str:
    """Where a therapy is stated, as a template that still waits for the names of the therapies."""
    always = [one.short_name(language) for one in programs if _is(one, key, conditional=False)]
    said = [words.THERAPY_IN[language].format(names=wording.listed(always, language))] if always else []
    said += [_sometimes(one, key, language) for one in programs if _is(one, key, conditional=True)]
    silent = [one.short_name(language) for one in programs if _therapy(one, key) is None]
    if silent:
        said.append(words.THERAPY_NOT_STATED[language].format(names=wording.listed(silent, language)))
    return "{therapies}: " + "; ".join(said) + "."


def _sometimes(program: Program, key: str, language: str) -> str:
    condition = (_therapy(program, key) or {})["condition"][language]
    return words.THERAPY_CONDITIONAL[language].format(name=program.short_name(language), condition=condition)


def _is(program: Program, key: str, *, conditional: bool) -> bool:
    therapy = _therapy(program, key)
    return therapy is not None and therapy["conditional"] is conditional


def _therapy(program: Program, key: str) -> dict[str, Any] | None:
    return next((one for one in program.content.get("therapies", ()) if one["key"] == key), None)
