"""The number that a patient's texts go to.

Texts are off until two things stand: the number has answered a code, and the patient has consented to the words shown
(47 CFR 64.1200; domain.md §4.5). Another number begins from nothing, and so does one that the provider reports as
gone or that answers "wrong number": its consent was another person's, or nobody's.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db, errors
from api.messages import codes, consent_texts, contacts, keyed, numbers, phone_rows
from api.messages.gateway import Address
from api.messages.models import TextConsent, TextNumber
from api.patients import versions

CHANNEL = TextNumber.channel
# Twilio's word for a number that has opted out at the provider.
STOPPED_AT_PROVIDER = "21610"


class NoNumber(errors.Conflict):
    title = "There is no number yet"
    detail = "Please enter your mobile number first."
    title_es = "Aún no hay un número"
    detail_es = "Primero escriba su número de móvil."


class PatientsOwnNumber(errors.Conflict):
    """The record system may know an older number than the patient does."""

    title = "The patient chose another number"
    detail = "The patient has confirmed a number of their own. Remove it first if it is no longer theirs."
    title_es = "El paciente eligió otro número"
    detail_es = "El paciente confirmó un número propio. Quítelo primero si ya no es suyo."


class ConsentTextChanged(errors.Conflict):
    title = "The text has changed"
    detail = "The text to agree to has changed. Please read it again."
    title_es = "El texto cambió"
    detail_es = "El texto que se acepta cambió. Léalo de nuevo."
    retry = "after_refresh"


def of_patient(*, patient_id: UUID) -> TextNumber | None:
    return db.session().scalar(sa.select(TextNumber).where(TextNumber.patient_id == patient_id))


def choose(*, patient_id: UUID, number: str, at: datetime) -> TextNumber:
    """The patient's own choice: a code is sent unless the number has answered one. Raises `numbers.NotATextNumber`,
    `codes.TooManyCodes`."""
    wanted = numbers.parsed(number)
    versions.touch([patient_id])
    found = of_patient(patient_id=patient_id)
    if found is None or not _stays(found, wanted):
        found = phone_rows.replace(patient_id, found, wanted, by="patient", at=at)
    if found.confirmed_at is None:
        codes.send(patient_id=patient_id, channel=CHANNEL, contact_id=found.id)
    return found


def take_over(*, patient_id: UUID, number: str, at: datetime) -> TextNumber:
    """What the record system knows: not confirmed, and no word of it goes out before the patient confirms it.

    Raises `PatientsOwnNumber`, `numbers.NotATextNumber`.
    """
    wanted = numbers.parsed(number)
    versions.touch([patient_id])
    found = of_patient(patient_id=patient_id)
    if found is not None and found.number == wanted:
        return found
    if found is not None and found.confirmed_at:
        raise PatientsOwnNumber
    return phone_rows.replace(patient_id, found, wanted, by="clinic", at=at)


def confirm(*, patient_id: UUID, code: str, at: datetime) -> TextNumber:
    """The number has answered. Raises `NoNumber`, `codes.WrongCode`. Confirming again changes nothing."""
    found = _locked(patient_id)
    if found.confirmed_at is None:
        codes.redeem(patient_id=patient_id, channel=CHANNEL, contact_id=found.id, given=code)
        contacts.change(found, at, confirmed_at=at)
    return found


def consent(*, patient_id: UUID, text_id: str, language: str, at: datetime) -> TextNumber:
    """Record consent to the words that were shown. Again is once. Raises `NoNumber`, `ConsentTextChanged`."""
    found = _locked(patient_id)
    if (shown := consent_texts.shown(text_id, language)) is None:
        raise ConsentTextChanged
    if found.consent_id is None:
        given = phone_rows.consented(found, shown.id, language, shown.hash, by="app", at=at)
        contacts.change(found, at, consent_id=given, off_reason=None)
    return found


def agreed_at(*, patient_id: UUID, number: str) -> datetime | None:
    """When the patient last agreed to texts to the number, whatever became of that."""
    of_number = TextConsent.patient_id == patient_id, TextConsent.number == number
    return db.session().scalar(sa.select(sa.func.max(TextConsent.given_at)).where(*of_number))


def remove(*, patient_id: UUID, at: datetime) -> None:
    """Forget the number; the record of consents stays. Without one, nothing happens."""
    versions.touch([patient_id])
    if found := of_patient(patient_id=patient_id):
        phone_rows.drop(found, "removed", at)


def stop(*, patient_id: UUID, reason: str, at: datetime) -> None:
    """No more texts, at once: `stopped` by the patient's word (START takes it back), or `wrong_number` or
    `undeliverable`, after which the number has to be confirmed anew."""
    versions.touch([patient_id])
    if found := of_patient(patient_id=patient_id):
        phone_rows.stop(found, reason, at)


def start(*, patient_id: UUID, at: datetime) -> bool:
    """Take a stop back, by the words consented to before; says whether texts are on."""
    versions.touch([patient_id])
    found = of_patient(patient_id=patient_id)
    if found is None:
        return False
    if found.off_reason == "stopped" and (last := phone_rows.last_stopped(found)):
        given = phone_rows.consented(found, last.text_id, last.language, last.text_hash, by="text", at=at)
        contacts.change(found, at, consent_id=given, off_reason=None)
    return found.why_off is None


def forget_dead(reasons: Mapping[UUID, str], *, at: datetime) -> None:
    """The provider says of these numbers, by id of their rows and with its code, that no text arrives there."""
    _stop_all(sa.select(TextNumber).where(TextNumber.id.in_(reasons)), reasons, at)


def bounced(*, number: str, reason: str, at: datetime) -> None:
    """The same, of a number: everybody's who uses it."""
    known = sa.select(TextNumber).where(TextNumber.number_index == keyed.index(number))
    found = db.session().scalars(known).all()
    forget_dead({one.id: reason for one in found}, at=at)


def addresses_of(patient_ids: Collection[UUID]) -> dict[UUID, list[Address]]:
    """Where texts may go now; patients without such a number are missing."""
    on = TextNumber.confirmed_at.is_not(None), TextNumber.consent_id.is_not(None), TextNumber.off_reason.is_(None)
    found = db.session().scalars(sa.select(TextNumber).where(db.among(TextNumber.patient_id, patient_ids), *on))
    return {one.patient_id: [address(one)] for one in found}


def address(found: TextNumber) -> Address:
    return Address(found.id, CHANNEL, "sms", found.number, found.set_at)


def _locked(patient_id: UUID) -> TextNumber:
    versions.touch([patient_id])
    if (found := of_patient(patient_id=patient_id)) is None:
        raise NoNumber
    return found


def _stays(found: TextNumber, wanted: str) -> bool:
    return found.number == wanted and found.off_reason in (None, "stopped")


def _stop_all(which: sa.Select[TextNumber], reasons: Mapping[UUID, str], at: datetime) -> None:
    found: Iterable[TextNumber] = db.session().scalars(which).all()
    versions.touch([one.patient_id for one in found])
    for one in db.session().scalars(which.execution_options(populate_existing=True)).all():
        phone_rows.stop(one, "stopped" if reasons[one.id] == STOPPED_AT_PROVIDER else "undeliverable", at)
