"""How the row of a patient's number changes, and the record of consents beside it.

Consents are ended, never removed.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.messages import contacts, keyed
from api.messages.models import TextConsent, TextNumber
from api.patients import versions


def replace(patient_id: UUID, found: TextNumber | None, number: str, *, by: str, at: datetime) -> TextNumber:
    if found:
        drop(found, "replaced", at)
    made = TextNumber(
        patient_id=patient_id,
        number=number,
        number_index=keyed.index(number),
        set_by=by,
        set_at=at,
        version=versions.touch([patient_id])[patient_id],
    )
    db.session().add(made)
    db.session().flush()
    return made


def drop(found: TextNumber, reason: str, at: datetime) -> None:
    consent_id = found.consent_id
    contacts.drop(found, at)
    _end_consent(consent_id, reason, at)


def stop(found: TextNumber, reason: str, at: datetime) -> None:
    if found.off_reason == reason or (found.off_reason and reason == "stopped"):
        return
    consent_id = found.consent_id
    confirmed_at = found.confirmed_at if reason == "stopped" else None
    contacts.change(found, at, consent_id=None, off_reason=reason, confirmed_at=confirmed_at)
    _end_consent(consent_id, reason, at)


def consented(found: TextNumber, text_id: str, language: str, text_hash: bytes, *, by: str, at: datetime) -> UUID:
    given = TextConsent(
        id=db.uuid7(),
        patient_id=found.patient_id,
        number=found.number,
        text_id=text_id,
        language=language,
        text_hash=text_hash,
        given_by=by,
        given_at=at,
    )
    db.session().add(given)
    db.session().flush()
    return given.id


def _end_consent(consent_id: UUID | None, reason: str, at: datetime) -> None:
    ending = sa.update(TextConsent).where(TextConsent.id == consent_id, TextConsent.ended_at.is_(None))
    if consent_id:
        db.session().execute(ending.values(ended_at=at, end_reason=reason))


def last_stopped(found: TextNumber) -> TextConsent | None:
    of_number = TextConsent.patient_id == found.patient_id, TextConsent.number == found.number
    newest = sa.select(TextConsent).where(*of_number).order_by(TextConsent.given_at.desc(), TextConsent.id.desc())
    last = db.session().scalar(newest.limit(1))
    return last if last and last.end_reason == "stopped" and found.confirmed_at else None
