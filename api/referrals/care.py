"""What consents may release of a person's care beside the referral: read in the gate's role, of that one person.

The clinic's own facts alone: its placements and its marks. What the person says of themselves, their check-ins and the
sessions' titles are in none of it. Each is read only if it is released.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID

from api.patients import zones
from api.prepared import Prepared

WEEKS = 4
LOOKING_BACK = timedelta(weeks=WEEKS)


def tells(patient_id: UUID | None, *, at: datetime) -> Mapping[str, Callable[[], Any]]:
    """By category, how to read it at the instant; to be called once the person's consent was found to count."""
    asked = {"patient_id": patient_id, "at": at, "since": at - LOOKING_BACK}
    placed = cache(partial(_PLACED.one, **asked))
    return {
        "presence": lambda: placed() is not None,
        "level_of_care": lambda: _level(placed()),
        "attendance": lambda: [_session(row) for row in _SESSIONS.run(**asked)],
        "progress": lambda: [row._asdict() for row in _WEEKS.run(**asked, zone=zones.clinic())],
    }


def _level(placed: Any) -> dict[str, Any] | None:
    return None if placed is None else {"program": placed.program_slug, "placed_at": placed.starts_at}


def _session(row: Any) -> dict[str, Any]:
    return {"starts_at": row.starts_at, "ends_at": row.ends_at, "mark": row.mark}


_PLACED = Prepared("""
    SELECT program_slug, starts_at FROM enrollments
    WHERE patient_id = %(patient_id)s AND status IN ('active', 'paused') AND starts_at <= %(at)s
    ORDER BY starts_at DESC LIMIT 1
""")
# What has begun; a place that the clinic has not marked says nothing yet.
_SESSIONS = Prepared("""
    SELECT a.starts_at, a.ends_at, a.mark FROM attendances AS a JOIN care_sessions AS s ON s.id = a.session_id
    WHERE a.patient_id = %(patient_id)s AND a.status = 'booked' AND s.status = 'scheduled'
      AND a.starts_at > %(since)s AND a.starts_at <= %(at)s
    ORDER BY a.starts_at, a.session_id
""")
_WEEKS = Prepared("""
    SELECT date_trunc('week', a.starts_at AT TIME ZONE coalesce(p.time_zone, %(zone)s))::date AS starts_on,
        count(*) AS sessions_planned, count(*) FILTER (WHERE a.mark = 'present') AS sessions_attended,
        coalesce(sum(a.minutes) FILTER (WHERE a.mark = 'present'), 0)::int AS minutes_attended
    FROM attendances AS a JOIN care_sessions AS s ON s.id = a.session_id JOIN patients AS p ON p.id = a.patient_id
    WHERE a.patient_id = %(patient_id)s AND a.status = 'booked' AND s.status = 'scheduled'
      AND a.starts_at > %(since)s AND a.starts_at <= %(at)s
    GROUP BY 1 ORDER BY 1
""")
