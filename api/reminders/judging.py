"""Asking again, at the moment of saying it, whether a reminder is still true, and what exactly it would say.

The answer is the plan, made anew from what holds now: there is no second idea of what is true. What cannot be read
(an unknown zone, say) breaks its own row only.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID

from sqlalchemy import exc

from api.messages.gateway import Message
from api.reminders import collapsing, facts, sources, wording
from api.reminders.facts import Known, key
from api.reminders.merge import merged_plan
from api.reminders.situation import CHECK_IN, SILENT_CHANNEL, Entry, Facts, Key

MOST_ATTEMPTS = 10
# Every lead, also one moved before a night, lies within this time of its appointment; a change may lie further ahead.
HORIZON = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Judged:
    """A row in hand and its `verdict`: `say` (with the message), `late`, `untrue`, `exhausted` or `broken`."""

    row: Any
    verdict: str
    message: Message | None = None


def judge(rows: Sequence[Any], *, at: datetime, lease: UUID) -> list[Judged]:
    """A verdict on every row, in the running transaction."""
    over = [Judged(row, _over(row, at)) for row in rows]
    open_rows = [one.row for one in over if not one.verdict]
    known = _known(open_rows, at=at, lease=lease)
    judging = _Judging(sources.spoken_for([row.id for row in open_rows]), at)
    return [one for one in over if one.verdict] + [
        one
        for patient_id, theirs in _by_patient(open_rows).items()
        for one in judging.of_patient(known.get(patient_id), theirs)
    ]


def _over(row: Any, at: datetime) -> str:
    if at >= row.expires_at:
        return "late"
    return "exhausted" if row.attempts > MOST_ATTEMPTS else ""


def _horizon(rows: Sequence[Any], at: datetime) -> datetime:
    """Past every appointment that bears on these rows."""
    latest: datetime = max([at, *(row.starts_at for row in rows)])
    return latest + HORIZON


def _known(rows: Sequence[Any], *, at: datetime, lease: UUID) -> Mapping[UUID, Known]:
    """Facts of all; where somebody's cannot be read, of everyone else. Nothing gives way to a check-in: what is asked
    is read for those who are to be told of it."""
    patient_ids = {row.patient_id for row in rows}
    asked = {row.patient_id for row in rows if row.subject == CHECK_IN}
    try:
        return facts.load(patient_ids, at=at, until=_horizon(rows, at), lease=lease, asked=asked)
    except exc.DBAPIError:
        raise
    except Exception:
        if len(patient_ids) == 1:
            return {}
        alone = (_known(theirs, at=at, lease=lease) for theirs in _by_patient(rows).values())
        return {patient_id: known for one in alone for patient_id, known in one.items()}


class _Judging:
    """One batch. Members of a group mostly share their plan, and what is said to them."""

    def __init__(self, covered: Mapping[UUID, list[Any]], at: datetime) -> None:
        self._covered, self._at = covered, at
        self._planned = cache(self._plan)
        self._sentence = cache(partial(wording.sentence, at=at))

    def of_patient(self, known: Known | None, rows: Sequence[Any]) -> list[Judged]:
        if known is None:
            return [Judged(row, "broken") for row in rows]
        try:
            entries = self._planned(known.facts)
            return [self._judged(row, entries.get(key(row)), known) for row in rows]
        except Exception:
            if len(rows) == 1:
                return [Judged(rows[0], "broken")]
            return [one for row in rows for one in self.of_patient(known, [row])]

    def _plan(self, facts: Facts) -> Mapping[Key, Entry]:
        return {one.key: one for one in merged_plan(facts, at=self._at)}

    def _judged(self, row: Any, entry: Entry | None, known: Known) -> Judged:
        if entry is None or (entry.state, entry.due_at, entry.silent) != ("planned", row.due_at, row.silent):
            return Judged(row, "late" if entry and entry.reason == "past" else "untrue")
        return Judged(row, "say", self._message(row, known))

    def _message(self, row: Any, known: Known) -> Message:
        items = wording.items([row, *self._covered.get(row.id, [])])
        said = self._sentence(items, language=known.language, reader=known.zone)
        # Only a push can come without a sound.
        channels = (SILENT_CHANNEL,) if row.silent else known.facts.wishes.channels
        return Message(
            key=f"{row.id}:{row.revision}",
            channel=channels[0],
            channels=channels,
            recipient=str(row.patient_id),
            text=said.text,
            language=known.language,
            subject_id=row.id,
            expires_at=row.expires_at,
            collapse_id=collapsing.of(row),
            silent=row.silent,
            kind=said.template,
            patient_id=row.patient_id,
            worded=lambda language: self._sentence(items, language=language, reader=known.zone).text,
        )


def _by_patient(rows: Sequence[Any]) -> Mapping[UUID, list[Any]]:
    by_patient = defaultdict(list)
    for row in rows:
        by_patient[row.patient_id].append(row)
    return by_patient
