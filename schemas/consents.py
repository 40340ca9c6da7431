"""Consents to tell a partner something (42 CFR 2.31): asked for, signed, taken back."""

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow as ma

from api import vocabulary
from schemas.base import Answer, Ask, Day, Flag, Id, Instant, Items, ListAnswer, PageQuery, Text, Whole, Word

CONSENT_ID = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e61"
PARTNER_ID = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e62"
ONE_LINE = r"\A[^\x00-\x1f\x7f]+\Z"
SHA256 = r"\A[0-9a-f]{64}\Z"
# Of the text that the example form has at the clinic of the demo.
HASH = "e5a4fb7728ffa2ef4f9fd8f0021fc8b658d246e1bbf3ab7bd132489dad6f4703"
TEXT = "Permission to share information about my care\n\nI, Sam Rivers, allow Trinity Wellness Group to share …"
CATEGORIES = Items(
    Word((*vocabulary.DISCLOSURE_CATEGORIES, *vocabulary.CATEGORIES_REFUSED)),
    min=1,
    max=10,
    required=True,
    metadata={"description": "`counseling_notes` and `check_in_answers` are refused, with the reason."},
)


class RecipientAnswer(Answer):
    """A partner whom a consent may name. Those of kind `criminal_justice` may be named on terms of §2.35."""

    id = Id(required=True)
    name = Text(max=200, required=True)
    kind = Word(vocabulary.PARTNER_KINDS, required=True)

    example = {"id": PARTNER_ID, "name": "Harbor Detox", "kind": "treating_provider"}


class RecipientsAnswer(Answer):
    """The partners who are registered and active, by name."""

    items = Items(RecipientAnswer, max=10_000, required=True)

    example = {"items": [RecipientAnswer.example]}


class ConsentFormAsk(Ask):
    """What a consent is to say. `recipient_id` or `recipient_class` names who is told. It ends at the end of
    `expires_on` (the clinic's day), by its event, or whichever comes first; one that names the end of treatment alone
    also ends when none has begun for long after it was signed (180 days, unless the clinic says otherwise; the text
    says how long). `matter`, `revocable` and `revocable_on` belong to terms of criminal justice (42 CFR 2.35)."""

    patient_name = Text(max=200, pattern=ONE_LINE, required=True, metadata={"description": "As the patient signs."})
    recipient_id = Id(load_default=None)
    recipient_class = Word(vocabulary.RECIPIENT_CLASSES, load_default=None)
    categories = CATEGORIES
    purpose = Word(
        (*vocabulary.CONSENT_PURPOSES, *vocabulary.PURPOSES_REFUSED),
        required=True,
        metadata={"description": "`legal_proceedings` is refused, with the reason."},
    )
    terms = Word(vocabulary.CONSENT_TERMS, load_default="usual")
    matter = Text(max=300, pattern=ONE_LINE, load_default=None)
    revocable = Word(vocabulary.CONSENT_REVOCABLE, load_default="any_time")
    revocable_on = Day(load_default=None, metadata={"description": "The first day on which it may be taken back."})
    expires_on = Day(load_default=None, metadata={"description": "The last day on which it holds."})
    expires_on_event = Word(vocabulary.CONSENT_EVENTS, load_default=None)
    language = Word(vocabulary.LANGUAGES, load_default=None, metadata={"description": "Without it, the reader's."})

    example: ClassVar[Mapping[str, Any]] = {
        "patient_name": "Sam Rivers",
        "recipient_class": "treating_providers",
        "categories": ["presence", "referral_outcome"],
        "purpose": "treatment",
        "expires_on_event": "end_of_treatment",
        "language": "en",
    }

    @ma.validates_schema
    def fits(self, asked: Mapping[str, Any], **_: Any) -> None:
        """Which members belong together."""
        wrong = {}
        if (asked.get("recipient_id") is None) == (asked.get("recipient_class") is None):
            wrong["recipient_id"] = ["Either this or recipient_class is needed."]
        if asked.get("expires_on") is None and asked.get("expires_on_event") is None:
            wrong["expires_on"] = ["A day or an event at which the consent ends is needed."]
        if (asked.get("revocable") == "from_date") != (asked.get("revocable_on") is not None):
            wrong["revocable_on"] = ["Belongs to from_date, which needs it."]
        if wrong:
            raise ma.ValidationError(wrong)


class ConsentFormAnswer(Answer):
    """The text to be read and signed. `text_sha256` is the SHA-256 of its UTF-8 bytes."""

    form_version = Text(max=60, required=True, attribute="version")
    language = Word(vocabulary.LANGUAGES, required=True)
    title = Text(max=200, required=True)
    text = Text(max=10_000, required=True, metadata={"description": "Paragraphs, with an empty line between two."})
    text_sha256 = Text(max=64, required=True)

    example = {
        "form_version": "release-2",
        "language": "en",
        "title": "Permission to share information about my care",
        "text": TEXT,
        "text_sha256": HASH,
    }


class ConsentAsk(ConsentFormAsk):
    """Signs what the form said: the same members, the hash of the text that was shown, and the typed name."""

    text_sha256 = Text(max=64, pattern=SHA256, required=True)
    signature = Text(max=200, pattern=ONE_LINE, required=True, metadata={"description": "The name, typed to sign."})

    example = {**ConsentFormAsk.example, "text_sha256": HASH, "signature": "Sam Rivers"}


class PaperConsentAsk(ConsentFormAsk):
    """What was signed on the clinic's form on paper, and the SHA-256 of the scanned document."""

    form_version = Text(max=60, required=True)
    language = Word(vocabulary.LANGUAGES, required=True)
    signer = Word(vocabulary.CONSENT_SIGNERS, load_default="patient")
    signer_name = Text(max=200, pattern=ONE_LINE, required=True)
    signed_on = Day(required=True)
    document_sha256 = Text(max=64, pattern=SHA256, required=True)

    example = {
        **ConsentFormAsk.example,
        "form_version": "release-2",
        "signer_name": "Sam Rivers",
        "signed_on": "2026-11-20",
        "document_sha256": HASH,
    }


