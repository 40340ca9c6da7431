"""The end of a consent: taken back by the patient, or ended by the clinic.

Taken back is taken back from then on, at the next read of whoever asks, on every worker; a second time changes
nothing. Under terms for a legal matter that is possible from when the form said (42 CFR 2.35(c)), and no later than the
final disposition: when the clinic states that it came about, the consent has ended.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from api import db, errors, events
from api.patients import versions
from api.privacy import consents
from api.privacy.events import ConsentRevoked
from api.privacy.models import Consent


class NotRevocableYet(errors.Conflict):
    title = "It cannot be taken back yet"
    detail = "This permission was given for a legal matter, and cannot be taken back before the time that was said when"
    detail += " it was signed. The clinic can explain it to you."
    title_es = "Todavía no se puede retirar"
    detail_es = "Este permiso se dio para un asunto legal, y no se puede retirar antes del momento que se dijo al"
    detail_es += " firmarlo. La clínica puede explicárselo."


class NotItsEvent(errors.Conflict):
    title = "This consent does not end by an event"
    detail = "This consent names no event that could have come about."
    title_es = "Este consentimiento no termina por un hecho"
    detail_es = "Este consentimiento no nombra ningún hecho que pudiera haber ocurrido."


def revocable(consent: Consent, *, at: datetime) -> bool:
    """Whether it may be taken back now, as it said when it was signed: no later than the final disposition, which has
    come once the clinic has ended it."""
    if consent.revocable == "any_time" or consent.ended_at:
        return True
    return consent.revocable_at is not None and consent.revocable_at <= at


def revoke(*, patient_id: UUID, consent_id: UUID, at: datetime) -> Consent:
    """Take it back in the app. Again is once. Raises `errors.NotFound`, `NotRevocableYet`."""
    return _revoke(patient_id, consent_id, at, revoked_how="app")


def take_revocation(*, consent_id: UUID, how: str, by: str, role: str, at: datetime) -> Consent:
    """The clinic took the patient's word: by letter, phone or in person. Again is once. Raises `errors.NotFound`,
    `NotRevocableYet`."""
    whose = consents.one(consent_id=consent_id).patient_id
    return _revoke(
        whose, consent_id, at, revoked_how=how, revocation_taken_by=by, revocation_taken_role=role
    )  # fmt: skip


def end(*, consent_id: UUID, reason: str, by: str, role: str, at: datetime) -> Consent:
    """The clinic states that its event came about, or that it should not count: nothing more is told. Again is once.
    Raises `errors.NotFound`, `NotItsEvent`."""
    whose = consents.one(consent_id=consent_id).patient_id
    consent, stamp = _locked(whose, consent_id)
    if reason == "event_came_about" and not consent.expires_on_event and consent.terms == "usual":
        raise NotItsEvent
    if consent.ended_at:
        return consent
    return _change(consent, stamp, at, ended_at=at, ended_reason=reason, ended_by=by, ended_role=role)


def _revoke(patient_id: UUID, consent_id: UUID, at: datetime, **how: Any) -> Consent:
    consent, stamp = _locked(patient_id, consent_id)
    if consent.revoked_at:
        return consent
    if not revocable(consent, at=at):
        raise NotRevocableYet
    return _change(consent, stamp, at, revoked_at=at, **how)


def _locked(patient_id: UUID, consent_id: UUID) -> tuple[Consent, int]:
    """Whoever holds the patient's version is alone with it; read again, since it may have changed before."""
    stamp = versions.touch([patient_id]).get(patient_id, 0)
    return consents.one(consent_id=consent_id, patient_id=patient_id), stamp


def _change(consent: Consent, stamp: int, at: datetime, **values: Any) -> Consent:
    for name, value in values.items():
        setattr(consent, name, value)
    consent.version = stamp
    db.session().flush()
    events.announce(ConsentRevoked(consent.patient_id, consent.id, consent.recipient_client_id, at))
    return consent
