"""What every answer about a referral says besides: how to reach intake, where help is, and what this is not.

Numbers and hours are the deployment's; what it has not set is absent, never made up.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from api.config import Config
from api.programs import about, crisis, presentation, shelf

Json = dict[str, Any]
MOST_KEPT = 16

NOT_AN_EMERGENCY_SERVICE = {
    "en": "This is not an emergency service, and referrals are not read around the clock. Which program fits is decided"
    " by an assessment.",
    "es": "Este no es un servicio de emergencia y las derivaciones no se leen las 24 horas. Qué programa corresponde se"
    " decide mediante una evaluación.",
}
_REPLY = {
    "en": "Intake usually answers within {hours} hours.",
    "es": "El equipo de admisión suele responder en un plazo de {hours} horas.",
}


@dataclass(frozen=True, slots=True)
class Intake:
    """None is not configured. `hours` are words by language, as people would say them."""

    phone: str | None = None
    hours: tuple[tuple[str, str], ...] = ()
    reply_hours: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class About:
    """The members of the answer, and a short hash of them for tags. One that is kept is the same object every time."""

    words: Json
    mark: str


_intake = Intake()
_kept: dict[tuple[object, ...], About] = {}


def use(settings: Config) -> None:
    """Speak of the intake that `settings` configures."""
    global _intake
    hours = {"en": settings.intake_hours, "es": settings.intake_hours_es or settings.intake_hours}
    _intake = Intake(
        phone=settings.intake_phone,
        hours=tuple((language, words) for language, words in hours.items() if words),
        reply_hours=settings.intake_reply_hours,
    )


def beside(*, at: datetime, language: str) -> About:
    """As `AboutReferralsAnswer` has it, to keep: with the hours of the clinic's line rather than "open now". To be
    asked inside a transaction; the catalogue may be a few seconds old, what is said of closures a day."""
    edition = shelf.inside()
    key = (edition.version, about.clinic(), _intake, at.date(), language)
    # Asked once: another thread may clear what is kept at any moment.
    if (found := _kept.get(key)) is None:
        if len(_kept) > MOST_KEPT:
            _kept.clear()
        kept = crisis.to_keep(at=at, clinic=about.clinic(), locations=edition.locations, language=language)
        words = presentation.known(
            {**_reaching(language), "not_an_emergency_service": NOT_AN_EMERGENCY_SERVICE[language], "crisis": kept}
        )
        found = _kept[key] = About(words, hashlib.sha256(orjson.dumps(words)).hexdigest()[:16])
    return found


def _reaching(language: str) -> Json:
    hours = _intake.reply_hours
    return {
        "intake_phone": _intake.phone,
        "intake_hours": dict(_intake.hours).get(language),
        "expected_reply": _REPLY[language].format(hours=hours) if hours else None,
    }