class SharedAnswer(Answer):
    """What was told under a consent so far: it cannot be called back. The list of disclosures has each of them."""

    times = Whole(min=0, max=2**53 - 1, required=True)
    categories = Items(Word(vocabulary.DISCLOSURE_CATEGORIES), max=10, required=True)
    first_at = Instant()
    last_at = Instant()

    example = {
        "times": 2,
        "categories": ["presence", "referral_outcome"],
        "first_at": "2026-11-23T15:00:00Z",
        "last_at": "2026-11-24T15:00:00Z",
    }


class ConsentAnswer(Answer):
    """A consent, and what became of it by now. `recipient_name` is the name that was signed for."""

    id = Id(required=True)
    state = Word(vocabulary.CONSENT_STATES, required=True)
    recipient_id = Id()
    recipient_class = Word(vocabulary.RECIPIENT_CLASSES)
    recipient_name = Text(max=400, required=True)
    categories = Items(Word(vocabulary.DISCLOSURE_CATEGORIES), max=10, required=True)
    purpose = Word(vocabulary.CONSENT_PURPOSES, required=True)
    terms = Word(vocabulary.CONSENT_TERMS, required=True)
    matter = Text(max=300)
    revocable = Word(vocabulary.CONSENT_REVOCABLE, required=True)
    revocable_at = Instant()
    revocable_now = Flag(required=True)
    expires_at = Instant()
    expires_on_event = Word(vocabulary.CONSENT_EVENTS)
    form_version = Text(max=60, required=True)
    language = Word(vocabulary.LANGUAGES, required=True)
    text_sha256 = Text(max=64, required=True)
    signed_how = Word(vocabulary.CONSENT_SIGNED_HOW, required=True)
    signer = Word(vocabulary.CONSENT_SIGNERS, required=True)
    signer_name = Text(max=200, required=True)
    signed_at = Instant(required=True)
    document_sha256 = Text(max=64, metadata={"description": "Of the paper, where it was signed on one."})
    revoked_at = Instant()
    revoked_how = Word(vocabulary.CONSENT_REVOKED_HOW)
    ended_at = Instant(metadata={"description": "When the clinic stated that it holds no longer."})
    ended_reason = Word(vocabulary.CONSENT_ENDED_BECAUSE)

    example: ClassVar[Mapping[str, Any]] = {
        "id": CONSENT_ID,
        "state": "effective",
        "recipient_id": PARTNER_ID,
        "recipient_name": "Harbor Detox",
        "categories": ["presence", "referral_outcome"],
        "purpose": "treatment",
        "terms": "usual",
        "revocable": "any_time",
        "revocable_now": True,
        "expires_on_event": "end_of_treatment",
        "form_version": "release-2",
        "language": "en",
        "text_sha256": HASH,
        "signed_how": "app",
        "signer": "patient",
        "signer_name": "Sam Rivers",
        "signed_at": "2026-11-23T15:00:00Z",
    }


class MyConsentAnswer(ConsentAnswer):
    """One consent with its text, and what was told under it."""

    text = Text(max=10_000, required=True)
    shared = ma.fields.Nested(SharedAnswer, required=True)

    example: ClassVar[Mapping[str, Any]] = {**ConsentAnswer.example, "text": TEXT, "shared": SharedAnswer.example}


class RevokedConsentAnswer(MyConsentAnswer):
    """A consent that was taken back. `shared` is what was told before; `note` says so in words."""

    note = Text(max=400, required=True)

    example = {
        **MyConsentAnswer.example,
        "state": "revoked",
        "revocable_now": False,
        "revoked_at": "2026-11-25T15:00:00Z",
        "revoked_how": "app",
        "note": "Nothing more is shared under this permission from now on.",
    }


class MyConsentsAnswer(ListAnswer):
    """The patient's consents, the latest first; those that hold no longer among them."""

    items = Items(ConsentAnswer, required=True)

    example = {"items": [ConsentAnswer.example]}


class ConsentsQuery(PageQuery):
    example = {"page_size": 20}


class ClinicConsentAnswer(ConsentAnswer):
    """A consent as the clinic keeps it, with its text and who took what down."""

    patient_id = Id(required=True)
    patient_name = Text(max=200, required=True)
    text = Text(max=10_000, required=True)
    recorded_by = Text(max=200)
    recorded_role = Text(max=200)
    revocation_taken_by = Text(max=200)
    revocation_taken_role = Text(max=200)
    ended_by = Text(max=200)
    ended_role = Text(max=200)

    example = {
        **ConsentAnswer.example,
        "patient_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e02",
        "patient_name": "Sam Rivers",
        "text": TEXT,
    }


class ClinicConsentsAnswer(ListAnswer):
    """A patient's consents, the latest first."""

    items = Items(ClinicConsentAnswer, required=True)

    example = {"items": [ClinicConsentAnswer.example]}


class RevocationAsk(Ask):
    """How the patient's word came: nothing of it is judged, it counts from now on."""

    how = Word([one for one in vocabulary.CONSENT_REVOKED_HOW if one != "app"], required=True)

    example = {"how": "phone"}


class ConsentEndAsk(Ask):
    """`event_came_about`: what the consent names has happened (the end of treatment, the final disposition of the
    matter). `deficient`: it lacks what the law demands, or is known to be false."""

    reason = Word(vocabulary.CONSENT_ENDED_BECAUSE, required=True)

    example = {"reason": "event_came_about"}
