"""A person asks the clinic to get in touch: what the form of the website sends, and the one answer that it gets."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields

from api import vocabulary
from schemas.base import Answer, Ask, Flag, Text, Word
from schemas.crisis import CrisisHelpAnswer
from schemas.locations import PHONE
from schemas.program_parts import SLUG

MAIL = r"\A[^@\s]{1,64}@[^@\s]{1,189}\Z"


class ReferralRequestAsk(Ask):
    """Who asks, and how it is safe to answer. A phone number or a mail address is needed; both may stand."""

    name = Text(max=100, required=True, metadata={"description": "The name to use; it need not be a legal one."})
    phone = Text(max=31, pattern=PHONE, load_default=None)
    email = Text(max=254, pattern=MAIL, load_default=None)
    voicemail_allowed = Flag(
        load_default=False, metadata={"description": "Whether a message may be left where others could hear it."}
    )
    best_time = Text(max=200, load_default=None, metadata={"description": "When it is good to be reached."})
    language = Word(vocabulary.LANGUAGES, load_default="en", metadata={"description": "In which to answer."})
    program = Text(max=40, pattern=SLUG, load_default=None, metadata={"description": "Absent: the clinic advises."})
    message = Text(max=1000, load_default=None)

    example = {
        "name": "Sam",
        "phone": "+12125550143",
        "voicemail_allowed": False,
        "best_time": "Weekdays after 5 pm",
        "language": "en",
        "message": "I would like to talk about evening groups.",
    }

    @ma.validates_schema
    def can_be_answered(self, asked: Mapping[str, Any], **_: Any) -> None:
        if asked.get("phone") is None and asked.get("email") is None:
            raise ma.ValidationError({"phone": ["A phone number or a mail address is needed."]})


class ReferralRequestAnswer(Answer):
    """The same for everybody: that the request has arrived, and where help is to be found until somebody answers."""

    message = Text(max=500, required=True)
    not_an_emergency_service = Text(max=500, required=True)
    crisis = fields.Nested(CrisisHelpAnswer, required=True)

    example = {
        "message": "Thank you. Somebody of our intake team will get in touch in the way that you chose.",
        "not_an_emergency_service": "This is not an emergency service. Placement is by assessment.",
        "crisis": CrisisHelpAnswer.example,
    }
