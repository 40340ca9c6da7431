"""One patient in two sessions at once: refused, unless whoever asks says that it is meant so.

Asked after the places are written and while the patients' versions are locked: of two who would book one patient into
the same hour, the second sees what the first wrote (ASVS 5.0 2.3.4).
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from api import db, errors
from api.prepared import Prepared
from api.sessions.models import Attendance, CareSession

# No session is longer (see the schemas): it bounds the index range in which another one can reach into this one.
LONGEST = timedelta(minutes=720)
NAMED = 100


class DoubleBooked(errors.Conflict):
    """``session_ids`` names the other sessions, to the clinic."""

    title = "Two sessions at once"
    detail = "A patient would be in two sessions at once. `session_ids` names the others; say so if it is meant."
    title_es = "Dos sesiones a la vez"
    detail_es = "Un paciente estaría en dos sesiones a la vez. `session_ids` nombra las otras; confirme si es así."

    def __init__(self, others: Collection[UUID]) -> None:
        super().__init__(extra={"session_ids": sorted(str(one) for one in others)[:NAMED]})


@dataclass
class Override:
    """Somebody's word that a double booking is meant. It remembers for whom it was needed: that is kept on record."""

    patient_ids: set[UUID] = field(default_factory=set)


def check(session_ids: Collection[UUID], *, patient_ids: Collection[UUID], override: Override | None) -> None:
    """Raises ``DoubleBooked`` if one of the patients has a place in one of these sessions and in another at that time.

    A cancelled session stands in nobody's way, and one begins when another ends.
    """
    found = _found(session_ids, patient_ids) if session_ids and patient_ids else []
    if found and override is None:
        raise DoubleBooked({other for _, other in found})
    if override is not None:
        override.patient_ids |= {patient_id for patient_id, _ in found}


def _found(session_ids: Collection[UUID], patient_ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    db.session().flush()
    found = _OVERLAPPING.run(session_ids=list(session_ids), patient_ids=list(patient_ids))
    return [(row.patient_id, row.session_id) for row in found]


def _overlapping() -> sa.Select[UUID, UUID]:
    here, there = aliased(Attendance), aliased(Attendance)
    one, other = aliased(CareSession), aliased(CareSession)
    return (
        sa.select(there.patient_id, there.session_id)
        .distinct()
        .select_from(here)
        .join(one, one.id == here.session_id)
        .join(there, there.patient_id == here.patient_id)
        .join(other, other.id == there.session_id)
        .where(
            here.session_id == sa.any_(sa.bindparam("session_ids", type_=ARRAY(sa.Uuid))),
            here.patient_id == sa.any_(sa.bindparam("patient_ids", type_=ARRAY(sa.Uuid))),
            *(place.status == "booked" for place in (here, there)),
            *(session.status == "scheduled" for session in (one, other)),
            there.session_id != here.session_id,
            there.starts_at < here.ends_at,
            there.starts_at > here.starts_at - LONGEST,
            there.ends_at > here.starts_at,
        )
    )


# On the way of every move and every place.
_OVERLAPPING = Prepared(_overlapping())
