"""The text that is signed, assembled from what a consent is to say.

The same draft gives the same text, byte for byte, so whoever signs says by its SHA-256 which words they were shown.
Days are those of the clinic: a consent holds to the end of its last one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from api import errors
from api.messages import when
from api.privacy import form_texts, waiting
from api.privacy.form_texts import FormText
from api.programs import about

AND = {"en": "; and ", "es": "; y "}


class UnknownForm(errors.Unprocessable):
    title = "There is no such form"
    detail = "That version of the form is none of this clinic's, or it is for other terms."
    title_es = "No existe ese formulario"
    detail_es = "Esa versión del formulario no es de esta clínica, o es para otras condiciones."


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a consent is to say. Its recipient is one partner or a class. `revocable_on` is the first day on which it
    may be taken back, `expires_on` the last on which it holds."""

    patient_name: str
    categories: Sequence[str]
    purpose: str
    recipient_id: UUID | None = None
    recipient_class: str | None = None
    terms: str = "usual"
    matter: str | None = None
    revocable: str = "any_time"
    revocable_on: date | None = None
    expires_on: date | None = None
    expires_on_event: str | None = None

    @property
    def revocable_at(self) -> datetime | None:
        return _midnight(self.revocable_on) if self.revocable_on else None

    @property
    def expires_at(self) -> datetime | None:
        """The first instant at which it no longer holds."""
        return _midnight(self.expires_on + timedelta(days=1)) if self.expires_on else None


@dataclass(frozen=True, slots=True)
class Form:
    """A text to be signed, with the names that stand in it."""

    version: str
    language: str
    text: str
    discloser: str
    recipient_name: str

    @property
    def title(self) -> str:
        return self.text.partition("\n")[0]

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def text_sha256(self) -> str:
        return self.hash.hex()


def draft(asked: Mapping[str, Any]) -> Draft:
    """The draft among what was asked, which may say more."""
    return Draft(**{one.name: asked[one.name] for one in fields(Draft) if one.name in asked})


def written(draft: Draft, *, recipient: str | None, language: str, version: str | None = None) -> Form:
    """The form for `draft` in the version of now, or an older one. `recipient` is the partner's registered name, None
    for a class. Raises `UnknownForm`."""
    version = version or form_texts.CURRENT[draft.terms]
    wording = form_texts.FORMS.get((version, language))
    if wording is None or draft.purpose not in wording.purposes or not _is_of(version, draft.terms):
        raise UnknownForm
    discloser = about.clinic().name
    name = recipient or wording.treating_providers.format(discloser=discloser)
    filled = _filled(draft, wording, language, discloser=discloser, recipient=name)
    return Form(version, language, "\n\n".join(line.format(**filled) for line in wording.lines), discloser, name)


def day(of: date, language: str) -> str:
    """A day as it is written in a sentence."""
    month = when.MONTHS[language][of.month - 1]
    return f"{of.day} de {month} de {of.year}" if language == "es" else f"{month} {of.day}, {of.year}"


def on(instant: datetime, language: str) -> str:
    """The clinic's day of an instant, as it is written in a sentence."""
    return day(instant.astimezone(ZoneInfo(about.clinic().time_zone)).date(), language)


def _is_of(version: str, terms: str) -> bool:
    return version.rpartition("-")[0] == form_texts.CURRENT[terms].rpartition("-")[0]


def _filled(draft: Draft, wording: FormText, language: str, *, discloser: str, recipient: str) -> dict[str, str]:
    """What each name in the form's lines stands for."""
    known = {"discloser": discloser, "matter": draft.matter or ""}
    revocable_day = day(draft.revocable_on, language) if draft.revocable_on else ""
    told = [text for word, text in wording.categories.items() if word in draft.categories]
    said = {name: text.format(**known) for name, text in form_texts.SAID[language].items()}
    return {
        **said,
        "discloser": discloser,
        "patient_name": draft.patient_name,
        "recipient": recipient,
        "categories": AND[language].join(told).format(**known),
        "purpose": wording.purposes[draft.purpose].format(**known),
        "expires": _expires(draft, wording, language, discloser),
        "waits": _waits(draft, wording, discloser),
        "revocable": wording.revocable[draft.revocable].format(revocable_day=revocable_day),
        "redisclosure": wording.redisclosure[draft.purpose],
    }


def _expires(draft: Draft, wording: FormText, language: str, discloser: str) -> str:
    event = wording.events[draft.expires_on_event].format(discloser=discloser) if draft.expires_on_event else None
    last = wording.until_day.format(day=day(draft.expires_on, language)) if draft.expires_on else None
    return wording.whichever_first.format(event=event, day=last) if event and last else event or last or ""


def _waits(draft: Draft, wording: FormText, discloser: str) -> str:
    """That it ends where no treatment begins in time; nothing of a consent to which that does not happen."""
    if draft.expires_on_event != "end_of_treatment" or draft.expires_on:
        return ""
    return wording.waits.format(days=waiting.longest().days, discloser=discloser)


def _midnight(of: date) -> datetime:
    return datetime.combine(of, time(), ZoneInfo(about.clinic().time_zone)).astimezone(UTC)
