"""Where texts and mail go: a number and an address, what keeps them off, and the words that a patient agrees to."""

from api import vocabulary
from schemas.base import Answer, Ask, Flag, Instant, Text, Word

PHONE_EXAMPLE = "+12125550123"
MAIL_EXAMPLE = "sam@example.com"
CONSENT_ID = "appointment-texts-1"
CONSENT_TEXT = (
    "I agree to get automated texts about my appointments at this number, at most one a day and three a week. Other"
    " people may see them on my phone. Message and data rates may apply. I can end them at any time by replying STOP,"
    " or here in the app. I do not have to agree in order to get care."
)
WHY_OFF = "Why nothing goes there; absent while it is on."


class PhoneAsk(Ask):
    """A mobile number of the United States, however it is written."""

    number = Text(min=4, max=40, required=True)

    example = {"number": "(212) 555-0123"}


class EmailAsk(Ask):
    """An e-mail address."""

    address = Text(min=3, max=254, required=True)

    example = {"address": MAIL_EXAMPLE}


class ContactCodeAsk(Ask):
    """The six digits that came by text or mail."""

    code = Text(min=6, max=6, pattern=r"\A[0-9]{6}\Z", required=True)

    example = {"code": "493027"}


class TextConsentAsk(Ask):
    """Which text the patient read and agreed to, as `getMyPhone` gave it."""

    text_id = Text(max=60, required=True)
    language = Word(vocabulary.LANGUAGES, required=True)

    example = {"text_id": CONSENT_ID, "language": "en"}


class PhoneAnswer(Answer):
    """The number, what it still lacks, and the words to agree to. Texts are on once it is confirmed and agreed to."""

    is_on = Flag(required=True)
    number = Text(max=16, metadata={"description": "E.164; absent where none is set."})
    set_by = Word(vocabulary.CONTACT_SETTERS)
    confirmed_at = Instant()
    consented_at = Instant(metadata={"description": "When the consent that stands was given; absent without one."})
    why_off = Word(vocabulary.CONTACT_WHY_OFF, metadata={"description": WHY_OFF})
    consent_text_id = Text(max=60, required=True)
    consent_language = Word(vocabulary.LANGUAGES, required=True)
    consent_text = Text(max=600, required=True)

    example = {
        "is_on": False,
        "number": PHONE_EXAMPLE,
        "set_by": "patient",
        "why_off": "not_confirmed",
        "consent_text_id": CONSENT_ID,
        "consent_language": "en",
        "consent_text": CONSENT_TEXT,
    }


class EmailAnswer(Answer):
    """The address, and what keeps mail from it."""

    is_on = Flag(required=True)
    address = Text(max=254, metadata={"description": "Absent where none is set."})
    set_by = Word(vocabulary.CONTACT_SETTERS)
    confirmed_at = Instant()
    why_off = Word(vocabulary.CONTACT_WHY_OFF, metadata={"description": WHY_OFF})

    example = {
        "is_on": True,
        "address": MAIL_EXAMPLE,
        "set_by": "patient",
        "confirmed_at": "2026-11-23T15:00:00Z",
    }


class PatientPhoneAnswer(Answer):
    """A patient's number as the clinic's systems see it."""

    is_on = Flag(required=True)
    number = Text(max=16)
    set_by = Word(vocabulary.CONTACT_SETTERS)
    confirmed_at = Instant()
    consented_at = Instant()
    why_off = Word(vocabulary.CONTACT_WHY_OFF, metadata={"description": WHY_OFF})

    example = {"is_on": False, "number": PHONE_EXAMPLE, "set_by": "clinic", "why_off": "not_confirmed"}
