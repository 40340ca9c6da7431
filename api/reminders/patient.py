"""The patient's door to reminders: the ledger, and how to be reminded."""

from typing import Any

from api import answering, clock, language
from api.blueprint import Door
from api.reminders import marks, preferences
from api.reminders import service as reminders
from schemas.reminders import ReminderPreferencesAnswer, ReminderPreferencesAsk, RemindersAnswer, RemindersQuery

door = Door("reminders", kind="patient", tag="Reminders")


@door.get(
    "/reminders", operation="listMyReminders", scope="reminders:read", summary="What I was and will be told", etag=True
)
@door.query(RemindersQuery)
@door.answers(RemindersAnswer)
def list_my_reminders(asked: dict[str, Any]) -> dict[str, Any]:
    """Every reminder in a window over their times: said, planned, held back, and why. Polled: send If-None-Match."""
    patient_id, spoken, at = answering.patient_id(), language.chosen(), clock.now()
    window = {"since": asked["since"], "until": asked["until"]}
    mark = marks.of_ledger(patient_id=patient_id, language=spoken, at=at, **window)
    if answering.caller_holds(*mark, sorted(asked.items())):
        return {}
    items, more = reminders.listed(
        patient_id=patient_id,
        since=asked["since"],
        until=asked["until"],
        state=asked["state"],
        asked=asked["page_size"],
        page_token=asked["page_token"],
        language=language.chosen(),
        at=at,
    )
    return {"items": items, "next_page_token": more}


@door.get(
    "/reminder-preferences",
    operation="getMyReminderPreferences",
    scope="reminders:read",
    summary="How I am reminded",
    etag=True,
)
@door.answers(ReminderPreferencesAnswer)
def get_my_reminder_preferences() -> dict[str, Any]:
    """What holds for the patient: what they chose, the clinic's defaults otherwise."""
    return _shown(preferences.of(patient_id=answering.patient_id()))


@door.put(
    "/reminder-preferences",
    operation="putMyReminderPreferences",
    scope="reminders:write",
    summary="Choose how I am reminded",
    if_match=True,
)
@door.asks(ReminderPreferencesAsk)
@door.answers(ReminderPreferencesAnswer)
def put_my_reminder_preferences(choices: dict[str, Any]) -> dict[str, Any]:
    """Replaces the whole choice; what is planned follows it at once."""
    return _shown(
        preferences.choose(
            patient_id=answering.patient_id(),
            choices=choices,
            expected=answering.expected_version(),
            at=clock.now(),
        )
    )


def _shown(chosen: preferences.Chosen) -> dict[str, Any]:
    """The choices and nothing else: their version is the tag of the answer."""
    answering.set_version(chosen.version)
    return {
        "channels": chosen.channels,
        "kinds": chosen.kinds,
        "lead_times": chosen.leads,
        "first_session_lead_times": chosen.first_leads,
        "quiet_from": chosen.quiet_begin,
        "quiet_to": chosen.quiet_end,
        "digest": chosen.digest,
        "paused_until": chosen.paused_until,
    }
