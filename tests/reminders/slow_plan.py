"""The plan again, slow and obvious: one entry after another, minute by minute, everything compared with everything."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from api.reminders import plan as fast
from api.reminders.situation import Key

MINUTE = timedelta(minutes=1)
SILENT, CHANGE, REMINDER, CHECK_IN = range(4)


def slow_plan(facts, at):
    """Key to state, reason and the key that replaced it."""
    result, waiting = {}, []
    days = slow_days(facts)
    for about, key, wanted, known_at in slow_wanted(facts):
        reason, due = slow_judgement(key, wanted, known_at, about, facts)
        result[key] = ("held", reason, None)
        if due is not None:
            day = days.get(key.session_id) if key.kind == "appointment" else None
            waiting.append(Waiting(key, due, reason, known_at, end_of(about), day))
    for key in {one.key for one in facts.said} | facts.given_up:
        result.pop(key, None)
        waiting = [one for one in waiting if one.key != key]
    return result | one_by_one(waiting, facts, at)


def one_by_one(waiting, facts, at):
    result, spoken, digests = {}, [], {}
    while waiting:
        waiting.sort(key=Waiting.order)
        one = waiting.pop(0)
        if told := one.told(facts, at, digests):
            result[one.key] = ("held", "digest", told)
        elif moved := one.moved(facts, at, spoken):
            waiting.append(moved)
        else:
            state, _, speaker = result[one.key] = one.verdict(facts, at, spoken)
            if state == "planned":
                spoken.append((one.due, one.key, one.stage))
            if speaker or state == "planned":
                one.begin_digest(speaker or one.key, facts, spoken, digests)
    return result


class Waiting:
    """Something that would be said at `due` if nothing were near it."""

    def __init__(self, key, due, reason, known_at, starts_at, day):
        self.key, self.due, self.reason, self.known_at, self.starts_at = key, due, reason, known_at, starts_at
        self.day = day
        self.stage = {"appointment": REMINDER, "check_in": CHECK_IN}.get(key.kind, CHANGE)
        if reason == "silent_change":
            self.stage = SILENT

    def order(self):
        return self.stage, self.due, self.starts_at, str(self.key.session_id or self.key.instrument), self.key.lead

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
        if self.stage == SILENT:
            return self.starts_at
        return slow_expiry(self.key, self.due, self.starts_at, facts.wishes.quiet)

    def begin_digest(self, speaker, facts, spoken, digests):
        if self.day and self.key.lead in ("hours_24", "evening_before"):
            said = {one.key: one.at for one in facts.said} | {key: due for due, key, _ in spoken}
            digests.setdefault(self.day, (said[speaker], speaker))

    def told(self, facts, at, digests):
        """The key of the one message of this entry's day."""
        if self.held(facts, at):
            return None
        if self.day in digests:
            when, key = digests[self.day]
            return key if when < self.starts_at else None
        return self.told_already(facts)

    def told_already(self, facts):
        if not facts.wishes.digest:
            return None
        return next((one.key for one in self.heard(facts) if self.key.about in one.digest), None)

    def heard(self, facts):
        """What was said and matters to this entry."""
        if self.stage < REMINDER:
            return []
        heard = [one for one in facts.said if not one.silent]
        return heard if self.stage == CHECK_IN else [one for one in heard if one.key.kind != "check_in"]

    def speakers(self, facts, spoken):
        before = [(due, key) for due, key, stage in spoken if self.counts(stage) and not self.too_early(due)]
        near = [key for due, key in before if self.near(due, facts)]
        said = [one for one in self.heard(facts) if one.speaks_for(self.key)]
        return near + [one.key for one in said if self.near(one.at, facts)]

    def counts(self, stage):
        """Silent ones keep to themselves."""
        return (stage == SILENT) == (self.stage == SILENT)

    def too_early(self, due):
        return self.stage == CHECK_IN and due < self.known_at

    def near(self, other, facts, due=None):
        return other < self.starts_at and too_close(due or self.due, other, facts)

    def moved(self, facts, at, spoken):
        """The same for later, where something said without it is near and nothing that speaks for it is."""
        held = self.held(facts, at)
        gone = held == "past" and self.expiry(facts) <= self.known_at
        if self.stage < REMINDER or gone or held == "paused_by_patient" or self.told_already(facts):
            return None
        in_the_way = self.in_the_way(facts, spoken)
        in_time = [other for other in in_the_way if held != "past" or other < self.expiry(facts)]
        if self.speakers(facts, [] if held else spoken) or not self.disturbed(facts, self.due, in_time):
            return None
        due = self.due
        while due < self.starts_at and (self.disturbed(facts, due, in_the_way) or is_quiet(due, facts.wishes.quiet)):
            due += MINUTE
        if due >= self.starts_at:
            return None
        return Waiting(self.key, due, "after_another", self.known_at, self.starts_at, self.day)

    def in_the_way(self, facts, spoken):
        early = [due for due, _, stage in spoken if self.counts(stage) and self.too_early(due)]
        return early + [one.at for one in self.heard(facts) if not one.speaks_for(self.key)]

    def disturbed(self, facts, due, in_the_way):
        return any(self.near(other, facts, due) for other in in_the_way)


