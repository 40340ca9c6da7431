"""Reminders: what was said, will be said or was held back, and how a patient wants to be reminded."""

from api import vocabulary
from schemas.base import Answer, Ask, Day, Flag, Id, Instant, Items, ListAnswer, LocalTime, PageQuery, Text, Word, Zone

SESSION = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
REMINDER = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e05"


class RemindersQuery(PageQuery):
    """A window over the times of reminders. Without it: from a day ago, four weeks ahead."""

    since = Instant(data_key="from", load_default=None, metadata={"description": "Reminders due then or later."})
    until = Instant(data_key="to", load_default=None, metadata={"description": "Reminders due before then."})
    state = Word(vocabulary.REMINDER_STATES, load_default=None, metadata={"description": "Only those in this state."})

    example = {"from": "2026-11-23T00:00:00Z", "to": "2026-12-21T00:00:00Z", "state": "planned", "page_size": 20}


class ReminderAnswer(Answer):
    """One entry of the ledger. `planned` will be said at `due_at`, `sent` was said at `sent_at`, `held` is held back
    and may still be planned again, `not_sent` never will be. `reason` is the word and `why` the sentence for it;
    `replaced_by` is the entry that is said in its place. `text` is what is said, absent where nothing is.

    The server is the sender. An app may show by itself only what `may_show_locally`, under its `collapse_id`: a push
    under the same id replaces it."""

    id = Id(required=True)
    state = Word(vocabulary.REMINDER_STATES, required=True)
    kind = Word(vocabulary.REMINDER_KINDS, required=True)
    lead = Word(vocabulary.REMINDER_LEADS, metadata={"description": "How long before; only for an appointment."})
    subject = Word(vocabulary.REMINDER_SUBJECTS, required=True)
    session_id = Id(metadata={"description": "For a session."})
    instrument = Text(max=64, metadata={"description": "For a check-in."})
    opens_on = Day(metadata={"description": "For a check-in: the patient's day on which it opens."})
    starts_at = Instant(required=True, metadata={"description": "When the session starts, or the check-in closes."})
    time_zone = Zone(required=True)
    due_at = Instant(required=True)
    sent_at = Instant()
    channel = Word(vocabulary.REMINDER_CHANNELS, metadata={"description": "What took it."})
    delivered_at = Instant(metadata={"description": "When it first reached a phone, as far as one told."})
    opened_at = Instant()
    dismissed_at = Instant()
    reason = Word(vocabulary.REMINDER_REASONS, required=True)
    why = Text(max=200, required=True)
    text = Text(max=160)
    replaced_by = Id()
    silent = Flag(required=True, metadata={"description": "It comes without a sound, also in quiet hours."})
    collapse_id = Text(max=64, required=True)
    may_show_locally = Flag(required=True)

    example = {
        "id": REMINDER,
        "state": "planned",
        "kind": "appointment",
        "lead": "evening_before",
        "subject": "session",
        "session_id": SESSION,
        "starts_at": "2026-11-25T23:00:00Z",
        "time_zone": "America/New_York",
        "due_at": "2026-11-24T23:00:00Z",
        "reason": "on_time",
        "why": "This is its usual time.",
        "text": "You have an appointment tomorrow at 6:00 PM. Open the app for details.",
        "silent": False,
        "collapse_id": "5f0c1b0e8d7a4c3fa2b19c64d07e3a58",
        "may_show_locally": True,
    }


class RemindersAnswer(ListAnswer):
    """Reminders in the order of their times."""

    items = Items(ReminderAnswer, required=True)

    example = {"items": [ReminderAnswer.example]}


class ReminderPreferencesAsk(Ask):
    """The patient's whole wish: what is absent goes back to the clinic's default. Quiet hours are on the patient's own
    clock, go over midnight when `quiet_to` is the earlier one, are none when both are equal, and last at most 20 hours.
    `channels` are tried in their order. No channel, no kind, or no lead time, is no reminder. With `digest`, a day of
    several appointments is said in one message, with the first lead time of a day or an evening."""

    channels = Items(Word(vocabulary.REMINDER_CHANNELS), max=8)
    kinds = Items(Word(vocabulary.REMINDER_TOPICS), max=8)
    lead_times = Items(Word(vocabulary.REMINDER_LEADS), max=8)
    first_session_lead_times = Items(Word(vocabulary.REMINDER_LEADS), max=8)
    quiet_from = LocalTime()
    quiet_to = LocalTime()
    digest = Flag()
    paused_until = Instant(metadata={"description": "Nothing is said before then."})

    example = {
        "channels": ["push", "sms"],
        "kinds": ["sessions", "changes", "check_ins"],
        "lead_times": ["evening_before", "hours_2"],
        "quiet_from": "22:00",
        "quiet_to": "08:00",
        "digest": True,
        "paused_until": "2026-12-01T13:00:00Z",
    }


class ReminderPreferencesAnswer(Answer):
    """What holds for the patient, chosen or by default. Quiet hours are read in the patient's time zone, which `GET
    /v1/me` tells."""

    channels = Items(Word(vocabulary.REMINDER_CHANNELS), max=8, required=True)
    kinds = Items(Word(vocabulary.REMINDER_TOPICS), max=8, required=True)
    lead_times = Items(Word(vocabulary.REMINDER_LEADS), max=8, required=True)
    first_session_lead_times = Items(Word(vocabulary.REMINDER_LEADS), max=8, required=True)
    quiet_from = LocalTime(required=True)
    quiet_to = LocalTime(required=True)
    digest = Flag(required=True)
    paused_until = Instant()

    example = {
        "channels": ["push", "sms"],
        "kinds": ["sessions", "changes", "check_ins"],
        "lead_times": ["evening_before", "hours_2"],
        "first_session_lead_times": ["hours_72", "hours_24", "hours_2"],
        "quiet_from": "21:00",
        "quiet_to": "08:00",
        "digest": True,
    }
