"""Referrals as a partner sends them, and as it sees them."""

import marshmallow as ma
from marshmallow import fields

from api import vocabulary
from schemas.base import (
    SAFE_INTEGER,
    Answer,
    Ask,
    Beside,
    Day,
    Flag,
    Id,
    Instant,
    Items,
    ListAnswer,
    PageQuery,
    Text,
    Whole,
    Word,
)
from schemas.crisis import CrisisConfigAnswer
from schemas.locations import PHONE
from schemas.program_parts import SLUG
from schemas.referral_requests import MAIL
from schemas.released_care import ReleasedCareAnswer

EXAMPLE_ID = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
LANGUAGE_TAG = r"\A[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}\Z"
STEPS = ("amend", "send_document", "cancel", "withdraw")
SENT = {
    "own_identifier": "DTX-2041",
    "given_name": "Avery",
    "family_name": "Example",
    "born_on": "1990-01-01",
    "called": "Avery",
    "contact_preference": "may_contact",
    "phone": "+12125550143",
    "voicemail_allowed": False,
    "best_time": "Weekdays after 5 pm",
    "language": "en",
    "reason": "Finishing our program on Friday; asks for evening groups.",
    "urgency": "soon",
    "program": "iop",
    "notes": "Uses a wheelchair.",
}
NOTES = {
    "contact": "Whether the clinic may contact the person, only through the partner, or not at all. Then neither phone"
    " nor mail address may stand here.",
    "urgency": "There is no emergency: in one, call 911; to talk with somebody now, call or text 988.",
    "program": "Absent: the clinic decides after its assessment.",
    "part2": "The notice that binds the partner's own record of the person, if it has one (42 CFR 2.32).",
    "own": "What the partner calls this referral, such as a case number; not the person's name.",
    "called": "The name to use, if it is another one.",
}


class ReferralAsk(Ask):
    """A person as this partner knows them, and what is asked for them. Only what the clinic needs to get in touch."""

    own_identifier = Text(max=100, load_default=None, metadata={"description": NOTES["own"]})
    given_name = Text(max=100, required=True)
    family_name = Text(max=100, required=True)
    born_on = Day(load_default=None)
    called = Text(max=100, load_default=None, metadata={"description": NOTES["called"]})
    contact_preference = Word(vocabulary.CONTACT_PREFERENCES, required=True, metadata={"description": NOTES["contact"]})
    phone = Text(max=31, pattern=PHONE, load_default=None)
    voicemail_allowed = Flag(load_default=False)
    email = Text(max=254, pattern=MAIL, load_default=None)
    best_time = Text(max=200, load_default=None)
    language = Text(max=35, pattern=LANGUAGE_TAG, load_default="en", metadata={"description": "BCP 47, to be spoken."})
    reason = Text(max=500, required=True)
    urgency = Word(vocabulary.REFERRAL_URGENCIES, load_default="routine", metadata={"description": NOTES["urgency"]})
    program = Text(max=40, pattern=SLUG, load_default=None, metadata={"description": NOTES["program"]})
    notes = Text(max=2000, load_default=None)
    part2_notice = Text(max=2000, load_default=None, metadata={"description": NOTES["part2"]})

    example = SENT


class ReferralPatch(Ask):
    """What shall be different (RFC 7396): null takes a value away, what is absent stays."""

    own_identifier = Text(max=100, allow_none=True)
    given_name = Text(max=100)
    family_name = Text(max=100)
    born_on = Day(allow_none=True)
    called = Text(max=100, allow_none=True)
    contact_preference = Word(
        vocabulary.CONTACT_PREFERENCES,
        metadata={"description": "`through_partner` and `do_not_contact` take phone, mail address and time away."},
    )
    phone = Text(max=31, pattern=PHONE, allow_none=True)
    voicemail_allowed = Flag()
    email = Text(max=254, pattern=MAIL, allow_none=True)
    best_time = Text(max=200, allow_none=True)
    language = Text(max=35, pattern=LANGUAGE_TAG)
    reason = Text(max=500)
    urgency = Word(vocabulary.REFERRAL_URGENCIES)
    program = Text(max=40, pattern=SLUG, allow_none=True)
    notes = Text(max=2000, allow_none=True)
    part2_notice = Text(max=2000, allow_none=True)

    example = {"contact_preference": "through_partner", "notes": "Please call our unit."}

    @ma.validates_schema
    def says_something(self, data: dict[str, object], **_: object) -> None:
        if not data:
            raise ma.ValidationError("Name at least one value to change.")


