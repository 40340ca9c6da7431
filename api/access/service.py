"""The verbs on app sessions and API clients."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db
from api.access.models import ApiClient, AppSession
from api.patients.events import PatientStatusChanged

LONGEST_SIGN_IN = timedelta(days=90)


def open_app_session(*, patient_id: UUID, client_id: str) -> AppSession:
    """Sign a phone without a key in, for at most `LONGEST_SIGN_IN`: development's, and tests'."""
    opened = sa.insert(AppSession).values(
        id=db.uuid7(), patient_id=patient_id, client_id=client_id, expires_at=sa.func.now() + LONGEST_SIGN_IN
    )
    return db.session().execute(opened.returning(AppSession)).scalar_one()


def end_app_sessions(*, patient_id: UUID, reason: str) -> int:
    """End every open app session of the patient; returns how many. They are refused at their next request."""
    ended = db.session().execute(
        sa.update(AppSession)
        .where(AppSession.patient_id == patient_id, AppSession.ended_at.is_(None))
        .values(ended_at=sa.func.now(), end_reason=reason)
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]


def on_status_changed(event: PatientStatusChanged) -> None:
    """A suspended account, a death or a merger ends every sign-in in the same transaction."""
    if event.status != "active":
        end_app_sessions(patient_id=event.patient_id, reason=event.status)


def register_client(*, kind: str, name: str, scopes: Iterable[str]) -> UUID:
    """Make or widen the client called `name`; returns its id."""
    return (
        db.session()
        .execute(
            insert(ApiClient)
            .values(id=db.uuid7(), kind=kind, name=name, scopes=list(scopes))
            .on_conflict_do_update(index_elements=[ApiClient.name], set_={"scopes": list(scopes)})
            .returning(ApiClient.id)
        )
        .scalar_one()
    )
