"""A number and a mail address as their owners and the clinic read them."""

from typing import Any
from uuid import UUID

from api import db
from api.messages import consent_texts, mail_addresses, phones
from api.messages.models import MailAddress, TextConsent, TextNumber

NOT_SET = {"is_on": False, "why_off": "not_set"}


def phone(*, patient_id: UUID) -> dict[str, Any]:
    found = phones.of_patient(patient_id=patient_id)
    if found is None:
        return NOT_SET
    return {"number": found.number, "consented_at": _consented_at(found), **_common(found)}


def email(*, patient_id: UUID) -> dict[str, Any]:
    found = mail_addresses.of_patient(patient_id=patient_id)
    return NOT_SET if found is None else {"address": found.address, **_common(found)}


def consent_text(language: str) -> dict[str, str]:
    """What the patient is to agree to, in the language of the answer."""
    text = consent_texts.current(language)
    return {"consent_text_id": text.id, "consent_language": text.language, "consent_text": text.text}


def _common(found: TextNumber | MailAddress) -> dict[str, Any]:
    on = {"is_on": found.why_off is None, "why_off": found.why_off}
    return {"set_by": found.set_by, "confirmed_at": found.confirmed_at, **on}


def _consented_at(found: TextNumber) -> Any:
    consent = db.session().get(TextConsent, found.consent_id) if found.consent_id else None
    return consent and consent.given_at
