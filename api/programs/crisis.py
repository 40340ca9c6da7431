"""Where help is to be found in a crisis, in both languages: never more than is true.

911 and 988 (call and text; in the United States, around the clock) stand first whatever else is known. The
clinic's line stands there only if it is configured, and is called open or closed only where hours are stated.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.programs import hours, presentation
from api.programs.about import Clinic
from api.programs.edition import Location

Json = dict[str, Any]

HEADLINE = {
    "en": "If you or somebody near you is in immediate danger, or may have taken too much, call 911 now.",
    "es": "Si usted o alguien cercano corre peligro inmediato, o puede haber consumido demasiado, llame al 911 ahora.",
}
MONITORING = {
    "en": "What is sent here is not monitored around the clock. In an emergency, do not wait for an answer.",
    "es": "Lo que se envía aquí no se vigila las 24 horas. En una emergencia, no espere una respuesta.",
}
_LIFELINE = {"en": "988 Suicide & Crisis Lifeline", "es": "988 Línea de Prevención del Suicidio y Crisis"}
_ALWAYS: tuple[tuple[str, str, str, dict[str, str], dict[str, str]], ...] = (
    (
        "emergency",
        "call",
        "911",
        {"en": "911 Emergency", "es": "911 Emergencias"},
        {
            "en": "For immediate danger or an overdose, at any hour.",
            "es": "En peligro inmediato o ante una sobredosis, a cualquier hora.",
        },
    ),
    (
        "lifeline_call",
        "call",
        "988",
        _LIFELINE,
        {
            "en": "Call 988 at any hour to talk with a trained person.",
            "es": "Llame al 988 a cualquier hora para hablar con una persona capacitada.",
        },
    ),
    (
        "lifeline_text",
        "text",
        "988",
        _LIFELINE,
        {
            "en": "Text 988 at any hour.",
            "es": "Envíe un mensaje de texto al 988, a cualquier hora.",
        },
    ),
)
_LINE = {
    True: {"en": "The clinic's line is open now.", "es": "La línea de la clínica está abierta ahora."},
    False: {"en": "The clinic's line is closed now.", "es": "La línea de la clínica está cerrada ahora."},
    None: {
        "en": "The clinic's line. It may not be answered at every hour.",
        "es": "La línea de la clínica. Puede que no se atienda a toda hora.",
    },
}
_ATTENTION = {
    True: {
        "en": "The clinic is open now. It may still take time until a person looks at this.",
        "es": "La clínica está abierta ahora. Aun así puede pasar un tiempo hasta que una persona vea esto.",
    },
    False: {
        "en": "The clinic is closed now. It may take until it opens again before a person looks at this.",
        "es": "La clínica está cerrada ahora. Puede que nadie vea esto hasta que vuelva a abrir.",
    },
    None: {
        "en": "When a person will look at this is not stated.",
        "es": "No se indica cuándo una persona verá esto.",
    },
}
_OVERDOSE_SAFETY = (
    {
        "en": "After a time without using, tolerance is lower: an amount that was usual before can be too much now.",
        "es": "Tras un tiempo sin consumir, la tolerancia es menor: una cantidad antes habitual puede ser demasiada.",
    },
    {
        "en": "Keep naloxone within reach, and let somebody know where it is.",
        "es": "Tenga naloxona a mano y dígale a alguien dónde está.",
    },
    {
        "en": "If you use, try not to be alone.",
        "es": "Si consume, procure no estar a solas.",
    },
    {
        "en": "If somebody cannot be woken or barely breathes, call 911 and give naloxone.",
        "es": "Si alguien no despierta o apenas respira, llame al 911 y administre naloxona.",
    },
)


def help_at(at: datetime, *, clinic: Clinic, locations: Sequence[Location], language: str) -> Json:
    """Crisis help as `CrisisHelpAnswer` has it, with the clinic's line open or closed at `at`."""
    answering = [location for location in locations if location.details["answers_clinic_line"]]
    line = _line(clinic, hours.opening(answering, at=at), language)
    opening = hours.opening(locations, at=at)
    return {
        "headline": HEADLINE[language],
        "resources": _always(language) + line,
        "monitoring_note": MONITORING[language],
        "attention_note": _ATTENTION[opening.open_now if opening else None][language],
    }


def to_keep(*, at: datetime, clinic: Clinic, locations: Sequence[Location], language: str) -> Json:
    """Crisis help as `CrisisConfigAnswer` has it: for keeping, so with hours instead of "now"."""
    answering = [location for location in locations if location.details["answers_clinic_line"] and location.hours]
    return {
        "headline": HEADLINE[language],
        "resources": _always(language) + _line(clinic, None, language),
        "clinic_line_hours": [presentation.opening(one, language, at=at) for one in answering if clinic.phone],
        "monitoring_note": MONITORING[language],
    }


def overdose_safety(language: str) -> list[str]:
    """What may save a life after a return to use, said without blame."""
    return [words[language] for words in _OVERDOSE_SAFETY]


def _always(language: str) -> list[Json]:
    return [
        {
            "key": key,
            "kind": kind,
            "number": number,
            "label": label[language],
            "text": text[language],
            "around_the_clock": True,
        }
        for key, kind, number, label, text in _ALWAYS
    ]


def _line(clinic: Clinic, opening: hours.Opening | None, language: str) -> list[Json]:
    if clinic.phone is None:
        return []
    line = {
        "key": "clinic_line",
        "kind": "call",
        "number": clinic.phone,
        "label": clinic.name,
        "text": _LINE[opening.open_now if opening else None][language],
    }
    return [line | _when(opening, clinic.time_zone) if opening else line]


def _when(opening: hours.Opening, time_zone: str) -> Json:
    return presentation.known(
        {
            "open_now": opening.open_now,
            "open_until": presentation.instant(opening.closes_at) if opening.closes_at else None,
            "opens_at": presentation.instant(opening.opens_at) if opening.opens_at else None,
            "time_zone": time_zone,
        }
    )
