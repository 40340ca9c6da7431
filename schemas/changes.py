"""What has changed: everything of the patient's, row by row."""

from marshmallow import fields

from api import vocabulary
from schemas.base import (
    SAFE_INTEGER,
    Answer,
    Day,
    Flag,
    Id,
    Instant,
    Items,
    ListAnswer,
    LocalTime,
    PageQuery,
    Text,
    Whole,
    Word,
    Zone,
)
from schemas.calendar_feeds import CalendarFeedAnswer
from schemas.checkins import FLAGS
from schemas.consents import CONSENT_ID, ConsentAnswer
from schemas.messages import PHONE_EXAMPLE, EmailAnswer
from schemas.patients import LANGUAGES
from schemas.privacy_notice import NoticeAcknowledgementAnswer
from schemas.restrictions import MyRestrictionAnswer
from schemas.sessions import SessionAnswer

PATIENT = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e04"
ENROLLMENT = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e07"
REMINDER = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e05"
CHECK_IN = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e21"
EXAMPLE_SINCE = "q83vEjRWeJASNFZ4kBI0Vls0LCJlbiIsMTc5NTQ0NjAwMF0"


class MyChangesQuery(PageQuery):
    """What changed since then; without `since`, everything there is. Pages belong to the `since` they were begun
    with: send both."""

    since = Text(max=1024, load_default=None, metadata={"description": "`next_since` of the time before."})

    example = {"since": EXAMPLE_SINCE, "page_size": 100}


class EnrollmentChange(Answer):
    """A stay in a program, as it is recorded. Its words are in `/v1/me/enrollments` and `/v1/programs/{slug}`."""

    id = Id(required=True)
    program = Text(max=64, required=True, metadata={"description": "The program's slug."})
    status = Word(vocabulary.ENROLLMENT_STATUSES, required=True)
    starts_at = Instant(required=True)
    paused_since = Instant()
    ended_at = Instant()
    stepped_from = Id(metadata={"description": "The stay before, if this one began by a step from it."})

    example = {"id": ENROLLMENT, "program": "iop", "status": "active", "starts_at": "2026-11-02T13:00:00Z"}


class ReminderChange(Answer):
    """A reminder: planned, held back, said or never to be. Its words are in `/v1/me/reminders`."""

    id = Id(required=True)
    state = Word(vocabulary.REMINDER_STATES, required=True)
    kind = Word(vocabulary.REMINDER_KINDS, required=True)
    lead = Word(vocabulary.REMINDER_LEADS, metadata={"description": "How long before; absent for a change."})
    subject = Word(vocabulary.REMINDER_SUBJECTS, required=True)
    session_id = Id(metadata={"description": "For a session."})
    instrument = Text(max=64, metadata={"description": "For a check-in."})
    opens_on = Day(metadata={"description": "For a check-in: the patient's day on which it opens."})
    starts_at = Instant(required=True)
    time_zone = Zone(required=True)
    silent = Flag(required=True)
    due_at = Instant(required=True)
    sent_at = Instant()
    reason = Word(vocabulary.REMINDER_REASONS, required=True)
    replaced_by = Id()

    example = {
        "id": REMINDER,
        "state": "planned",
        "kind": "appointment",
        "lead": "evening_before",
        "subject": "session",
        "session_id": SessionAnswer.example["id"],
        "starts_at": "2026-11-25T23:00:00Z",
        "time_zone": "America/New_York",
        "silent": False,
        "due_at": "2026-11-24T23:00:00Z",
        "reason": "on_time",
    }


class CheckInChange(Answer):
    """A check-in that was sent. Its answers are in `/v1/me/check-ins/{id}`, with help beside them."""

    id = Id(required=True)
    instrument = Text(max=60, required=True)
    instrument_version = Text(max=20, required=True)
    complete = Flag(required=True)
    flags = Items(Text(max=60), max=20, required=True, metadata=FLAGS)
    occurred_at = Instant(required=True)
    received_at = Instant(required=True)

    example = {
        "id": CHECK_IN,
        "instrument": "daily",
        "instrument_version": "1",
        "complete": True,
        "flags": [],
        "occurred_at": "2026-11-23T14:59:30Z",
        "received_at": "2026-11-23T15:00:00Z",
    }


class ProfileChange(Answer):
    """How the person likes to be called, and what they chose; what was not chosen is absent."""

    id = Id(required=True)
    preferred_name = Text(max=200)
    language = Word(LANGUAGES)
    time_zone = Zone()
    discreet_label = Text(max=60)

    example = {"id": PATIENT, "preferred_name": "Sam", "language": "es", "time_zone": "America/New_York"}


class ReminderPreferencesChange(Answer):
    """How the patient chose to be reminded. Who chose nothing has none, and the clinic's defaults hold."""

    channels = Items(Word(vocabulary.REMINDER_CHANNELS), max=8, required=True)
    kinds = Items(Word(vocabulary.REMINDER_TOPICS), max=8, required=True)
    digest = Flag(required=True)
    lead_times = Items(Word(vocabulary.REMINDER_LEADS), max=8, required=True)
    first_session_lead_times = Items(Word(vocabulary.REMINDER_LEADS), max=8, required=True)
    quiet_from = LocalTime(required=True)
    quiet_to = LocalTime(required=True)
    paused_until = Instant()

    example = {
        "channels": ["push", "sms"],
        "kinds": ["sessions", "changes"],
        "digest": True,
        "lead_times": ["evening_before", "hours_2"],
        "first_session_lead_times": ["hours_24", "hours_2"],
        "quiet_from": "21:00",
        "quiet_to": "08:00",
    }


