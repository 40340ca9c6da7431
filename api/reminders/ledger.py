"""The ledger: the plan as rows, rewritten in the transaction of whatever changes it, for many patients at once.

However many patients: one round of version locks, seven reads and two writes. What was said, or is being said under
a worker's lease, is left alone; a row is never deleted, it is held back with a reason.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any
from uuid import UUID

import orjson

from api import db, events
from api.enrollments.events import PreviewableChange
from api.patients import versions
from api.prepared import Prepared
from api.reminders import calls, claims, facts, sources
from api.reminders.facts import Known, key
from api.reminders.merge import merged_plan
from api.reminders.plan import comes_too_late
from api.reminders.situation import Appointment, Change, Entry, Facts, Key

_INSERT = Prepared("""
    INSERT INTO reminders (id, patient_id, subject, session_id, instrument, opens_on, opens_at, revision, kind, lead,
                           starts_at, time_zone, due_at, expires_at, state, reason, silent, replaced_by, created_at,
                           changed_at, version)
    SELECT id, patient_id, subject, session_id, instrument, opens_on, opens_at, revision, kind, lead,
           starts_at, time_zone, due_at, expires_at, state, reason, silent, replaced_by, created_at,
           changed_at, version
    FROM jsonb_populate_recordset(NULL::reminders, %(rows)s::jsonb)
""")
# What a worker has taken, only a worker resolves, also when the lease has ended: it may have been said. A check-in's
# window goes with its patient to another zone.
_UPDATE = Prepared("""
    UPDATE reminders SET state = r.state, reason = r.reason, due_at = r.due_at, expires_at = r.expires_at,
        starts_at = r.starts_at, time_zone = r.time_zone, opens_at = r.opens_at, silent = r.silent,
        replaced_by = r.replaced_by, changed_at = r.changed_at, version = r.version
    FROM jsonb_populate_recordset(NULL::reminders, %(rows)s::jsonb) AS r
    WHERE reminders.id = r.id AND reminders.state IN ('planned', 'held') AND reminders.lease IS NULL
