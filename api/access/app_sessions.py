"""Signed-in phones: which are open, and how they end. An ended one is refused at its next request, on every worker."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from api import db, errors
from api.access.models import AppSession, SignIn

MOST_SHOWN = 100


def mine(patient_id: UUID) -> Sequence[AppSession]:
    """The patient's open app sessions, the one seen last first; of very many, the first hundred."""
    opened = (
        sa.select(AppSession)
        .where(AppSession.patient_id == patient_id, _open(), AppSession.expires_at > sa.func.now())
        .order_by(AppSession.seen_at.desc(), AppSession.id.desc())
        .limit(MOST_SHOWN)
    )
    return db.session().scalars(opened).all()


def end_one(*, patient_id: UUID, app_session_id: UUID, reason: str) -> bool:
    """End one of the patient's app sessions; False for one that had ended. Raises `errors.NotFound`."""
    theirs = (AppSession.id == app_session_id, AppSession.patient_id == patient_id)
    if db.session().scalar(sa.select(AppSession.id).where(*theirs)) is None:
        raise errors.NotFound
    return _end(*theirs, reason=reason) == 1


def sign_out(*, patient_id: UUID, reason: str, keep: UUID | None = None) -> int:
    """End every open app session of the patient but `keep`, as the patient, and every sign-in that is about to become
    one; returns how many app sessions."""
    _end_codes(SignIn.patient_id == patient_id)
    return end_all(patient_id=patient_id, reason=reason, keep=keep)


def end_all(*, patient_id: UUID, reason: str, keep: UUID | None = None) -> int:
    """End every open app session of the patient but `keep`; returns how many. Whoever changed the patient's status ends
    what opens after it too: an authorization code is worth nothing then (`grants`)."""
    return _end(AppSession.patient_id == patient_id, _but(keep), reason=reason)


def end_of_passkeys(*, patient_id: UUID, passkey_ids: Sequence[UUID], reason: str, keep: UUID | None = None) -> int:
    """End what these passkeys opened, but `keep`; returns how many."""
    _end_codes(SignIn.patient_id == patient_id, SignIn.passkey_id.in_(passkey_ids))
    opened_by = AppSession.passkey_id.in_(passkey_ids)
    return _end(AppSession.patient_id == patient_id, opened_by, _but(keep), reason=reason)


def _end_codes(*whose: sa.ColumnElement[bool]) -> None:
    """Let no authorization code open what is being ended. Before the app sessions: what an exchange under way opens is
    waited for here, and found there."""
    pending = sa.update(SignIn).where(*whose, SignIn.code_hash.is_not(None), SignIn.code_used_at.is_(None))
    db.session().execute(pending.values(code_expires_at=sa.func.now()).execution_options(synchronize_session=False))


def _end(*which: sa.ColumnElement[bool], reason: str) -> int:
    """Whoever ends them says why: the reason decides whether the phone wipes what it holds."""
    ended = (
        sa.update(AppSession)
        .where(*which, _open())
        .values(ended_at=sa.func.now(), end_reason=reason)
        .returning(AppSession.id)
        .execution_options(synchronize_session=False)
    )
    return len(db.session().execute(ended).all())


def _open() -> sa.ColumnElement[bool]:
    return AppSession.ended_at.is_(None)


def _but(keep: UUID | None) -> sa.ColumnElement[bool]:
    return sa.true() if keep is None else AppSession.id != keep
