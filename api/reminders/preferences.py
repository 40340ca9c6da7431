"""How a patient wants to be reminded; whoever chose nothing has the clinic's defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db, errors, vocabulary
from api.patients import versions
from api.reminders import facts, ledger, quiet, situation
from api.reminders.models import ReminderPreferences


@dataclass(frozen=True, slots=True)
class Chosen:
    """What holds for a patient; `version` is 0 for whoever chose nothing."""

    channels: tuple[str, ...]
    kinds: tuple[str, ...]
    leads: tuple[str, ...]
    first_leads: tuple[str, ...]
    quiet_begin: time
    quiet_end: time
    digest: bool = True
    paused_until: datetime | None = None
    version: int = 0


DEFAULT = Chosen(
    channels=vocabulary.REMINDER_CHANNELS,
    kinds=vocabulary.REMINDER_TOPICS,
    leads=situation.USUAL_LEADS,
    first_leads=situation.FIRST_LEADS,
    quiet_begin=facts.QUIET_BEGIN,
    quiet_end=facts.QUIET_END,
)


def of(*, patient_id: UUID) -> Chosen:
    """What holds for the patient."""
    row = db.session().get(ReminderPreferences, patient_id, populate_existing=True)
    if row is None:
        return DEFAULT
    return Chosen(
        channels=tuple(row.channels),
        kinds=tuple(row.kinds),
        leads=tuple(row.leads),
        first_leads=tuple(row.first_leads),
        quiet_begin=row.quiet_begin,
        quiet_end=row.quiet_end,
        digest=row.digest,
        paused_until=row.paused_until,
        version=row.preferences_version,
    )


def choose(*, patient_id: UUID, choices: Mapping[str, Any], expected: int | None, at: datetime) -> Chosen:
    """Replace the whole choice and plan anew by it; what is absent goes back to the default. `expected` is the version
    last read, None for any.

    Raises `errors.Invalid` for quiet hours that leave too little of a day, `errors.PreconditionFailed`.
    """
    values = _values(choices)
    _check_quiet(values)
    stamp = versions.touch([patient_id])[patient_id]
    written = _write({**values, "patient_id": patient_id, "changed_at": at, "version": stamp}, expected)
    # The first choice of all replaces the defaults, whose version is 0.
    if written is None or (written == 1 and expected not in (None, 0)):
        raise errors.PreconditionFailed
    ledger.rewrite(patient_ids=[patient_id], at=at)
    return of(patient_id=patient_id)


def _write(values: Mapping[str, Any], expected: int | None) -> int | None:
    """The version that was written; None where another than the `expected` one stands."""
    chosen = insert(ReminderPreferences).values(**values, preferences_version=1)
    following = ReminderPreferences.preferences_version + 1
    statement = chosen.on_conflict_do_update(
        index_elements=[ReminderPreferences.patient_id],
        set_={**{name: chosen.excluded[name] for name in values}, "preferences_version": following},
        where=sa.true() if expected is None else ReminderPreferences.preferences_version == expected,
    )
    return db.session().scalar(statement.returning(ReminderPreferences.preferences_version))


def _values(choices: Mapping[str, Any]) -> dict[str, Any]:
    def words(name: str, usual: tuple[str, ...]) -> list[str]:
        return list(dict.fromkeys(choices.get(name, usual)))

    def wall(name: str, usual: time) -> time:
        return time.fromisoformat(choices[name]) if name in choices else usual

    return {
        "channels": words("channels", DEFAULT.channels),
        "kinds": words("kinds", DEFAULT.kinds),
        "leads": words("lead_times", DEFAULT.leads),
        "first_leads": words("first_session_lead_times", DEFAULT.first_leads),
        "quiet_begin": wall("quiet_from", DEFAULT.quiet_begin),
        "quiet_end": wall("quiet_to", DEFAULT.quiet_end),
        "digest": choices.get("digest", DEFAULT.digest),
        "paused_until": choices.get("paused_until"),
    }


def _check_quiet(values: Mapping[str, Any]) -> None:
    if quiet.length(values["quiet_begin"], values["quiet_end"]) > quiet.LONGEST:
        raise errors.Invalid([("/quiet_to", "Quiet hours may last 20 hours at most.")])
