"""What the delta sync knows how to tell of: one `Kind` for each table whose rows a patient reads and that bear the
patient's version, and one `Whole` for each thing that may vanish without a trace. No token is told of a kind whose own
door it does not open.

Devices, signed-in phones and passkeys are not among them: they say how somebody gets in, bear no version, and change
whenever an app is opened.

A row that bears a version is told whole, or as gone. What a row does not know by itself is left out: texts that are
worded anew at each reading, and what the clock alone changes. `schemas.changes` has the same shapes; tests hold them
together.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from api import hotjson
from api.checkins.models import CheckIn
from api.enrollments.models import Enrollment
from api.hotjson import utc
from api.patients.models import Patient
from api.reminders.models import Reminder, ReminderPreferences
from api.sessions import listing
from api.sessions.models import Attendance, CareSession
from api.today import changes_privacy, changes_wholes
from api.today.changes_parts import Columns, Kind, bit

LOOK_BACK = timedelta(days=30)
HOUR = sa.bindparam("hour", type_=sa.DateTime(timezone=True))
EARLIEST = HOUR - sa.literal_column(f"interval '{LOOK_BACK.days} days'", sa.Interval)
YESTERDAY = HOUR - sa.literal_column("interval '1 day'", sa.Interval)


def _session(place: Columns, caller: sa.CTE) -> hotjson.Text:
    return hotjson.object_(*listing.members(CareSession, place, caller.c.language))


def _enrollment(stay: Columns, _: sa.CTE) -> hotjson.Text:
    paused = stay.status == hotjson.quoted("paused")
    return hotjson.object_(
        hotjson.word("id", stay.id),
        hotjson.text("program", stay.program_slug),
        hotjson.word("status", stay.status),
        hotjson.word("starts_at", utc(stay.starts_at)),
        hotjson.word("paused_since", sa.case((paused, utc(stay.status_since)))),
        hotjson.word("ended_at", utc(stay.ended_at)),
        hotjson.word("stepped_from", stay.stepped_from_id),
    )


def _reminder(entry: Columns, _: sa.CTE) -> hotjson.Text:
    return hotjson.object_(
        hotjson.word("id", entry.id),
        hotjson.word("state", entry.state),
        hotjson.word("kind", entry.kind),
        hotjson.word("lead", sa.func.nullif(entry.lead, hotjson.quoted(""))),
        hotjson.word("subject", entry.subject),
        hotjson.word("session_id", entry.session_id),
        hotjson.text("instrument", entry.instrument),
        hotjson.word("opens_on", sa.cast(entry.opens_on, sa.Text)),
        hotjson.word("starts_at", utc(entry.starts_at)),
        hotjson.text("time_zone", entry.time_zone),
        hotjson.value("silent", entry.silent),
        hotjson.word("due_at", utc(entry.due_at)),
        hotjson.word("sent_at", utc(entry.sent_at)),
        hotjson.word("reason", entry.reason),
        hotjson.word("replaced_by", entry.replaced_by),
    )


def _check_in(kept: Columns, _: sa.CTE) -> hotjson.Text:
    return hotjson.object_(
        hotjson.word("id", kept.id),
        hotjson.text("instrument", kept.instrument),
        hotjson.text("instrument_version", kept.instrument_version),
        hotjson.value("complete", kept.complete),
        hotjson.value("flags", sa.func.to_json(kept.flags)),
        hotjson.word("occurred_at", utc(kept.occurred_at)),
        hotjson.word("received_at", utc(kept.received_at)),
    )


def _profile(patient: Columns, _: sa.CTE) -> hotjson.Text:
    return hotjson.object_(
        hotjson.word("id", patient.id),
        hotjson.text("preferred_name", patient.preferred_name),
        hotjson.text("language", patient.language),
        hotjson.text("time_zone", patient.time_zone),
        hotjson.text("discreet_label", patient.discreet_label),
    )


def _wishes(chosen: Columns, _: sa.CTE) -> hotjson.Text:
    return hotjson.object_(
        hotjson.value("channels", sa.func.to_json(chosen.channels)),
        hotjson.value("kinds", sa.func.to_json(chosen.kinds)),
        hotjson.value("digest", chosen.digest),
        hotjson.value("lead_times", sa.func.to_json(chosen.leads)),
        hotjson.value("first_session_lead_times", sa.func.to_json(chosen.first_leads)),
        hotjson.word("quiet_from", _wall(chosen.quiet_begin)),
        hotjson.word("quiet_to", _wall(chosen.quiet_end)),
        hotjson.word("paused_until", utc(chosen.paused_until)),
    )


def _wall(time: Any) -> sa.ColumnElement[str]:
    return sa.func.left(sa.cast(time, sa.Text), sa.literal_column("5"))


def _booked(place: Any) -> Any:
    return place.status == hotjson.quoted("booked")


def _in_error(stay: Any) -> Any:
    return stay.status == hotjson.quoted("entered_in_error")


KINDS = (
    Kind(
        number=1,
        name="session",
        scope="sessions:read",
        table=Attendance,
        id="session_id",
        patient_id="patient_id",
        worth=lambda: [_booked(Attendance), Attendance.starts_at >= EARLIEST],
        shown=_session,
        gone=lambda place: sa.not_(_booked(place)),
        joined=lambda place: (CareSession, sa.and_(CareSession.id == place.session_id, _booked(place))),
    ),
    Kind(
        number=2,
        name="enrollment",
        scope="enrollment:read",
        table=Enrollment,
        id="id",
        patient_id="patient_id",
        worth=lambda: [sa.not_(_in_error(Enrollment))],
        shown=_enrollment,
        gone=_in_error,
    ),
    Kind(
        number=3,
        name="reminder",
        scope="reminders:read",
        table=Reminder,
        id="id",
        patient_id="patient_id",
        worth=lambda: [Reminder.due_at >= YESTERDAY],
        shown=_reminder,
    ),
    # Without the answers: beside those stands crisis help, which changes with the clock.
    Kind(
        number=4,
        name="check_in",
        scope="checkins:read",
        table=CheckIn,
        id="id",
        patient_id="patient_id",
        worth=lambda: [CheckIn.occurred_at >= EARLIEST],
        shown=_check_in,
    ),
    Kind(5, "profile", "me:read", Patient, id="id", patient_id="id", worth=list, shown=_profile),
    Kind(
        number=6,
        name="reminder_preferences",
        scope="reminders:read",
        table=ReminderPreferences,
        id="patient_id",
        patient_id="patient_id",
        worth=list,
        shown=_wishes,
    ),
    *changes_privacy.KINDS,
)
WHOLES = changes_wholes.WHOLES


def told_to(scopes: Collection[str]) -> int:
    """The kinds that a token of these scopes is told of, as a set (`changes_parts.bit`)."""
    return sum(bit(one) for one in (*KINDS, *WHOLES) if one.scope in scopes)