def is_quiet(instant, hours):
    wall = instant.astimezone(hours.zone).time()
    over_midnight = hours.begin > hours.end
    return wall >= hours.begin or wall < hours.end if over_midnight else hours.begin <= wall < hours.end


def end_of(about):
    return about.closes_at if hasattr(about, "closes_at") else about.starts_at


def slow_wanted(facts):
    for appointment in facts.appointments:
        for key, due, known_at in slow_leads(appointment, facts):
            yield appointment, key, due, known_at
    for asked in facts.check_ins:
        zone = facts.wishes.quiet.zone
        evening = slow_instant(datetime.combine(asked.opens_on, time(18)), zone)
        due = evening if asked.opens_at <= evening < asked.closes_at else asked.opens_at
        yield asked, Key(None, 1, "check_in", "", asked.instrument, asked.opens_on), due, asked.opens_at


def slow_leads(appointment, facts):
    for change in facts.changes:
        if change.session_id == appointment.session_id:
            due = change.at + fast.SETTLING
            yield Key(appointment.session_id, appointment.revision, change.kind, ""), due, due
    wall = appointment.starts_at.astimezone(appointment.zone).replace(tzinfo=None)
    evening = (wall - timedelta(days=1)).replace(hour=18, minute=0)
    usual = {"evening_before": evening, "hours_2": None}
    first = {"hours_72": wall - timedelta(days=3), "hours_24": wall - timedelta(days=1), "hours_2": None}
    for lead, local in (first if is_first(appointment) else usual).items():
        due = slow_instant(local, appointment.zone) if local else appointment.starts_at - timedelta(hours=2)
        yield Key(appointment.session_id, appointment.revision, "appointment", lead), due, appointment.known_at


def is_first(appointment):
    return appointment.session_id == UUID(int=1)


def slow_days(facts):
    """The patient's day of each appointment that stands and is not alone on it."""
    if not facts.wishes.digest:
        return {}
    of_day = {}
    for one in facts.appointments + facts.begun:
        usual = Key(one.session_id, one.revision, "appointment", "hours_2")
        if one in facts.begun or not (is_first(one) or slow_ground(usual, one, facts)):
            day = one.starts_at.astimezone(facts.wishes.quiet.zone).date()
            of_day.setdefault(day, []).append(one.session_id)
    return {session_id: day for day, several in of_day.items() if len(several) > 1 for session_id in several}


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


def slow_judgement(key, wanted, known_at, about, facts):
    """(reason, None) of what is held back, (reason, due) of what could be said."""
    if reason := slow_ground(key, about, facts):
        return reason, None
    if key.kind in ("moved", "cancelled", "restored") and cannot_wait(wanted, about, facts):
        return "silent_change", wanted
    return slow_shift(wanted, known_at, end_of(about), facts.wishes.quiet)


def cannot_wait(due, appointment, facts):
    if "push" not in facts.wishes.channels or not is_quiet(due, facts.wishes.quiet):
        return False
    while is_quiet(due, facts.wishes.quiet):
        due += MINUTE
    starts = [appointment.starts_at]
    starts += [one.before for one in facts.changes if one.before and one.session_id == appointment.session_id]
    return min(starts) <= due.replace(second=0, microsecond=0) + timedelta(hours=4)


def slow_ground(key, about, facts):
    if not facts.account_active:
        return "account_not_active"
    if key.kind == "check_in":
        return slow_ground_of_check_in(about, facts)
    (placement,) = facts.placements
    enrolled = placement.ends_at is None or about.starts_at < placement.ends_at
    if about.cancelled and key.kind == "appointment":
        return "session_cancelled"
    if not about.attending:
        return "not_attending"
    if not enrolled:
        return "not_enrolled"
    if placement.paused:
        return "enrollment_paused"
    topic = "sessions" if key.kind == "appointment" else "changes"
    return "" if topic in facts.wishes.kinds else "kind_off"


def slow_ground_of_check_in(asked, facts):
    if asked.answered:
        return "check_in_sent"
    if asked.paused:
        return "enrollment_paused"
    return "" if "check_ins" in facts.wishes.kinds else "kind_off"


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
    patience = timedelta(days=9) if key.kind in ("moved", "cancelled", "restored") else 15 * MINUTE
    while latest < starts_at and latest < due + patience and not is_quiet(latest, hours):
        latest += MINUTE
    return latest


def too_close(one, other, facts):
    here, there = (each.astimezone(facts.wishes.quiet.zone) for each in (one, other))
    same_evening = here.hour >= 17 and there.hour >= 17 and here.date() == there.date()
    return abs(one - other) <= timedelta(hours=2) or same_evening
