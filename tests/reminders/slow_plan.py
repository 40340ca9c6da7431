"""The plan again, slow and obvious: one entry after another, minute by minute, everything compared with everything."""

from datetime import UTC, timedelta
from uuid import UUID

from api.reminders import plan as fast

MINUTE = timedelta(minutes=1)


def slow_plan(facts, at):
    """Key to state, reason and the key that replaced it."""
    result, waiting = {}, []
    settled = {one.key for one in facts.said} | facts.given_up
    for appointment in facts.appointments:
        for key, wanted, known_at in slow_wanted(appointment, facts):
            reason, due = slow_judgement(key, wanted, known_at, appointment, facts)
            if key not in settled:
                result[key] = ("held", reason, None)
                if due is not None:
                    waiting.append(Waiting(key, due, reason, known_at, appointment.starts_at))
    spoken = []
    while waiting:
        waiting.sort(key=Waiting.order)
        one = waiting.pop(0)
        if moved := one.moved(facts, at, spoken):
            waiting.append(moved)
            continue
        result[one.key] = one.verdict(facts, at, spoken)
        if result[one.key][0] == "planned":
            spoken.append((one.due, one.key))
    return result


class Waiting:
    """Something that would be said at `due` if nothing were near it."""

    def __init__(self, key, due, reason, known_at, starts_at):
        self.key, self.due, self.reason, self.known_at, self.starts_at = key, due, reason, known_at, starts_at
        self.is_reminder = key.kind == "appointment"

    def order(self):
        return self.is_reminder, self.due, self.starts_at, str(self.key.session_id), self.key.lead

    def verdict(self, facts, at, spoken):
        if held := self.held(facts, at):
            return "held", held, None
        if speakers := self.speakers(facts, spoken):
            return "held", "merged", speakers[0]
        return "planned", self.reason, None

    def held(self, facts, at):
        if at >= self.expiry(facts):
            return "past"
        pause = facts.wishes.paused_until
        return "paused_by_patient" if pause and self.due < pause else ""

    def expiry(self, facts):
        return slow_expiry(self.key, self.due, self.starts_at, facts.wishes.quiet)

    def speakers(self, facts, spoken):
        near = [key for due, key in spoken if self.near(due, facts)]
        said = [one.key for one in facts.said if self.is_reminder and one.speaks_for(self.key)]
        return near + [key for key in said if self.near(time_of(key, facts), facts)]

    def near(self, other, facts, due=None):
        return other < self.starts_at and too_close(due or self.due, other, facts)

    def moved(self, facts, at, spoken):
        """The same for later, where something said without it is near and nothing that speaks for it is."""
        held = self.held(facts, at)
        gone = held == "past" and self.expiry(facts) <= self.known_at
        if not self.is_reminder or gone or held == "paused_by_patient":
            return None
        if self.speakers(facts, [] if held else spoken) or not self.disturbed(facts, self.due):
            return None
        due = self.due
        while due < self.starts_at and (self.disturbed(facts, due) or is_quiet(due, facts.wishes.quiet)):
            due += MINUTE
        if due >= self.starts_at:
            return None
        return Waiting(self.key, due, "after_another", self.known_at, self.starts_at)

    def disturbed(self, facts, due):
        return any(self.near(one.at, facts, due) for one in facts.said if not one.speaks_for(self.key))


def time_of(key, facts):
    return next(one.at for one in facts.said if one.key == key)


def is_quiet(instant, hours):
    wall = instant.astimezone(hours.zone).time()
    over_midnight = hours.begin > hours.end
    return wall >= hours.begin or wall < hours.end if over_midnight else hours.begin <= wall < hours.end


def slow_wanted(appointment, facts):
    for change in facts.changes:
        if change.session_id == appointment.session_id:
            due = change.at + fast.SETTLING
            yield fast.Key(appointment.session_id, appointment.revision, change.kind, ""), due, due
    wall = appointment.starts_at.astimezone(appointment.zone).replace(tzinfo=None)
    evening = (wall - timedelta(days=1)).replace(hour=18, minute=0)
    usual = {"evening_before": evening, "hours_2": None}
    first = {"hours_72": wall - timedelta(days=3), "hours_24": wall - timedelta(days=1), "hours_2": None}
    for lead, local in (first if appointment.session_id == UUID(int=1) else usual).items():
        due = slow_instant(local, appointment.zone) if local else appointment.starts_at - timedelta(hours=2)
        yield fast.Key(appointment.session_id, appointment.revision, "appointment", lead), due, appointment.known_at


def slow_instant(local, zone):
    """The first instant of the days around at which the wall shows `local`; if none does, go by the offset before."""
    offsets = [timedelta(minutes=15 * step) for step in range(56, -49, -1)]
    shown = [local - offset for offset in offsets if wall_at(local - offset, zone) == local]
    if shown:
        return shown[0].replace(tzinfo=UTC)
    yesterday = (local - timedelta(days=1)).replace(tzinfo=zone)
    return (local - yesterday.utcoffset()).replace(tzinfo=UTC)


def wall_at(naive_utc, zone):
    return naive_utc.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def slow_judgement(key, wanted, known_at, appointment, facts):
    """(reason, None) of what is held back, (reason, due) of what could be said."""
    if reason := slow_ground(key, appointment, facts):
        return reason, None
    return slow_shift(wanted, known_at, appointment.starts_at, facts.wishes.quiet)


def slow_ground(key, appointment, facts):
    (placement,) = facts.placements
    enrolled = placement.ends_at is None or appointment.starts_at < placement.ends_at
    if not facts.account_active:
        return "account_not_active"
    if appointment.cancelled and key.kind == "appointment":
        return "session_cancelled"
    if not appointment.attending:
        return "not_attending"
    if not enrolled:
        return "not_enrolled"
    return "enrollment_paused" if placement.paused else ""


def slow_shift(wanted, known_at, starts_at, hours):
    if not is_quiet(wanted, hours):
        return "on_time", wanted
    begin = wanted
    while is_quiet(begin - MINUTE, hours):
        begin -= MINUTE
    if begin - 15 * MINUTE >= known_at:
        return "before_quiet_hours", begin - 15 * MINUTE
    end = wanted
    while is_quiet(end, hours):
        end += MINUTE
    return ("after_quiet_hours", end) if end < starts_at else ("quiet_hours", None)


def slow_expiry(key, due, starts_at, hours):
    latest = due
    patience = 15 * MINUTE if key.kind == "appointment" else timedelta(days=9)
    while latest < starts_at and latest < due + patience and not is_quiet(latest, hours):
        latest += MINUTE
    return latest


def too_close(one, other, facts):
    here, there = (each.astimezone(facts.wishes.quiet.zone) for each in (one, other))
    same_evening = here.hour >= 17 and there.hour >= 17 and here.date() == there.date()
    return abs(one - other) <= timedelta(hours=2) or same_evening
