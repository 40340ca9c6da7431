"""What the delta sync hears, and does about it before the commit. `SUBSCRIPTIONS` is for `app.py`."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from api import db
from api.patients.events import PatientStatusChanged
from api.patients.models import PatientVersion


def on_status_changed(change: PatientStatusChanged) -> None:
    """A record that was suspended, merged or closed is not built upon: phones read it afresh, if they may."""
    db.session().execute(
        sa.update(PatientVersion)
        .where(PatientVersion.patient_id == change.patient_id)
        .values(afresh_from=PatientVersion.version)
    )


SUBSCRIPTIONS: tuple[tuple[type[Any], Callable[[Any], None]], ...] = ((PatientStatusChanged, on_status_changed),)
