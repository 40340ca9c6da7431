"""Anyone's door to the questionnaires: what is asked, who sees the answers, and where help is."""

from typing import Any

import orjson
from flask import Response

from api import clock, errors, language
from api.blueprint import Door
from api.checkins import help as crisis_help
from api.checkins import instruments, offering, showing
from api.checkins.instruments.model import Instrument
from schemas.instruments import InstrumentAnswer, InstrumentQuery, InstrumentsAnswer

door = Door("instruments", kind="public", tag="Instruments", open_to_anyone=True)

# Whether the clinic's line is open changes by the clock, so a copy may be a minute old and no older.
CACHING = {
    "Cache-Control": "public, max-age=60",
    "Vary": "Accept, Accept-Language",
    "Access-Control-Allow-Origin": "*",
}


@door.get("/instruments", operation="listInstruments", summary="Questionnaires offered now", hot=True)
@door.answers(InstrumentsAnswer)
def list_instruments() -> Response:
    """Those that the clinic offers, in their current version. None is offered with safety items while there is
    nobody to tell of an answer to them."""
    spoken = language.accepted()
    items = [showing.instrument_summary(one, spoken) for one in offering.offered()]
    return _answer(InstrumentsAnswer, {"help": _help(spoken), "items": items}, spoken)


@door.get(
    "/instruments/<key>",
    operation="getInstrument",
    summary="One questionnaire",
    refusals=[errors.NotFound],
    hot=True,
)
@door.query(InstrumentQuery)
@door.answers(InstrumentAnswer)
def get_instrument(query: dict[str, Any], key: str) -> Response:
    """Whole, with scoring and worked examples of it, and `who_sees`, which is to be shown before the first question.
    It comes in the language asked for only where it was published in it."""
    spoken = language.accepted()
    found = _found(key, query["version"])
    return _answer(InstrumentAnswer, showing.instrument(found, help=_help(spoken), language=spoken), spoken)


def _found(key: str, number: str | None) -> Instrument:
    found = instruments.version(key, number) if number else instruments.current(key)
    if found is None or not offering.is_offered(found):
        raise errors.NotFound
    return found


def _help(spoken: str) -> dict[str, Any]:
    return crisis_help.in_public(at=clock.now(), language=spoken)


def _answer(schema: Any, found: dict[str, Any], spoken: str) -> Response:
    response = Response(orjson.dumps(schema().dump(found)), mimetype="application/json")
    response.headers.update(CACHING)
    response.headers["Content-Language"] = spoken
    return response