""")
# What a row that is no longer in the plan keeps of itself.
_OF_THE_ROW = ("starts_at", "time_zone", "opens_at", "due_at", "expires_at", "silent")


@dataclass
class Writes:
    """Rows to write, what they mean to whoever previews the transaction, and which changes are for a person to call
    about, by patient and row."""

    inserts: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    news: list[PreviewableChange] = field(default_factory=list)
    calls: list[tuple[UUID, UUID]] = field(default_factory=list)

    def carry_out(self, at: datetime) -> None:
        for statement, rows in ((_INSERT, self.inserts), (_UPDATE, self.updates)):
            if rows:
                statement.run(rows=orjson.dumps(rows).decode())
        for one in self.news:
            events.announce(one)
        for patient_id, row_id in self.calls:
            calls.ask_for(patient_id=patient_id, reminder_id=row_id, at=at)


def rewrite(*, patient_ids: Collection[UUID], at: datetime, news: Iterable[Change] = ()) -> None:
    """Make the ledger of these patients what their plan is now. `news` are changes of sessions that just happened."""
    if not patient_ids:
        return
    stamps = versions.touch(patient_ids)
    db.session().flush()
    claims.withhold(patient_ids)
    writes = Writes()
    # Members of a group mostly share their plan.
    planned = cache(partial(_plan, at=at))
    for patient_id, known in facts.load(patient_ids, at=at, news=news).items():
        _Rewriting(patient_id, known, planned(known.facts), at, stamps[patient_id], writes).run()
    writes.carry_out(at)


def _plan(known: Facts, *, at: datetime) -> dict[Key, Entry]:
    return {entry.key: entry for entry in merged_plan(known, at=at)}


class _Rewriting:
    """One patient's plan against that patient's rows."""

    def __init__(
        self, patient_id: UUID, known: Known, entries: dict[Key, Entry], at: datetime, stamp: int, writes: Writes
    ) -> None:
        self._patient_id, self._known, self._at, self._stamp, self._writes = patient_id, known, at, stamp, writes
        self._entries = entries
        self._rows = dict(zip(known.keys, known.rows, strict=True))
        self._added: dict[Key, UUID] = {}

    def run(self) -> None:
        added = [one for one in self._entries.values() if one.key not in self._rows and self._worth_adding(one)]
        self._added = {entry.key: db.uuid7() for entry in added}
        for entry in added:
            self._add(entry)
        open_rows = [one for one in self._rows.items() if one[1].state in ("planned", "held") and not one[1].in_flight]
        for known_key, row in sorted(open_rows, key=lambda one: (one[1].due_at, one[1].id)):
            self._keep(row, self._entries.get(known_key))

    def _id(self, of: Key) -> UUID:
        """The row of an entry."""
        return self._added.get(of) or self._rows[of].id

    def _speaker(self, of: Key | None) -> UUID | None:
        return self._id(of) if of else None

    def _worth_adding(self, entry: Entry) -> bool:
        """A cancelled session's earlier entries say that it is cancelled; no need to say so of the new revision too.
        Nor of a check-in that was sent before a reminder of it was thought of."""
        return entry.reason != "check_in_sent" and self._not_told_of(entry)

    def _not_told_of(self, entry: Entry) -> bool:
        return entry.reason != "session_cancelled" or not any(
            (one.session_id, one.kind, one.lead) == (entry.key.session_id, entry.key.kind, entry.key.lead)
            for one in self._rows
        )

    def _add(self, entry: Entry) -> None:
        row = dict(zip(Key._fields, entry.key, strict=True)) | {
            "id": self._added[entry.key],
            "patient_id": self._patient_id,
            "subject": "check_in" if entry.is_check_in else "session",
            "created_at": self._at,
        }
        self._writes.inserts.append(row | self._values(entry))
        if entry.state == "planned":
            self._tell("added", entry.key, entry.due_at)
        self._call_about(entry)

    def _keep(self, row: Any, entry: Entry | None) -> None:
        if entry is None:
            self._hold_back(row)
        elif row.covered and entry.state == "held":
            # Another message has told of it, whatever keeps it back now.
            return
        elif not (self._stands(row, entry) or (entry.reason == "past" and row.due_at <= self._at)):
            # What fell due and is past now is the worker's to settle, or was explained when it was held back.
            self._update(row, self._values(entry))
            if row.state == "planned" and entry.state == "held":
                self._call_about(entry)

    def _call_about(self, entry: Entry) -> None:
        if comes_too_late(entry, self._known.facts):
            self._writes.calls.append((self._patient_id, self._id(entry.key)))

    def _hold_back(self, row: Any) -> None:
        """What is no longer in the plan. What was held back already stays as it was explained then."""
        explained = row.state == "held" and (row.reason not in sources.SPOKEN_FOR or row.covered)
        if explained or row.starts_at <= self._at:
            return
        told_by = self._told_by(row.session_id) if row.session_id else None
        values = {
            **{name: getattr(row, name) for name in _OF_THE_ROW},
            "state": "held",
            "reason": self._why_gone(row),
            "replaced_by": self._speaker(told_by),
        }
        self._update(row, values | self._stamped())

    def _why_gone(self, row: Any) -> str:
        if row.session_id is None:
            enrolled = any(one.covers(self._at) for one in self._known.facts.placements)
            return "not_wanted" if enrolled else "not_enrolled"
        about = (one for one in self._known.facts.appointments if one.session_id == row.session_id)
        return _why_session_gone(row, next(about, None))

    def _told_by(self, session_id: UUID) -> Key | None:
        """The entry that will say what is new about a session."""
        changes = (one for one in self._entries.values() if one.is_change and one.key.session_id == session_id)
        telling = (one.key if one.state == "planned" else one.replaced_by for one in changes)
        return next((one for one in telling if one), None)

    def _update(self, row: Any, values: dict[str, Any]) -> None:
        self._writes.updates.append({"id": row.id, **values})
        if row.state != values["state"]:
            self._tell("released" if values["state"] == "planned" else "held", key(row), values["due_at"])
        elif values["state"] == "planned" and row.due_at != values["due_at"]:
            self._tell("moved", key(row), values["due_at"])

    def _values(self, entry: Entry) -> dict[str, Any]:
        return {
            "starts_at": entry.starts_at,
            "time_zone": entry.zone.key,
            "opens_at": _opens_at(entry),
            "due_at": entry.due_at,
            "expires_at": entry.expires_at,
            "silent": entry.silent,
            "state": entry.state,
            "reason": entry.reason,
            "replaced_by": self._speaker(entry.replaced_by),
            **self._stamped(),
        }

    def _stamped(self) -> dict[str, Any]:
        return {"changed_at": self._at, "version": self._stamp}

    def _stands(self, row: Any, entry: Entry) -> bool:
        now = (entry.state, entry.reason, entry.due_at, entry.expires_at, entry.starts_at, entry.silent)
        before = (row.state, row.reason, row.due_at, row.expires_at, row.starts_at, row.silent)
        same = now == before and _opens_at(entry) == row.opens_at
        return same and self._speaker(entry.replaced_by) == row.replaced_by

    def _tell(self, action: str, about: Key, due_at: datetime) -> None:
        """A check-in's reminder is told as the check-in."""
        if about.session_id is None:
            return
        what = about.lead or about.kind
        self._writes.news.append(
            PreviewableChange(self._patient_id, "reminder", action, due_at, subject_id=about.session_id, what=what)
        )


def _opens_at(entry: Entry) -> datetime | None:
    return entry.known_at if entry.is_check_in else None


def _why_session_gone(row: Any, about: Appointment | None) -> str:
    if about is None:
        return "not_in_session"
    if about.revision > row.revision:
        return "session_cancelled" if about.cancelled else "session_changed"
    return "not_wanted"
