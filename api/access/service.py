"""The verbs on app sessions."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.access import app_sessions
from api.access.models import AppSession
from api.patients.events import PatientStatusChanged

LONGEST_SIGN_IN = timedelta(days=90)


def open_app_session(*, patient_id: UUID, client_id: str) -> AppSession:
    """Sign a phone without a key in, for at most `LONGEST_SIGN_IN`: development's, and tests'."""
    opened = sa.insert(AppSession).values(
        id=db.uuid7(), patient_id=patient_id, client_id=client_id, expires_at=sa.func.now() + LONGEST_SIGN_IN
    )
    return db.session().execute(opened.returning(AppSession)).scalar_one()


def on_status_changed(event: PatientStatusChanged) -> None:
    """A suspended account, a death or a merger ends every sign-in in the same transaction."""
    if event.status != "active":
        app_sessions.end_all(patient_id=event.patient_id, reason=event.status)
