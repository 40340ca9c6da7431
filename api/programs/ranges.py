"""Ranges: minimum, maximum, unit and how sure the clinic is of them; what follows from two of them.

A range is a dict as it stands in the catalogue: `min`, `max`, `unit`, and where they are known `qualifier`
("about", "often", …) and `note`. Days a week and sessions a week are different units on purpose: three
days of treatment say how long a day is, two sessions how long a session is.
"""

from typing import Any

Range = dict[str, Any]

# Which length belongs to which frequency; any other pair says nothing about a week.
LENGTH_OF = {"days_per_week": "minutes_per_day", "sessions_per_week": "minutes_per_session"}

_UNITS = {
    "days_per_week": ("day", "week"),
    "sessions_per_week": ("session", "week"),
    "minutes_per_day": ("minute", "day"),
    "minutes_per_session": ("minute", "session"),
    "minutes_per_week": ("minute", "week"),
    "hours_per_week": ("hour", "week"),
    "weeks": ("week", ""),
}
_NOUNS = {
    "en": {
        "day": ("day", "days"),
        "session": ("session", "sessions"),
        "minute": ("minute", "minutes"),
        "hour": ("hour", "hours"),
        "week": ("week", "weeks"),
    },
    "es": {
        "day": ("día", "días"),
        "session": ("sesión", "sesiones"),
        "minute": ("minuto", "minutos"),
        "hour": ("hora", "horas"),
        "week": ("semana", "semanas"),
    },
}
_PER = {"en": " a {}", "es": " por {}"}
_SPAN = {"en": "{} to {}", "es": "de {} a {}"}
_QUALIFIERS = {
    "en": {"about": "about ", "often": "often ", "typically": "typically ", "usually": "usually "},
    "es": {
        "about": "alrededor de ",
        "often": "a menudo, ",
        "typically": "normalmente, ",
        "usually": "por lo general, ",
    },
}
_ONGOING = {"en": "ongoing", "es": "sin plazo fijo"}


def minutes_per_week(frequency: Range | None, length: Range | None) -> Range | None:
    """Minutes of care a week, exact, or None where the two ranges do not say."""
    if not frequency or not length or LENGTH_OF[frequency["unit"]] != length["unit"]:
        return None
    return _without_none(
        min=frequency["min"] * length["min"],
        max=frequency["max"] * length["max"],
        unit="minutes_per_week",
        qualifier=_less_sure(frequency.get("qualifier"), length.get("qualifier")),
        derived=True,
    )


def hours_per_week(frequency: Range | None, length: Range | None) -> Range | None:
    """Whole hours of care a week; where minutes do not make whole hours, rounded outward and "about"."""
    minutes = minutes_per_week(frequency, length)
    if minutes is None:
        return None
    low, high = minutes["min"] // 60, -(-minutes["max"] // 60)
    exact = (low * 60, high * 60) == (minutes["min"], minutes["max"])
    return {**minutes, "min": low, "max": high, "unit": "hours_per_week", **({} if exact else {"qualifier": "about"})}


def in_words(span: Range, language: str) -> str:
    """The range as a person says it: "about 3 hours a day". Whole hours are said as hours."""
    thing, per = _UNITS[span["unit"]]
    low, high = span["min"], span["max"]
    if thing == "minute" and not low % 60 and not high % 60:
        thing, low, high = "hour", low // 60, high // 60
    counted = _counted(low, high, thing, span.get("qualifier"), language)
    return counted + (_PER[language].format(_NOUNS[language][per][0]) if per else "")


def duration_in_words(duration: Range, language: str) -> str:
    """How long a program lasts; without a number of weeks it is ongoing."""
    if "min_weeks" not in duration:
        return _ONGOING[language]
    weeks = {"min": duration["min_weeks"], "max": duration["max_weeks"], "unit": "weeks"}
    return in_words({**weeks, "qualifier": duration.get("qualifier")}, language)


def _counted(low: int, high: int, thing: str, qualifier: str | None, language: str) -> str:
    noun = _NOUNS[language][thing][high != 1]
    amount = str(low) if low == high else _SPAN[language].format(low, high)
    said = _QUALIFIERS[language][qualifier] if qualifier else ""
    if said.endswith(" de "):  # "alrededor de 9 a 15", not "alrededor de de 9 a 15"
        amount = amount.removeprefix("de ")
    return f"{said}{amount} {noun}"


def _less_sure(first: str | None, second: str | None) -> str | None:
    """The qualifier of what is derived: a number that is only about right makes its product about right."""
    return "about" if "about" in (first, second) else first or second


def _without_none(**members: Any) -> Range:
    return {key: value for key, value in members.items() if value is not None}
