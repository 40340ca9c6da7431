"""Who at the clinic, or of its systems, looked at a patient's record or changed it, as the patient may see it.

It is the audit, seen through a view that has the patient's own rows and no more columns than are shown: the role for
whom a system acted and the system's name, never the person's id, which is the clinic's own. What the patient did, and
what was refused, is not in it. Looking is not telling: that stands among the disclosures.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import pages

_ACCESSES = sa.table(
    "record_accesses",
    sa.column("id", sa.Uuid),
    sa.column("patient_id", sa.Uuid),
    sa.column("recorded_at", sa.DateTime(timezone=True)),
    sa.column("caller_kind", sa.Text),
    sa.column("acting_role", sa.Text),
    sa.column("action", sa.Text),
    sa.column("operation", sa.Text),
    sa.column("system_name", sa.Text),
)
_SHOWN = ("id", "caller_kind", "acting_role", "action", "operation", "system_name")
_AT = sa.func.to_char(_ACCESSES.c.recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
_ROW = sa.func.jsonb_build_object("at", _AT, *(part for name in _SHOWN for part in (name, _ACCESSES.c[name])))


def page(
    *,
    patient_id: UUID,
    since: datetime | None,
    until: datetime | None,
    asked: int,
    page_token: str | None,
    bound_to: Sequence[Any],
) -> tuple[list[dict[str, Any]], str | None]:
    """One page, the latest first; what is None narrows nothing."""
    found = sa.select(_ROW).where(_ACCESSES.c.patient_id == patient_id)
    if since is not None:
        found = found.where(_ACCESSES.c.recorded_at >= since)
    if until is not None:
        found = found.where(_ACCESSES.c.recorded_at < until)
    return pages.page(
        found,
        keys=[_ACCESSES.c.recorded_at, _ACCESSES.c.id],
        asked=asked,
        page_token=page_token,
        bound_to=(*bound_to, patient_id, since, until),
        descending=True,
    )
