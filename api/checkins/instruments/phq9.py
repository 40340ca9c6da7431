"""PHQ-9, version 1: nine items of 0 to 3 about the last two weeks; the total is their sum.

Source: Kroenke K, Spitzer RL, Williams JBW (2001), "The PHQ-9: validity of a brief depression severity
measure", J Gen Intern Med 16:606-613. The wording is the published English one, quoted as it stands. Codes:
LOINC panel 44249-1 and answer list LL358-3. The tenth question, on difficulty, is not scored.
"""

from api.checkins.instruments.model import Band, Instrument, Item, Option, Safety, Scoring, Vector

FREQUENCY = (
    Option({"en": "Not at all"}, number=0, loinc="LA6568-5"),
    Option({"en": "Several days"}, number=1, loinc="LA6569-3"),
    Option({"en": "More than half the days"}, number=2, loinc="LA6570-1"),
    Option({"en": "Nearly every day"}, number=3, loinc="LA6571-9"),
)
DIFFICULTY = (
    Option({"en": "Not difficult at all"}, choice="not_difficult"),
    Option({"en": "Somewhat difficult"}, choice="somewhat_difficult"),
    Option({"en": "Very difficult"}, choice="very_difficult"),
    Option({"en": "Extremely difficult"}, choice="extremely_difficult"),
)
WORDING = (
    ("44250-9", "Little interest or pleasure in doing things"),
    ("44255-8", "Feeling down, depressed, or hopeless"),
    ("44259-0", "Trouble falling or staying asleep, or sleeping too much"),
    ("44254-1", "Feeling tired or having little energy"),
    ("44251-7", "Poor appetite or overeating"),
    (
        "44258-2",
        "Feeling bad about yourself — or that you are a failure or have let yourself or your family down",
    ),
    (
        "44252-5",
        "Trouble concentrating on things, such as reading the newspaper or watching television",
    ),
    (
        "44253-3",
        "Moving or speaking so slowly that other people could have noticed? Or the opposite — being so fidgety"
        " or restless that you have been moving around a lot more than usual",
    ),
    ("44260-8", "Thoughts that you would be better off dead or of hurting yourself in some way"),
)

# Any answer above "Not at all" asks for a clinician the same day, whatever the total.
ITEM_9 = Safety(
    harmless=frozenset({"0", "false", "not at all", "la6568-5"}),
    aliases=frozenset({"44260-8", "item_9", "phq-9_9", "phq_9_9"}),
)

BANDS = (
    Band("none_minimal", 0, 4, "none or minimal"),
    Band("mild", 5, 9, "mild"),
    Band("moderate", 10, 14, "moderate"),
    Band("moderately_severe", 15, 19, "moderately severe"),
    Band("severe", 20, 27, "severe"),
)

KEYS = tuple(f"phq9_{number}" for number in range(1, 10))


def _items() -> tuple[Item, ...]:
    scored = tuple(
        Item(
            key,
            "scale",
            {"en": text},
            options=FREQUENCY,
            minimum=0,
            maximum=3,
            loinc=code,
            safety=ITEM_9 if key == "phq9_9" else None,
        )
        for key, (code, text) in zip(KEYS, WORDING, strict=True)
    )
    return (*scored, _DIFFICULTY)


_DIFFICULTY = Item(
    "phq9_difficulty",
    "choice",
    {
        "en": "If you checked off any problems, how difficult have these problems made it for you to do your work,"
        " take care of things at home, or get along with other people?"
    },
    options=DIFFICULTY,
)


def _vector(name: str, numbers: tuple[int | None, ...], total: int | None, *, safety: bool) -> Vector:
    answers = {key: number for key, number in zip(KEYS, numbers, strict=True) if number is not None}
    return Vector(name, answers, total, safety)


PHQ_9 = Instrument(
    key="phq-9",
    version="1",
    title={"en": "Patient Health Questionnaire (PHQ-9)"},
    languages=("en",),
    validated=True,
    about={
        "en": "A published questionnaire about mood. It supports a conversation with your team; it is not a diagnosis.",
        "es": "Un cuestionario publicado sobre el estado de ánimo, disponible solo en inglés. Sirve para conversar con"
        " su equipo; no es un diagnóstico.",
    },
    instruction={
        "en": "Over the last 2 weeks, how often have you been bothered by any of the following problems?",
    },
    items=_items(),
    scoring=Scoring(items=KEYS, minimum=0, maximum=27, bands=BANDS, screen_from=10, loinc="44261-6"),
    source="Kroenke K, Spitzer RL, Williams JBW. The PHQ-9: validity of a brief depression severity measure."
    " J Gen Intern Med 2001;16:606-613.",
    notice="Developed by Drs. Robert L. Spitzer, Janet B.W. Williams, Kurt Kroenke and colleagues, with an educational"
    " grant from Pfizer Inc. No permission required to reproduce, translate, display or distribute.",
    loinc="44249-1",
    vectors=(
        _vector("nothing at all", (0, 0, 0, 0, 0, 0, 0, 0, 0), 0, safety=False),
        _vector("a total of 4", (1, 1, 1, 1, 0, 0, 0, 0, 0), 4, safety=False),
        _vector("a total of 5", (1, 1, 1, 1, 1, 0, 0, 0, 0), 5, safety=False),
        _vector("a total of 9", (3, 3, 3, 0, 0, 0, 0, 0, 0), 9, safety=False),
        _vector("a total of 10", (2, 2, 2, 2, 2, 0, 0, 0, 0), 10, safety=False),
        _vector("a total of 14", (2, 2, 2, 2, 2, 2, 2, 0, 0), 14, safety=False),
        _vector("a total of 15", (3, 3, 3, 3, 3, 0, 0, 0, 0), 15, safety=False),
        _vector("a total of 19", (3, 3, 3, 3, 3, 2, 2, 0, 0), 19, safety=False),
        _vector("a total of 20", (3, 3, 3, 3, 3, 3, 2, 0, 0), 20, safety=False),
        _vector("everything nearly every day", (3, 3, 3, 3, 3, 3, 3, 3, 3), 27, safety=True),
        _vector("a low total with item 9 answered", (0, 0, 0, 0, 0, 0, 0, 0, 1), 1, safety=True),
        _vector("item 8 left out: no total", (3, 3, 3, 3, 3, 3, 3, None, 0), None, safety=False),
        _vector("item 9 alone: no total", (None,) * 8 + (2,), None, safety=True),
        _vector("nothing answered: no total", (None,) * 9, None, safety=False),
    ),
)
