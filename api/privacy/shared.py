"""What was told under a consent so far, read from the ledger."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.privacy.models import Disclosure


def under(*, patient_id: UUID, consent_id: UUID) -> dict[str, Any]:
    """How often something was told, between when, and which categories."""
    ours = Disclosure.patient_id == patient_id, Disclosure.consent_id == consent_id
    when = sa.select(sa.func.count(), sa.func.min(Disclosure.disclosed_at), sa.func.max(Disclosure.disclosed_at))
    times, first_at, last_at = db.session().execute(when.where(*ours)).one()
    each = sa.select(sa.func.unnest(Disclosure.categories).label("word")).where(*ours).distinct().order_by("word")
    return {
        "times": times,
        "first_at": first_at,
        "last_at": last_at,
        "categories": list(db.session().scalars(each)),
    }
