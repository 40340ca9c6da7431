"""Finding programs by what people call them: names, aliases, umbrella terms, therapies, in any language.

Umbrella terms ("drug rehab") are how people search, not how the clinic names anything: they are looked
through here and shown nowhere.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from api.programs.edition import Program
from api.programs.wording import LANGUAGES


def found(program: Program, asked: Mapping[str, Any]) -> bool:
    """Whether the program is among what `ProgramsQuery` asks for. What is not stated is not found by a filter."""
    content = program.content
    return (
        matches(program, asked["q"])
        and asked["level"] in (None, content["level_of_care"], content.get("asam", {}).get("code"))
        and (asked["track"] is None or asked["track"] in content.get("tracks", ()))
        and (asked["setting"] is None or asked["setting"] in content.get("settings", ()))
    )


def matches(program: Program, asked: str) -> bool:
    """Whether each word asked for begins a word of the program's names; a search without words leaves all in."""
    words = {word for name in _names(program) for word in _words(name)}
    return all(any(word.startswith(part) for word in words) for part in _words(asked) or _nothing(asked))


def _nothing(asked: str) -> list[str]:
    """Signs alone are no word that anybody calls a program by, but blanks and dashes ask for nothing."""
    return [asked] if asked.strip(" -") else []


def _names(program: Program) -> Iterator[str]:
    content = program.content
    yield program.slug
    for language in LANGUAGES:
        yield program.name(language)
        yield from content["aliases"][language]
        yield from content["search_terms"][language]
        yield from (therapy["name"][language] for therapy in content.get("therapies", ()))


def _words(text: str) -> list[str]:
    """Lower-case words without accents; a plural "s" is dropped, so that "IOPs" asks for "IOP"."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    found = re.findall(r"\w+", "".join(sign for sign in plain if not unicodedata.combining(sign)).replace("_", " "))
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in found]
