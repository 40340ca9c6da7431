"""A consent as a page to keep or print: the text that was signed, by whom and when, and what became of it.

It loads nothing from anywhere, so opening it tells nobody.
"""

from datetime import datetime
from typing import Any

from flask import Response, make_response, render_template

from api.privacy import forms, showing
from api.privacy.models import Consent

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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
        },
        "form": "Formulario",
    },
}


def page(consent: Consent, *, at: datetime) -> Response:
    """The page, in the language in which it was signed."""
    title, *paragraphs = consent.text.split("\n\n")
    rendered = render_template(
        "consent.html",
        consent=consent,
        title=title,
        paragraphs=paragraphs,
        words=WORDS[consent.language],
        signed_on=forms.on(consent.signed_at, consent.language),
        state=_state(consent, at),
    )
    page = make_response(rendered)
    page.headers["Content-Language"] = consent.language
    page.headers["Content-Security-Policy"] = POLICY
    page.headers["Content-Disposition"] = 'inline; filename="consent.html"'
    return page


def _state(consent: Consent, at: datetime) -> str:
    state = showing.state(consent, at=at)
    since = {"revoked": consent.revoked_at, "ended": consent.ended_at, "expired": consent.expires_at}.get(state) or at
    said: str = WORDS[consent.language]["state"][state]
    return said.format(day=forms.on(since, consent.language))
