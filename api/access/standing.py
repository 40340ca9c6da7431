"""Whether a caller still stands, as a scalar select correlated with the `caller` row of `db` and `hotread`."""

from typing import Any

import sqlalchemy as sa

from api.access.models import ApiClient, AppSession


def of_patient(caller: Any) -> "sa.ScalarSelect[bool]":
    """The app session is the patient's, was not ended and has not run out (by the database's clock)."""
    return (
        sa.select(sa.true())
        .where(
            AppSession.id == caller.c.app_session_id,
            AppSession.patient_id == caller.c.id,
            AppSession.ended_at.is_(None),
            AppSession.expires_at > sa.func.now(),
        )
        .correlate(caller)
        .scalar_subquery()
    )


def of_client(caller: Any) -> "sa.ScalarSelect[bool]":
    """The client is active."""
    return (
        sa.select(sa.true())
        .where(ApiClient.id == caller.c.id, ApiClient.status == "active")
        .correlate(caller)
        .scalar_subquery()
    )
