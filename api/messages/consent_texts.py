"""The words to which a patient consents before any text goes out (47 CFR 64.1200(a)(9)(iv), (f)(9)).

A consent names its text by id and SHA-256, so a text is never edited: other words are another id, and the one before
stays here for as long as consents quote it. Which rule the clinic's texts rest on, and so these words, is for its
counsel to confirm.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One text in one language."""

    id: str
    language: str
    text: str

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()


CURRENT = "appointment-texts-1"
TEXTS = (
    ConsentText(
        "appointment-texts-1",
        "en",
        "I agree to get automated texts about my appointments at this number, at most one a day and three a week."
        " Other people may see them on my phone. Message and data rates may apply. I can end them at any time by"
        " replying STOP, or here in the app. I do not have to agree in order to get care.",
    ),
    ConsentText(
        "appointment-texts-1",
        "es",
        "Acepto recibir en este número mensajes de texto automáticos sobre mis citas, como máximo uno al día y tres"
        " por semana. Otras personas podrían verlos en mi teléfono. Pueden aplicarse tarifas de mensajes y datos."
        " Puedo ponerles fin en cualquier momento respondiendo STOP o aquí en la aplicación. No tengo que aceptar para"
        " recibir atención.",
    ),
)


def current(language: str) -> ConsentText:
    """The text to show now (English where there is none in `language`)."""
    return _find(CURRENT, language) or next(one for one in TEXTS if one.id == CURRENT)


def shown(text_id: str, language: str) -> ConsentText | None:
    """The text that an app says it showed; None for one that is no longer, or never was, the one to show."""
    return _find(text_id, language) if text_id == CURRENT else None


def _find(text_id: str, language: str) -> ConsentText | None:
    return next((one for one in TEXTS if (one.id, one.language) == (text_id, language)), None)
