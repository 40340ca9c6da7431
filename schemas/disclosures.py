"""Who outside the clinic was told what, and who at the clinic looked at a record."""

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow as ma

from api import vocabulary
from schemas.base import Answer, Ask, Id, Instant, Items, ListAnswer, PageQuery, Text, Word

DISCLOSURE = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e71"
CONSENT = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e61"
STATED = [one for one in vocabulary.DISCLOSURE_BASES if one != "consent"]
SPAN = {"from": "2023-11-24T00:00:00Z", "to": "2026-11-24T00:00:00Z"}


class DisclosuresQuery(PageQuery):
    """A window over when it was told; without it, everything since the record began."""

    since = Instant(data_key="from", load_default=None, metadata={"description": "Told then or later."})
    until = Instant(data_key="to", load_default=None, metadata={"description": "Told before then."})

    example = {**SPAN, "page_size": 20}


class MyDisclosureAnswer(Answer):
    """One telling. `what`, `why` and `rests_on` are sentences; `categories` and `basis` the words behind them. Where
    the clinic wrote it down by hand, `what` and `why` are its own words. `nature` is that of an emergency."""

    id = Id(required=True)
    disclosed_at = Instant(required=True)
    recipient_name = Text(max=400, required=True)
    recipient_affiliation = Text(max=300)
    recipient_address = Text(max=500)
    categories = Items(Word(vocabulary.DISCLOSURE_CATEGORIES), max=10, required=True)
    what = Text(max=2000, required=True)
    why = Text(max=600, required=True)
    basis = Word(vocabulary.DISCLOSURE_BASES, required=True)
    rests_on = Text(max=300, required=True)
    consent_id = Id(metadata={"description": "The permission that it was told under."})
    nature = Text(max=1000)
    recorded_at = Instant(required=True)

    example: ClassVar[Mapping[str, Any]] = {
        "id": DISCLOSURE,
        "disclosed_at": "2026-11-24T15:00:00Z",
        "recipient_name": "Harbor Detox",
        "categories": ["referral_outcome"],
        "what": "What became of your referral.",
        "why": "For your treatment.",
        "basis": "consent",
        "rests_on": "You allowed this by a permission that you signed.",
        "consent_id": CONSENT,
        "recorded_at": "2026-11-24T15:00:00Z",
    }


class MyDisclosuresAnswer(ListAnswer):
    """What was told of the patient, the latest first."""

    items = Items(MyDisclosureAnswer, required=True)

    example = {"items": [MyDisclosureAnswer.example]}


class AccessesQuery(PageQuery):
    """A window over when it was done, by the database's clock; without it, everything."""

    since = Instant(data_key="from", load_default=None, metadata={"description": "Done then or later."})
    until = Instant(data_key="to", load_default=None, metadata={"description": "Done before then."})

    example = {**SPAN, "page_size": 20}


class AccessAnswer(Answer):
    """One act on the record. `who`, `did` and `why` are to be shown: in the patient's language, of fixed words. `role`,
    `operation` and `action` are the words behind them, for programs: `role` is what the person or job at the clinic is
    there, as its system says; `system` is that system's name."""

    id = Id(required=True)
    at = Instant(required=True)
    who = Text(max=200, required=True)
    role = Text(max=255)
    system = Text(max=255)
    action = Text(max=64, required=True)
    operation = Text(max=100, required=True)
    did = Text(max=300, required=True)
    why = Text(max=300, required=True)

    example = {
        "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e72",
        "at": "2026-11-24T15:00:00Z",
        "who": "A counselor",
        "role": "counselor",
        "system": "Record system",
        "action": "read",
        "operation": "listCheckIns",
        "did": "Looked at your check-ins.",
        "why": "To see how you are doing, and to help.",
    }


class AccessLogAnswer(ListAnswer):
    """Who looked at the record or changed it, the latest first."""

    items = Items(AccessAnswer, required=True)

    example = {"items": [AccessAnswer.example]}


