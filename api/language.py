"""English or Spanish for what a person reads: the patient's own choice, else what the request accepts."""

from collections.abc import Callable
from functools import lru_cache
from uuid import UUID

from flask import g, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from api import vocabulary

_preferred: Callable[[UUID], str | None] = lambda patient_id: None  # noqa: E731


def ask_preference(of_patient: Callable[[UUID], str | None]) -> None:
    """Use `of_patient` to learn a patient's own language, inside a transaction."""
    global _preferred
    _preferred = of_patient


def accepted() -> str:
    """The first language of ours in the order of Accept-Language, by its primary tag (RFC 4647 §3.4); else English."""
    return _first(request.environ.get("HTTP_ACCEPT_LANGUAGE", ""))


@lru_cache(maxsize=512)
def _first(header: str) -> str:
    """Kept for the few different headers that are sent: parsing one takes longer than finding a ready answer."""
    for tag, quality in parse_accept_header(header, LanguageAccept):
        if quality and (primary := tag.partition("-")[0].lower()) in vocabulary.LANGUAGES:
            return primary
    return vocabulary.LANGUAGES[0]


def chosen() -> str:
    """The language of the running request's answer: a patient's own choice wins."""
    if "language" not in g:
        caller = g.get("caller")
        own = _preferred(caller.patient_id) if caller and caller.patient_id and g.get("in_transaction") else None
        g.language = own or accepted()
    found: str = g.language
    return found
