"""Why something is not said at all, whatever the time."""

from datetime import datetime

from api.reminders.situation import CHANGES, Appointment, Asked, Entry, Facts


def against(entry: Entry, about: Appointment | Asked, facts: Facts) -> str:
    """The first ground, in the order in which a patient would want to know; empty when there is none."""
    if isinstance(about, Asked):
        return against_check_in(about, facts)
    return against_change(about, facts) if entry.key.kind in CHANGES else against_appointment(about, facts)


def against_appointment(about: Appointment, facts: Facts) -> str:
    if about.cancelled and facts.account_active:
        return "session_cancelled"
    return _against_session(about, facts, "sessions")


def against_change(about: Appointment, facts: Facts) -> str:
    return _against_session(about, facts, "changes")


def against_check_in(about: Asked, facts: Facts) -> str:
    if not facts.account_active:
        return "account_not_active"
    if about.answered:
        return "check_in_sent"
    return "enrollment_paused" if about.paused else _unwanted("check_ins", facts)


def _against_session(about: Appointment, facts: Facts, topic: str) -> str:
    if not facts.account_active:
        return "account_not_active"
    if not about.attending:
        return "not_attending"
    return _unplaced(about.starts_at, facts) or _unwanted(topic, facts)


def _unplaced(instant: datetime, facts: Facts) -> str:
    placement = next((one for one in facts.placements if one.covers(instant)), None)
    if placement is None:
        return "not_enrolled"
    return "enrollment_paused" if placement.paused else ""


def _unwanted(topic: str, facts: Facts) -> str:
    if not facts.wishes.channels:
        return "no_channel"
    return "" if topic in facts.wishes.kinds else "kind_off"
