"""The clinic's daily check-in, version 1: six short questions of the house's own, none of them validated.

It has no total: each answer stands for itself and against the patient's own earlier days. Words are
person-first; "return to use" is reported without penalty and every question may be left out.
"""

from api.checkins.instruments.model import Instrument, Item, Option, Safety, Vector

NOTE_LENGTH = 1000
SUBSTANCE_USE = "substance_use"

_YES, _NO = {"en": "Yes", "es": "Sí"}, {"en": "No", "es": "No"}


def _ten(low: dict[str, str], high: dict[str, str]) -> tuple[Option, ...]:
    """The two named ends of a 0 to 10 scale; the points between them have no words."""
    return (Option(low, number=0), Option(high, number=10))


ITEMS = (
    Item(
        "safe_now",
        "choice",
        {"en": "Are you safe right now?", "es": "¿Está a salvo en este momento?"},
        options=(Option(_YES, choice="yes"), Option(_NO, choice="no")),
        safety=Safety(harmless=frozenset({"yes", "true", "sí", "si"})),
    ),
    Item(
        "mood",
        "scale",
        {"en": "How is your mood today?", "es": "¿Cómo está su ánimo hoy?"},
        options=_ten({"en": "Very low", "es": "Muy bajo"}, {"en": "Very good", "es": "Muy bueno"}),
        minimum=0,
        maximum=10,
    ),
    Item(
        "slept_hours",
        "number",
        {"en": "About how many hours did you sleep last night?", "es": "¿Cuántas horas durmió anoche, más o menos?"},
        minimum=0,
        maximum=24,
    ),
    Item(
        "craving",
        "scale",
        {
            "en": "How strong were your cravings or urges to use today, at their strongest?",
            "es": "¿Qué tan fuertes fueron hoy sus ganas o impulsos de consumir, en su punto más alto?",
        },
        options=_ten({"en": "None", "es": "Ninguna"}, {"en": "Strongest imaginable", "es": "Las más fuertes posibles"}),
        minimum=0,
        maximum=10,
        focus=SUBSTANCE_USE,
    ),
    Item(
        "used",
        "choice",
        {
            "en": "Since your last check-in, have you used alcohol or other drugs?",
            "es": "Desde su último registro, ¿ha consumido alcohol u otras drogas?",
        },
        options=(
            Option(_NO, choice="no"),
            Option(_YES, choice="yes"),
            Option({"en": "Prefer not to say", "es": "Prefiero no decirlo"}, choice="prefer_not_to_say"),
        ),
        focus=SUBSTANCE_USE,
    ),
    Item(
        "note",
        "text",
        {"en": "Anything you would like your team to know?", "es": "¿Algo que quiera que su equipo sepa?"},
        maximum=NOTE_LENGTH,
        note={
            "en": "This note is not read live. If you need help now, use the numbers shown here.",
            "es": "Esta nota no se lee al momento. Si necesita ayuda ahora, use los números que aparecen aquí.",
        },
    ),
)

DAILY = Instrument(
    key="daily",
    version="1",
    title={"en": "Daily check-in", "es": "Registro diario"},
    languages=("en", "es"),
    validated=False,
    about={
        "en": "Written by the clinic. It is not a validated measure: it has no score and no cut-off.",
        "es": "Escrito por la clínica. No es una medida validada: no tiene puntaje ni punto de corte.",
    },
    instruction={
        "en": "Answer as much or as little as you like. There are no wrong answers.",
        "es": "Responda tanto o tan poco como quiera. No hay respuestas incorrectas.",
    },
    items=ITEMS,
    vectors=(
        Vector("an ordinary day", {"safe_now": "yes", "mood": 6, "slept_hours": 7}, None, safety=False),
        Vector("not safe now", {"safe_now": "no"}, None, safety=True),
        Vector("use is no safety hit by itself", {"safe_now": "yes", "used": "yes", "craving": 8}, None, safety=False),
        Vector("use left unsaid", {"mood": 4, "used": "prefer_not_to_say"}, None, safety=False),
    ),
)