class ReferralCancellationAsk(Ask):
    """Why the referral is not asked for any more; the clinic reads it."""

    reason = Text(max=500, required=True)

    example = {"reason": "The person chose a program nearer to home."}


class ReferralWithdrawalAsk(Ask):
    """Why the referral should never have been sent, if there is something to say."""

    reason = Text(max=500, load_default=None)

    example = {"reason": "Sent for the wrong person."}


class ReferralsQuery(PageQuery):
    """A page of the partner's own referrals."""

    own_identifier = Text(max=100, load_default=None, metadata={"description": NOTES["own"]})

    example = {"own_identifier": "DTX-2041", "page_size": 20}


class AboutReferralsAnswer(Answer):
    """How to reach intake, where help is to be found now, and what this is not. What is not set is absent."""

    intake_phone = Text(max=31)
    intake_hours = Text(max=500)
    expected_reply = Text(max=500)
    not_an_emergency_service = Text(max=500, required=True)
    crisis = fields.Nested(CrisisConfigAnswer, required=True)

    example = {
        "intake_phone": "+12125550100",
        "intake_hours": "Monday to Friday, 9 am to 5 pm",
        "expected_reply": "Intake usually answers within 24 hours.",
        "not_an_emergency_service": "This is not an emergency service. Placement is by assessment.",
        "crisis": CrisisConfigAnswer.example,
    }


class ReferralDocumentAnswer(Answer):
    """The newest paper that came with it; it opens nothing until staff have verified it."""

    sha256 = Text(max=64, required=True, metadata={"description": "Of the bytes that arrived, in hexadecimal."})
    size = Whole(min=1, max=1_000_000, required=True, metadata={"description": "In bytes."})
    received_at = Instant(required=True)

    example = {
        "sha256": "0f343b0931126a20f133d67c2b018a3b5f0e2a1c4d5e6f708192a3b4c5d6e7f8",
        "size": 48213,
        "received_at": "2026-11-23T15:02:00Z",
    }


class ReferralEventAnswer(Answer):
    """A step of the clinic's that a consent releases."""

    at = Instant(required=True)
    state = Word(vocabulary.REFERRAL_STATES)
    sub_status = Word(vocabulary.REFERRAL_SUB_STATUSES)
    reason = Text(max=2000)

    example = {"at": "2026-11-24T14:00:00Z", "state": "accepted", "sub_status": "assessment_scheduled"}


class ReleaseScopeAnswer(Answer):
    """A consent that this answer rests on, and what it releases: the clear explanation of its scope (42 CFR 2.32)."""

    consent_id = Id(required=True)
    categories = Items(Word(vocabulary.DISCLOSURE_CATEGORIES), max=10, required=True)
    purpose = Word(vocabulary.CONSENT_PURPOSES, required=True)
    terms = Word(vocabulary.CONSENT_TERMS, required=True)
    recipient_name = Text(max=200, required=True, metadata={"description": "For whom the patient signed."})
    signed_at = Instant(required=True)
    expires_at = Instant()
    expires_on_event = Word(vocabulary.CONSENT_EVENTS)

    example = {
        "consent_id": EXAMPLE_ID,
        "categories": ["referral_outcome"],
        "purpose": "treatment",
        "terms": "usual",
        "recipient_name": "Example Detox Unit",
        "signed_at": "2026-11-23T16:00:00Z",
        "expires_at": "2027-11-23T16:00:00Z",
    }


