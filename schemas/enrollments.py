"""Which program a patient is in, as the clinic decides and records it."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields

from api import vocabulary
from schemas.base import Answer, Ask, Flag, Id, Instant, Items, ListAnswer, PageQuery, Text, Whole, Word
from schemas.program_parts import SLUG

EXAMPLE_ID = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
STEPS = ("step_up", "step_down")
NEED_A_REASON = (*STEPS, "pause", "discharge")
# Reasons that belong to some kinds only; any other may stand with each.
REASONS_OF = {
    "completed": ("step_down", "discharge"),
    "stepped_down": ("step_down",),
    "stepped_up": ("step_up",),
    "transferred": ("discharge",),
    "left_against_advice": ("discharge",),
    "lost_to_follow_up": ("pause", "discharge"),
    "deceased": ("discharge",),
    "entered_in_error": ("correct",),
}
STATES = ("planned", *vocabulary.ENROLLMENT_STATUSES)


class EnrollmentAsk(Ask):
    """Place a patient, as decided by assessment. `starts_at` may lie a year ahead; without it the stay begins now."""

    program = Text(max=40, pattern=SLUG, required=True, metadata={"description": "Slug of a program offered here."})
    starts_at = Instant(load_default=None)
    focus = Items(Word(vocabulary.ENROLLMENT_FOCUSES), min=1, max=2, required=True)

    example = {"program": "iop", "starts_at": "2026-11-23T15:00:00Z", "focus": ["substance_use"]}


class TransitionAsk(Ask):
    """What becomes of an enrollment. `program` (and `focus`, if it changes) belong to steps. `correct` takes back the
    latest fact, also the beginning itself. A `dry_run` does all of it, answers what it did, and undoes it; it needs
    no Idempotency-Key."""

    kind = Word(vocabulary.TRANSITIONS, required=True)
    reason = Word(
        vocabulary.TRANSITION_REASONS, load_default=None, metadata={"description": "Never shown to patients."}
    )
    effective_at = Instant(load_default=None, metadata={"description": "Now or earlier; without it now."})
    program = Text(max=40, pattern=SLUG, load_default=None)
    focus = Items(Word(vocabulary.ENROLLMENT_FOCUSES), min=1, max=2, load_default=None)
    dry_run = Flag(load_default=False)

    example = {"kind": "step_down", "reason": "completed", "program": "op", "effective_at": "2026-11-23T15:00:00Z"}

    @ma.validates_schema
    def fits(self, asked: Mapping[str, Any], **_: Any) -> None:
        """Which members belong to which kind."""
        kind, wrong = asked.get("kind", ""), {}
        if (kind in STEPS) != (asked.get("program") is not None):
            wrong["program"] = ["Belongs to step_up and step_down, which need it."]
        if kind not in STEPS and asked.get("focus") is not None:
            wrong["focus"] = ["Belongs to step_up and step_down."]
        if kind == "correct" and asked.get("effective_at") is not None:
            wrong["effective_at"] = ["A correction holds from the moment at which it is recorded."]
        reason = asked.get("reason")
        if kind not in REASONS_OF.get(reason or "", (kind,)) or (reason is None and kind in NEED_A_REASON):
            wrong["reason"] = ["Must be a reason that belongs to this kind of transition."]
        if kind and wrong:
            raise ma.ValidationError(wrong)


class EnrollmentFactAnswer(Answer):
    """One fact on record. `corrects` is the fact that a `corrected` one takes back; nothing is ever removed."""

    id = Id(required=True)
    kind = Word(vocabulary.ENROLLMENT_EVENTS, required=True)
    reason = Word(vocabulary.TRANSITION_REASONS)
    effective_at = Instant(required=True)
    recorded_at = Instant(required=True)
    corrects = Id(attribute="corrects_id")

    example = {
        "id": EXAMPLE_ID,
        "kind": "started",
        "effective_at": "2026-11-23T15:00:00Z",
        "recorded_at": "2026-11-23T15:00:00Z",
    }


class EnrollmentAnswer(Answer):
    """A stay in a program as the clinic's systems see it, with its facts in the order in which they were recorded."""

    id = Id(required=True)
    patient_id = Id(required=True)
    program = Text(max=40, required=True, attribute="program_slug")
    status = Word(STATES, required=True, metadata={"description": "`planned`: placed, and not begun."})
    status_since = Instant(required=True)
    starts_at = Instant(required=True)
    ended_at = Instant()
    focus = Items(Word(vocabulary.ENROLLMENT_FOCUSES), max=2, required=True)
    stepped_from = Id(attribute="stepped_from_id")
    facts = Items(EnrollmentFactAnswer, max=1000, required=True)
    version = Whole(min=1, max=2**53 - 1, required=True)

    example = {
        "id": EXAMPLE_ID,
        "patient_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e02",
        "program": "iop",
        "status": "active",
        "status_since": "2026-11-23T15:00:00Z",
        "starts_at": "2026-11-23T15:00:00Z",
        "focus": ["substance_use"],
        "facts": [EnrollmentFactAnswer.example],
        "version": 4,
    }


class EnrollmentsAnswer(ListAnswer):
    """A patient's enrollments, the first one first, those entered in error among them."""

    items = Items(EnrollmentAnswer, max=100, required=True)

    example = {"items": [EnrollmentAnswer.example]}


class EnrollmentsQuery(PageQuery):
    """A page of enrollments."""

    example = {"page_size": 20}


class ChangeAnswer(Answer):
    """One session, reminder or check-in that a decision changes for the patient. `id` is the session's, also for the
    reminder of it; `what` is a reminder's lead or a check-in's instrument; `at` is when it starts, is due, or opens."""

    kind = Word(vocabulary.CHANGE_KINDS, required=True)
    action = Word(vocabulary.CHANGE_ACTIONS, required=True)
    id = Id()
    what = Text(max=64)
    at = Instant(required=True)

    example = {"kind": "session", "action": "removed", "id": EXAMPLE_ID, "at": "2026-11-24T14:00:00Z"}


class TransitionAnswer(Answer):
    """What was decided and what it changed; with `dry_run` what it would be, and ids that it made are not kept."""

    dry_run = Flag(required=True)
    enrollment = fields.Nested(EnrollmentAnswer, required=True)
    next_enrollment = fields.Nested(EnrollmentAnswer, metadata={"description": "The stay that a step began."})
    changes = Items(
        ChangeAnswer,
        max=2000,
        required=True,
        metadata={"description": "Sessions, reminders and check-ins, by kind and time."},
    )

    example = {
        "dry_run": True,
        "enrollment": EnrollmentAnswer.example,
        "changes": [ChangeAnswer.example],
    }
