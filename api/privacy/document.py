"""A consent as a page to keep or print: the text that was signed, by whom and when, and what became of it by now.

It loads nothing from anywhere, so opening it tells nobody.
"""

from datetime import datetime
from typing import Any

from api.privacy import forms, showing
from api.privacy.models import Consent

WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "signed": "Signed",
        "by": {"patient": "by the patient", "authorized_person": "by a person authorized to sign for the patient"},
        "how": {"app": "in the app, after proving who they are", "paper": "on paper"},
        "text_hash": "SHA-256 of the text above",
        "document_hash": "SHA-256 of the paper",
        "state": {
            "effective": "In effect on {day}.",
            "revoked": "Taken back on {day}.",
            "ended": "Ended by the clinic on {day}.",
            "expired": "Expired on {day}.",
            "treatment_over": "Ended with the treatment.",
            "none_began": "Ended on {day}, since no treatment here had begun by then.",
        },
        "form": "Form",
    },
    "es": {
        "signed": "Firmado",
        "by": {
            "patient": "por el paciente",
            "authorized_person": "por una persona autorizada a firmar por el paciente",
        },
        "how": {"app": "en la aplicación, tras comprobar su identidad", "paper": "en papel"},
        "text_hash": "SHA-256 del texto anterior",
        "document_hash": "SHA-256 del papel",
        "state": {
            "effective": "Vigente el {day}.",
            "revoked": "Retirado el {day}.",
            "ended": "Terminado por la clínica el {day}.",
            "expired": "Venció el {day}.",
            "treatment_over": "Terminó con el tratamiento.",
            "none_began": "Terminó el {day}, porque hasta entonces no había empezado ningún tratamiento aquí.",
        },
        "form": "Formulario",
    },
}


def shown(consent: Consent, *, at: datetime) -> dict[str, Any]:
    """What the template fills in, in the language in which it was signed."""
    title, *paragraphs = consent.text.split("\n\n")
    return {
        "consent": consent,
        "title": title,
        "paragraphs": paragraphs,
        "words": WORDS[consent.language],
        "signed_on": forms.on(consent.signed_at, consent.language),
        "state": _state(consent, at),
    }


def _state(consent: Consent, at: datetime) -> str:
    state = showing.state(consent, at=at)
    if state == "ended" and not consent.ended_at:
        state = "treatment_over"
    if state == "expired" and not consent.expires_at:
        state = "none_began"
    since = _since(consent).get(state) or at
    said: str = WORDS[consent.language]["state"][state]
    return said.format(day=forms.on(since, consent.language))


def _since(consent: Consent) -> dict[str, datetime | None]:
    return {
        "revoked": consent.revoked_at,
        "ended": consent.ended_at,
        "expired": consent.expires_at,
        "none_began": showing.waited(consent),
    }