class DisclosureAsk(Ask):
    """What the clinic told without us. An `emergency` needs all that 42 CFR 2.51(c) asks for: to whom and of which
    facility (`none known`, where it is so), who told it, when, and the nature of the emergency."""

    basis = Word(STATED, required=True)
    recipient_name = Text(max=300, required=True)
    recipient_affiliation = Text(max=300, load_default=None)
    recipient_address = Text(max=500, load_default=None)
    categories = Items(Word(vocabulary.DISCLOSURE_CATEGORIES), max=10, load_default=list)
    description = Text(max=1000, required=True, metadata={"description": "What was told, for the patient to read."})
    purpose = Text(max=500, required=True, metadata={"description": "What for, for the patient to read."})
    made_by = Text(max=200, required=True, metadata={"description": "Who at the clinic told it, by name."})
    disclosed_at = Instant(required=True)
    nature = Text(max=1000, load_default=None, metadata={"description": "Of the emergency."})
    consent_id = Id(load_default=None, metadata={"description": "The consent it was told under, where there is one."})

    example = {
        "basis": "emergency",
        "recipient_name": "Dr. Alex Moreno",
        "recipient_affiliation": "St. Anne Hospital, emergency department",
        "categories": [],
        "description": "The medication you take, and since when.",
        "purpose": "To treat you safely in the emergency.",
        "made_by": "Jordan Lee, RN",
        "disclosed_at": "2026-11-24T03:12:00Z",
        "nature": "Brought in unconscious; a reaction to medication had to be ruled out.",
    }

    @ma.validates_schema
    def fits(self, asked: Mapping[str, Any], **_: Any) -> None:
        """An emergency has its elements, and nothing else has them."""
        emergency, wrong = asked.get("basis") == "emergency", {}
        if emergency != (asked.get("nature") is not None):
            wrong["nature"] = ["Belongs to an emergency, which needs it."]
        if emergency and asked.get("recipient_affiliation") is None:
            wrong["recipient_affiliation"] = ["An emergency needs it; say so where none is known."]
        if emergency and asked.get("consent_id") is not None:
            wrong["consent_id"] = ["What is told in an emergency rests on no consent."]
        if wrong:
            raise ma.ValidationError(wrong)


class DisclosureAnswer(Answer):
    """One entry of the ledger as the clinic keeps it. Those under a consent were written by the disclosure gate."""

    id = Id(required=True)
    patient_id = Id(required=True)
    basis = Word(vocabulary.DISCLOSURE_BASES, required=True)
    recipient_client_id = Id()
    recipient_name = Text(max=400, required=True)
    recipient_affiliation = Text(max=300)
    recipient_address = Text(max=500)
    categories = Items(Word(vocabulary.DISCLOSURE_CATEGORIES), max=10, required=True)
    description = Text(max=1000)
    purpose = Text(max=500, required=True)
    consent_id = Id()
    notice_version = Text(max=60, metadata={"description": "Which wording of the notice of 42 CFR 2.32 went along."})
    subject_id = Id(metadata={"description": "The referral that was asked about."})
    nature = Text(max=1000)
    made_by = Text(max=200)
    disclosed_at = Instant(required=True)
    recorded_at = Instant(required=True)
    recorded_by = Text(max=255)
    recorded_role = Text(max=255)

    example: ClassVar[Mapping[str, Any]] = {
        **{name: value for name, value in DisclosureAsk.example.items() if value is not None},
        "id": DISCLOSURE,
        "patient_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e02",
        "recorded_at": "2026-11-24T03:40:00Z",
        "recorded_by": "u-17",
        "recorded_role": "nurse",
    }


class DisclosuresAnswer(ListAnswer):
    """What was told of a patient, the latest first."""

    items = Items(DisclosureAnswer, required=True)

    example = {"items": [DisclosureAnswer.example]}
