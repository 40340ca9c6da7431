"""Referrals as the clinic works on them: read, taken on, decided, linked, admitted."""

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow as ma

from api import vocabulary
from schemas.base import (
    Answer,
    Ask,
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
from schemas.program_parts import SLUG

REFERRAL_ID = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e91"
LARGEST = 2**53 - 1
OPEN_LEFT = ("reject", "fail", "cancel", "hold")


class TriageQuery(PageQuery):
    """Without `state`: the referrals that are still open."""

    state = Word(vocabulary.REFERRAL_STATES, load_default=None, metadata={"description": "Only those in this state."})
    origin = Word(vocabulary.REFERRAL_ORIGINS, load_default=None, metadata={"description": "Who sent them."})
    overdue = Flag(load_default=False, metadata={"description": "Only those that wait too long."})
    withdrawn_late = Flag(
        load_default=False,
        metadata={"description": "Instead: those taken back after they had ended, at which somebody must look."},
    )

    example = {"origin": "partner", "page_size": 20}


class ReplacedAnswer(Answer):
    """A member as it was before its sender changed it."""

    member = Text(max=64, required=True)
    value = Text(max=4000, min=0, required=True)

    example = {"member": "phone", "value": "+12125550142"}


class ReferralStepAnswer(Answer):
    """Something that happened. `told`: it changed what a partner may be told, as far as a consent allows."""

    at = Instant(required=True)
    act = Word(vocabulary.REFERRAL_ACTS, required=True)
    actor_kind = Word(vocabulary.REFERRAL_ACTORS, required=True)
    actor = Text(max=255, metadata={"description": "The person at the clinic, or the partner's id."})
    actor_role = Text(max=255)
    state = Word(vocabulary.REFERRAL_STATES)
    sub_status = Word(vocabulary.REFERRAL_SUB_STATUSES)
    reason = Text(max=1000)
    reason_told = Flag(required=True)
    told = Flag(required=True)
    replaced = Items(ReplacedAnswer, max=50, metadata={"description": "What an amendment by the sender replaced."})

    example = {
        "at": "2026-11-23T15:00:00Z",
        "act": "moved",
        "actor_kind": "clinic",
        "actor": "u-17",
        "actor_role": "counselor",
        "state": "accepted",
        "reason_told": False,
        "told": True,
    }


class TriagedReferralAnswer(Answer):
    """A referral with where it stands. `contact_preference` binds everybody: whoever is not to be contacted is not.
    `decisions` are those that may be taken now. `partner_cancelled_at` is when its sender took it back."""

    id = Id(required=True)
    origin = Word(vocabulary.REFERRAL_ORIGINS, required=True)
    client_id = Id(metadata={"description": "The partner; absent where a person asked for themselves."})
    partner_name = Text(max=200)
    partner_kind = Word(vocabulary.PARTNER_KINDS)
    own_identifier = Text(max=200, metadata={"description": "The partner's own."})
    given_name = Text(max=200)
    family_name = Text(max=200)
    born_on = Day()
    called = Text(max=200, metadata={"description": "The name to use."})
    contact_preference = Word(vocabulary.CONTACT_PREFERENCES, required=True)
    phone = Text(max=31)
    voicemail_allowed = Flag(required=True)
    email = Text(max=254)
    best_time = Text(max=200)
    language = Text(max=35, required=True, metadata={"description": "BCP 47, to be spoken."})
    referral_reason = Text(max=4000)
    urgency = Word(vocabulary.REFERRAL_URGENCIES, required=True)
    program = Text(max=40, metadata={"description": "Absent: the clinic decides."})
    notes = Text(max=4000)
    part2_notice = Text(max=4000, metadata={"description": "The notice under which the partner sent this."})
    resembles = Items(Id(), max=100, metadata={"description": "The same partner's other referrals that look alike."})
    state = Word(vocabulary.REFERRAL_STATES, required=True)
    sub_status = Word(vocabulary.REFERRAL_SUB_STATUSES)
    reason = Text(max=1000)
    reason_told = Flag(required=True, metadata={"description": "Whether the reason was written for the partner."})
    decisions = Items(Word(vocabulary.TRIAGE_DECISIONS), max=20, required=True)
    claimed_by = Text(max=255)
    claimed_role = Text(max=255)
    claimed_at = Instant()
    patient_external_id = Text(max=100)
    enrollment_id = Id()
    admitted_at = Instant()
    document_sha256 = Text(max=64, metadata={"description": "Of the consent form that came with it."})
    document_size = Whole(min=0, max=LARGEST)
    document_received_at = Instant()
    document_verified = Flag(required=True, metadata={"description": "Whether staff verified the newest document."})
    document_verified_at = Instant()
    document_verified_by = Text(max=255)
    document_verified_role = Text(max=255)
    withdrawn = Word(vocabulary.REFERRAL_WITHDRAWALS)
    withdrawn_reason = Text(max=1000)
    partner_cancelled_at = Instant()
    late_withdrawal = Word(
        vocabulary.REFERRAL_WITHDRAWALS, metadata={"description": "It came too late and undid nothing: please look."}
    )
    overdue_at = Instant(metadata={"description": "Since when it has waited too long."})
    version = Whole(min=1, max=LARGEST, required=True)
    created_at = Instant(required=True)
    changed_at = Instant(required=True, metadata={"description": "When its sender changed it last."})
    events = Items(
        ReferralStepAnswer, max=10_000, metadata={"description": "Oldest first; only where one referral is read."}
    )

    example = {
        "id": REFERRAL_ID,
        "origin": "partner",
        "client_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e62",
        "partner_name": "Harbor Detox",
        "partner_kind": "treating_provider",
        "given_name": "Sam",
        "family_name": "Rivers",
        "born_on": "1990-04-12",
        "contact_preference": "may_contact",
        "phone": "+12125550143",
        "voicemail_allowed": False,
        "language": "en",
        "urgency": "soon",
        "state": "received",
        "sub_status": "received",
        "reason_told": False,
        "decisions": ["accept", "contact_attempted", "unable_to_reach", "reject", "cancel"],
        "document_verified": False,
        "version": 1,
        "created_at": "2026-11-23T15:00:00Z",
        "changed_at": "2026-11-23T15:00:00Z",
    }


class TriagedReferralsAnswer(ListAnswer):
    """Referrals, the soonest and then the oldest first."""

    items = Items(TriagedReferralAnswer, max=100, required=True)

    example = {"items": [TriagedReferralAnswer.example]}


class ReferralClaimAsk(Ask):
    """`take_over`: also where somebody else has it."""

    take_over = Flag(load_default=False)

    example = {"take_over": False}


class DecisionAsk(Ask):
    """What becomes of it. `sub_status` says more where the decision is `reject`, `fail`, `cancel` or `hold`; to reject
    needs one. A reason is needed for these four, and to wait where nobody waited before. It stays inside
    unless `tell_partner`: then the partner reads it too, if a consent names that partner."""

    decision = Word(vocabulary.TRIAGE_DECISIONS, required=True)
    sub_status = Word(vocabulary.REFERRAL_SUB_STATUSES, load_default=None)
    reason = Text(max=1000, load_default=None)
    tell_partner = Flag(load_default=False)

    example = {"decision": "accept"}

    @ma.validates_schema
    def fits(self, asked: Mapping[str, Any], **_: Any) -> None:
        decision, sub_status = asked.get("decision"), asked.get("sub_status")
        if sub_status is not None and decision not in OPEN_LEFT:
            raise ma.ValidationError({"sub_status": [f"Belongs to {', '.join(OPEN_LEFT)}."]})
        if decision == "reject" and sub_status is None:
            raise ma.ValidationError({"sub_status": ["Is needed to reject: who waits must not be left to guess."]})
        if asked.get("tell_partner") and asked.get("reason") is None:
            raise ma.ValidationError({"reason": ["Is needed for telling the partner."]})


class ReferralPatientAsk(Ask):
    """Whose referral it is, by the record system's id; who is new there is made here."""

    patient_external_id = Text(max=100, required=True)
    preferred_name = Text(max=200, load_default=None)
    language = Word(vocabulary.LANGUAGES, load_default=None)

    example: ClassVar[Mapping[str, Any]] = {"patient_external_id": "EHR-100240"}


class AdmissionAsk(ReferralPatientAsk):
    """The patient and where the assessment places them, in one: the referral is complete with it."""

    program = Text(max=40, pattern=SLUG, required=True, metadata={"description": "Slug of a program offered here."})
    focus = Items(Word(vocabulary.ENROLLMENT_FOCUSES), min=1, max=2, required=True)
    starts_at = Instant(load_default=None, metadata={"description": "Without it, now."})

    example = {"patient_external_id": "EHR-100240", "program": "iop", "focus": ["substance_use"]}


class ReferralStandsProblem(Answer):
    """How the referral stands now."""

    state = Word(vocabulary.REFERRAL_STATES)
    sub_status = Word(vocabulary.REFERRAL_SUB_STATUSES)
    version = Whole(min=1, max=LARGEST)

    example = {"state": "accepted"}
