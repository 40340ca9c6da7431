"""What a patient asks the clinic not to tell, and what the clinic answered (42 CFR 2.26)."""

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow as ma

from api import vocabulary
from schemas.base import Answer, Ask, Flag, Id, Instant, Items, ListAnswer, PageQuery, Text, Word
from schemas.consents import PARTNER_ID

RESTRICTION_ID = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e63"


class RestrictionAsk(Ask):
    """Without `recipient_id` it is meant for anybody, without `categories` for everything."""

    recipient_id = Id(load_default=None)
    categories = Items(Word(vocabulary.DISCLOSURE_CATEGORIES), min=1, max=10, load_default=None)
    wish = Text(max=1000, load_default=None, metadata={"description": "In the patient's own words."})

    example = {"categories": ["attendance"], "wish": "Please do not tell anybody which groups I attend."}


class MyRestrictionAnswer(Answer):
    """A request, and the clinic's answer once there is one. Only `agreed` ones bind the clinic. The clinic ends what it
    agreed to; `withdrawn` is what the patient took back, before or after an answer."""

    id = Id(required=True)
    status = Word(vocabulary.RESTRICTION_STATUSES, required=True)
    recipient_id = Id(attribute="recipient_client_id")
    recipient_name = Text(max=200)
    categories = Items(Word(vocabulary.DISCLOSURE_CATEGORIES), max=10)
    wish = Text(max=1000)
    asked_at = Instant(required=True)
    answered_at = Instant()
    answer = Text(max=1000)
    ended_at = Instant()
    end_reason = Text(max=1000)
    withdrawn_at = Instant()

    example: ClassVar[Mapping[str, Any]] = {
        "id": RESTRICTION_ID,
        "status": "agreed",
        "recipient_id": PARTNER_ID,
        "recipient_name": "Harbor Detox",
        "categories": ["attendance"],
        "asked_at": "2026-11-23T15:00:00Z",
        "answered_at": "2026-11-24T15:00:00Z",
        "answer": "We will not share this.",
    }


class MyRestrictionsAnswer(ListAnswer):
    """The patient's requests, the latest first."""

    items = Items(MyRestrictionAnswer, required=True)

    example = {"items": [MyRestrictionAnswer.example]}


class MyRestrictionsQuery(PageQuery):
    example = {"page_size": 20}


class RestrictionAnswer(MyRestrictionAnswer):
    """A request as the clinic keeps it, with who answered."""

    patient_id = Id(required=True)
    answered_by = Text(max=200)
    answered_role = Text(max=200)
    ended_by = Text(max=200)
    ended_role = Text(max=200)

    example = {
        **MyRestrictionAnswer.example,
        "patient_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e02",
        "answered_by": "u-17",
        "answered_role": "privacy_officer",
    }


class RestrictionsAnswer(ListAnswer):
    """Requests of all patients, the longest waiting first."""

    items = Items(RestrictionAnswer, required=True)

    example = {"items": [RestrictionAnswer.example]}


class RestrictionsQuery(PageQuery):
    status = Word(
        vocabulary.RESTRICTION_STATUSES, load_default=None, metadata={"description": "Without it, all of them."}
    )

    example = {"status": "requested", "page_size": 20}


class RestrictionAnswerAsk(Ask):
    """A request that is declined needs words that the patient can read."""

    agreed = Flag(required=True)
    answer = Text(max=1000, load_default=None, metadata={"description": "The patient reads it."})

    example = {"agreed": True, "answer": "We will not share this."}

    @ma.validates_schema
    def explains(self, asked: Mapping[str, Any], **_: Any) -> None:
        if asked.get("agreed") is False and not asked.get("answer"):
            raise ma.ValidationError({"answer": ["Needed where the request is declined."]})


class RestrictionEndAsk(Ask):
    reason = Text(max=1000, required=True, metadata={"description": "The patient reads it."})

    example = {"reason": "You asked us to share this again."}
