"""Check-ins and instruments as they are answered; texts in the reader's language where the instrument has them."""

from collections.abc import Mapping
from typing import Any

import orjson

from api.checkins import instruments, scoring, words
from api.checkins.answers import MEMBERS
from api.checkins.instruments.model import Instrument, Item, Option, Vector, Words
from api.checkins.models import CheckIn, Kept
from api.programs import crisis

Json = dict[str, Any]


def one(kept: CheckIn | Kept, *, help: Json, language: str, asks_for_help: bool = False, told: bool = False) -> Json:
    """As `CheckInAnswer` has it: crisis help beside it, and the words that go with its answers. `asks_for_help`: the
    running request does, whatever was kept; `told`: the clinic's duty staff is told because of it."""
    return {
        "help_first": kept.safety or asks_for_help,
        "help": help,
        "overdose_safety": crisis.overdose_safety(language) if kept.answers.get("used") == "yes" else [],
        "messages": _messages(kept, language, told),
        **summary(kept),
    }


def as_json(kept: Kept, *, help: Json, language: str, **of_request: bool) -> bytes:
    """What `CheckInAnswer` makes of `one`, without going through it: a daily check-in is what phones write most."""
    shown = one(kept, help=help, language=language, **of_request)
    return orjson.dumps({name: value for name, value in shown.items() if value is not None}, option=_INSTANTS)


_INSTANTS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


def summary(kept: CheckIn | Kept) -> Json:
    """As `CheckInSummaryAnswer` has it."""
    return {
        "id": kept.id,
        "instrument": kept.instrument,
        "instrument_version": kept.instrument_version,
        "answers": given(kept.instrument, kept.instrument_version, kept.answers),
        "complete": kept.complete,
        "total": kept.total,
        "flags": kept.flags,
        "occurred_at": kept.occurred_at,
        "received_at": kept.received_at,
    }


def for_staff(kept: CheckIn) -> Json:
    """As `ClinicCheckInAnswer` has it: with the band, and what is known of its review."""
    instrument = instruments.version(kept.instrument, kept.instrument_version)
    score = scoring.of_total(instrument, kept.total) if instrument else None
    return {
        **summary(kept),
        "self_reported": True,
        "reviewed": kept.reviewed_at is not None,
        "reviewed_at": kept.reviewed_at,
        "reviewed_by": kept.reviewed_by,
        "reviewed_role": kept.reviewed_role,
        "band": score.band if score else None,
        "screen_positive": score.screen_positive if score else None,
        "safety": kept.safety,
        "told_at": kept.told_at,
        "sent_at": kept.sent_at,
    }


def given(key: str, version: str, answers: Mapping[str, int | str]) -> list[Json]:
    """Answers by item as a list, in the instrument's order."""
    instrument = instruments.version(key, version)
    items = instrument.items if instrument else ()
    return [{"item": item.key, MEMBERS[item.kind]: answers[item.key]} for item in items if item.key in answers]


def instrument_summary(instrument: Instrument, language: str) -> Json:
    return {
        "key": instrument.key,
        "version": instrument.version,
        "title": said(instrument.title, language),
        "language": language if language in instrument.languages else instrument.languages[0],
        "languages": list(instrument.languages),
        "validated": instrument.validated,
        "about": said(instrument.about, language),
    }


def instrument(shown: Instrument, *, help: Json, language: str) -> Json:
    """As `InstrumentAnswer` has it. No bands: those are for staff."""
    return {
        **instrument_summary(shown, language),
        "who_sees": said(words.WHO_SEES, language),
        "help": help,
        "instruction": said(shown.instruction, language),
        "items": [_item(item, language) for item in shown.items],
        "scoring": _scoring(shown, language),
        "test_vectors": [_vector(shown, vector) for vector in shown.vectors],
        "source": shown.source,
        "notice": shown.notice,
        "loinc": shown.loinc,
    }


def said(texts: Words, language: str) -> str:
    """The text in the language, or in the one that it exists in."""
    return texts.get(language) or next(iter(texts.values()))


def _messages(kept: CheckIn | Kept, language: str, told: bool) -> list[str]:
    scored = instruments.version(kept.instrument, kept.instrument_version)
    without_number = scored is not None and scored.scoring is not None and kept.total is None
    texts = [
        words.TOLD if told else None,
        words.NO_TOTAL if without_number else None,
        words.TOGETHER,
    ]
    return [said(text, language) for text in texts if text]


def _item(item: Item, language: str) -> Json:
    return {
        "key": item.key,
        "kind": item.kind,
        "text": said(item.text, language),
        "options": [_option(option, language) for option in item.options],
        "minimum": item.minimum,
        "maximum": item.maximum,
        "focus": item.focus,
        "note": said(item.note, language) if item.note else None,
        "safety": item.safety is not None,
        "loinc": item.loinc,
    }


def _option(option: Option, language: str) -> Json:
    return {
        "label": said(option.label, language),
        "number": option.number,
        "choice": option.choice,
        "loinc": option.loinc,
    }


def _scoring(shown: Instrument, language: str) -> Json:
    if shown.scoring is None:
        return {"text": said(words.NO_SCORE, language), "items": []}
    return {
        "text": said(words.SUM_OF_ITEMS, language),
        "items": list(shown.scoring.items),
        "minimum": shown.scoring.minimum,
        "maximum": shown.scoring.maximum,
        "loinc": shown.scoring.loinc,
    }


def _vector(shown: Instrument, vector: Vector) -> Json:
    return {
        "name": vector.name,
        "answers": given(shown.key, shown.version, vector.answers),
        "total": vector.total,
        "complete": scoring.score(shown, vector.answers).complete,
        "safety": vector.safety,
    }