class ReleaseAnswer(Answer):
    """On what the released part of this answer rests, and the notice that must go with it wherever it goes."""

    notice_version = Text(max=20, required=True)
    notice = Text(max=4000, required=True)
    notice_short = Text(max=200, required=True)
    consents = Items(ReleaseScopeAnswer, max=10, required=True)
    expires_at = Instant(metadata={"description": "When the first of the consents ends by itself."})

    example = {
        "notice_version": "2024",
        "notice": "This record which has been disclosed to you is protected by Federal confidentiality rules.",
        "notice_short": "42 CFR part 2 prohibits unauthorized use or disclosure of these records.",
        "consents": [ReleaseScopeAnswer.example],
        "expires_at": "2027-11-23T16:00:00Z",
    }


class ReferralAnswer(Answer):
    """A referral as its sender sees it. Without the person's consent it stands at `received`, whatever became of it."""

    id = Id(required=True)
    version = Whole(min=1, max=SAFE_INTEGER, required=True)
    state = Word(vocabulary.REFERRAL_STATES, required=True)
    sub_status = Word(vocabulary.REFERRAL_SUB_STATUSES)
    state_reason = Text(max=2000, metadata={"description": "Where the clinic wrote one for the partner."})
    events = Items(ReferralEventAnswer, max=1000, required=True)
    allowed_steps = Items(Word(STEPS), max=10, required=True)
    withdrawn = Word(vocabulary.REFERRAL_WITHDRAWALS, metadata={"description": "The partner's own act."})
    withdrawn_reason = Text(max=500)
    withdrawn_at = Instant()
    possible_duplicates = Items(
        Id(),
        max=10,
        required=True,
        metadata={"description": "The partner's own earlier referrals that look like this one; nothing is merged."},
    )
    own_identifier = Text(max=100)
    given_name = Text(max=100)
    family_name = Text(max=100)
    born_on = Day()
    called = Text(max=100)
    contact_preference = Word(vocabulary.CONTACT_PREFERENCES, required=True)
    phone = Text(max=31)
    voicemail_allowed = Flag(required=True)
    email = Text(max=254)
    best_time = Text(max=200)
    language = Text(max=35, required=True)
    reason = Text(max=500)
    urgency = Word(vocabulary.REFERRAL_URGENCIES, required=True)
    program = Text(max=40)
    notes = Text(max=2000)
    part2_notice = Text(max=2000)
    document = fields.Nested(ReferralDocumentAnswer)
    care = fields.Nested(ReleasedCareAnswer, metadata={"description": "What a consent releases of their care besides."})
    release = fields.Nested(ReleaseAnswer)
    created_at = Instant(required=True)
    changed_at = Instant(required=True, metadata={"description": "By its sender, or as far as a consent releases it."})
    about = Beside(AboutReferralsAnswer, metadata={"description": "In a list, once for all items."})

    example = {
        "id": EXAMPLE_ID,
        "version": 1,
        "state": "received",
        "events": [],
        "allowed_steps": list(STEPS),
        "possible_duplicates": [],
        **SENT,
        "created_at": "2026-11-23T15:00:00Z",
        "changed_at": "2026-11-23T15:00:00Z",
        "about": AboutReferralsAnswer.example,
    }


class ReferralStandingProblem(Answer):
    """How the referral stands as far as you see it. Where a consent releases that, the notice that must stay with it
    and the scope of the consent go along (42 CFR 2.32)."""

    state = Word(vocabulary.REFERRAL_STATES)
    notice = Text(max=500)
    scope = Text(max=1000)

    example = {"state": "completed"}


class ReferralsAnswer(ListAnswer):
    """The partner's referrals in the order in which they were sent."""

    items = Items(ReferralAnswer, max=100, required=True)
    about = Beside(AboutReferralsAnswer, required=True)

    example = {
        "items": [{name: value for name, value in ReferralAnswer.example.items() if name != "about"}],
        "about": AboutReferralsAnswer.example,
    }