class ConsentChange(Answer):
    """A consent as it was signed, and that it was taken back or ended. Whether it holds now, and its words, are in
    `/v1/me/consents/{id}`."""

    id = Id(required=True)
    recipient_id = Id()
    recipient_class = Word(vocabulary.RECIPIENT_CLASSES)
    recipient_name = Text(max=400, required=True)
    categories = Items(Word(vocabulary.DISCLOSURE_CATEGORIES), max=10, required=True)
    purpose = Word(vocabulary.CONSENT_PURPOSES, required=True)
    terms = Word(vocabulary.CONSENT_TERMS, required=True)
    matter = Text(max=300)
    revocable = Word(vocabulary.CONSENT_REVOCABLE, required=True)
    revocable_at = Instant()
    expires_at = Instant()
    expires_on_event = Word(vocabulary.CONSENT_EVENTS)
    form_version = Text(max=60, required=True)
    language = Word(vocabulary.LANGUAGES, required=True)
    text_sha256 = Text(max=64, required=True)
    signed_how = Word(vocabulary.CONSENT_SIGNED_HOW, required=True)
    signer = Word(vocabulary.CONSENT_SIGNERS, required=True)
    signer_name = Text(max=200, required=True)
    signed_at = Instant(required=True)
    document_sha256 = Text(max=64)
    revoked_at = Instant()
    revoked_how = Word(vocabulary.CONSENT_REVOKED_HOW)
    ended_at = Instant()
    ended_reason = Word(vocabulary.CONSENT_ENDED_BECAUSE)

    example = {name: said for name, said in ConsentAnswer.example.items() if name not in ("state", "revocable_now")}


class PhoneChange(Answer):
    """Where texts go, and why they do not. The words to agree to are in `/v1/me/phone`."""

    is_on = Flag(required=True)
    why_off = Word(vocabulary.CONTACT_WHY_OFF)
    number = Text(max=16, required=True)
    set_by = Word(vocabulary.CONTACT_SETTERS, required=True)
    confirmed_at = Instant()
    consented_at = Instant()

    example = {"is_on": False, "why_off": "not_confirmed", "number": PHONE_EXAMPLE, "set_by": "patient"}


class CalendarFeedsChange(Answer):
    """All calendar addresses that there are, the oldest first, without the addresses themselves."""

    items = Items(CalendarFeedAnswer, max=100, required=True)

    example = {"items": [CalendarFeedAnswer.example]}


class MyChangeAnswer(Answer):
    """One thing of the patient's as it is now: the member of the same name as `kind` holds it. `deleted` ones hold
    nothing: what was kept under this kind and `id` is no longer the patient's. Kinds may grow; pass over unknown ones.
    The same thing may come more than once, and the later one holds. `phone`, `email` and `calendar_feeds` bear the
    patient's own id, and close every reading that tells of anything, changed or not: `deleted` where there is none, but
    in a reading without `since`, which leaves that out."""

    kind = Word(vocabulary.SYNCED_KINDS, required=True)
    id = Id(required=True)
    version = Whole(min=1, max=SAFE_INTEGER, required=True)
    deleted = Flag(required=True)
    session = fields.Nested(SessionAnswer)
    enrollment = fields.Nested(EnrollmentChange)
    reminder = fields.Nested(ReminderChange)
    check_in = fields.Nested(CheckInChange)
    profile = fields.Nested(ProfileChange)
    reminder_preferences = fields.Nested(ReminderPreferencesChange)
    consent = fields.Nested(ConsentChange)
    restriction_request = fields.Nested(MyRestrictionAnswer)
    notice_acknowledgement = fields.Nested(NoticeAcknowledgementAnswer)
    phone = fields.Nested(PhoneChange)
    email = fields.Nested(EmailAnswer)
    calendar_feeds = fields.Nested(CalendarFeedsChange)

    example = {
        "kind": "session",
        "id": SessionAnswer.example["id"],
        "version": 12,
        "deleted": False,
        "session": SessionAnswer.example,
    }


class MyChangesAnswer(ListAnswer):
    """A page of what has changed, in the order in which it did. `next_since` comes on the last page only."""

    items = Items(MyChangeAnswer, required=True)
    next_since = Text(max=1024, metadata={"description": "Opaque: what to send as `since` the next time."})

    example = {
        "items": [
            {"kind": "session", "id": SessionAnswer.example["location_id"], "version": 11, "deleted": True},
            MyChangeAnswer.example,
            {
                "kind": "consent",
                "id": CONSENT_ID,
                "version": 13,
                "deleted": False,
                "consent": ConsentChange.example,
            },
            {"kind": "phone", "id": PATIENT, "version": 13, "deleted": False, "phone": PhoneChange.example},
            {"kind": "email", "id": PATIENT, "version": 13, "deleted": True},
        ],
        "next_since": EXAMPLE_SINCE,
    }
