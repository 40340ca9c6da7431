"""The address that a patient's e-mail goes to: it is on once it has answered a code, until it is stopped or bounces.

Every mail carries an address of ours that ends it with one request (RFC 8058). The secret in it follows from the row's
id under a key of the deployment; the row keeps its hash, so that whoever presents it sees that row and no other.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db, errors
from api.messages import codes, contacts, keyed
from api.messages.gateway import Address
from api.messages.models import MailAddress
from api.patients import versions

CHANNEL = MailAddress.channel
# What needs no quoting (RFC 5321 §4.1.2, §4.5.3.1): nothing that could end a header line or name two recipients.
MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}")
LONGEST = 254


class NotAMailAddress(errors.Invalid):
    """`errors` names the member."""

    slug = "not-a-mail-address"
    title = "Mail cannot go to this address"
    detail = "This is not an e-mail address. Please check it."
    title_es = "A esta dirección no se puede enviar correo"
    detail_es = "Esta no es una dirección de correo electrónico. Revísela."

    def __init__(self) -> None:
        super().__init__([("/address", "Must be an e-mail address.")])


class NoMailAddress(errors.Conflict):
    title = "There is no e-mail address yet"
    detail = "Please enter your e-mail address first."
    title_es = "Aún no hay una dirección de correo"
    detail_es = "Primero escriba su dirección de correo electrónico."


class PatientsOwnAddress(errors.Conflict):
    """The record system may know an older address than the patient does."""

    title = "The patient chose another address"
    detail = "The patient has confirmed an address of their own. Remove it first if it is no longer theirs."
    title_es = "El paciente eligió otra dirección"
    detail_es = "El paciente confirmó una dirección propia. Quítela primero si ya no es suya."


def of_patient(*, patient_id: UUID) -> MailAddress | None:
    return db.session().scalar(sa.select(MailAddress).where(MailAddress.patient_id == patient_id))


def choose(*, patient_id: UUID, address: str, at: datetime) -> MailAddress:
    """The patient's own choice: a code is sent unless the address has answered one. Choosing a stopped one again
    starts it anew. Raises `NotAMailAddress`, `codes.TooManyCodes`."""
    _refuse_malformed(address)
    versions.touch([patient_id])
    found = of_patient(patient_id=patient_id)
    if found is None or found.address != address or found.off_reason:
        found = _replace(patient_id, found, address, by="patient", at=at)
    if found.confirmed_at is None:
        codes.send(patient_id=patient_id, channel=CHANNEL, contact_id=found.id)
    return found


def take_over(*, patient_id: UUID, address: str, at: datetime) -> MailAddress:
    """What the record system knows: not confirmed. Raises `PatientsOwnAddress`, `NotAMailAddress`."""
    _refuse_malformed(address)
    versions.touch([patient_id])
    found = of_patient(patient_id=patient_id)
    if found is not None and found.address == address:
        return found
    if found is not None and found.confirmed_at:
        raise PatientsOwnAddress
    return _replace(patient_id, found, address, by="clinic", at=at)


def confirm(*, patient_id: UUID, code: str, at: datetime) -> MailAddress:
    """The address has answered. Raises `NoMailAddress`, `codes.WrongCode`. Confirming again changes nothing."""
    versions.touch([patient_id])
    if (found := of_patient(patient_id=patient_id)) is None:
        raise NoMailAddress
    if found.confirmed_at is None:
        codes.redeem(patient_id=patient_id, channel=CHANNEL, contact_id=found.id, given=code)
        contacts.change(found, at, confirmed_at=at)
    return found


def remove(*, patient_id: UUID, at: datetime) -> None:
    """Without an address, nothing happens."""
    versions.touch([patient_id])
    if found := of_patient(patient_id=patient_id):
        contacts.drop(found, at)


def stop(*, patient_id: UUID, at: datetime) -> None:
    """The patient wants no more mail. Again is once."""
    versions.touch([patient_id])
    found = of_patient(patient_id=patient_id)
    if found is not None and found.off_reason is None:
        contacts.change(found, at, off_reason="stopped")


def forget_dead(address_ids: Collection[UUID], *, at: datetime) -> None:
    """The server of these addresses, by id of their rows, says that nobody is there."""
    dead = sa.select(MailAddress).where(MailAddress.id.in_(address_ids), MailAddress.off_reason.is_(None))
    versions.touch([one.patient_id for one in db.session().scalars(dead).all()])
    for one in db.session().scalars(dead.execution_options(populate_existing=True)).all():
        contacts.change(one, at, off_reason="undeliverable", confirmed_at=None)


def addresses_of(patient_ids: Collection[UUID]) -> dict[UUID, list[Address]]:
    """Where mail may go now; patients without such an address are missing."""
    on = MailAddress.confirmed_at.is_not(None), MailAddress.off_reason.is_(None)
    found = db.session().scalars(sa.select(MailAddress).where(db.among(MailAddress.patient_id, patient_ids), *on))
    return {one.patient_id: [address(one)] for one in found}


def address(found: MailAddress, *, unasked: bool = True) -> Address:
    """What comes `unasked` carries the secret that ends it; a code that was asked for does not."""
    details = {"unsubscribe": _written(keyed.unsubscribing(found.id))} if unasked else {}
    return Address(found.id, CHANNEL, "email", found.address, found.set_at, details)


def presented(secret: str) -> bytes:
    """What the holder of an unsubscribe address presents; of what is none of ours, what leads to no row."""
    try:
        given = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    except (ValueError, binascii.Error):
        given = b""
    return hashlib.sha256(given).digest()


def held() -> UUID | None:
    """Whose mail the secret ends that the running transaction's holder presents."""
    return db.session().scalar(sa.select(MailAddress.patient_id))


def _written(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def _refuse_malformed(address: str) -> None:
    local = address.partition("@")[0]
    dotted = local.startswith(".") or local.endswith(".") or ".." in local
    if len(address) > LONGEST or dotted or not MAILBOX.fullmatch(address):
        raise NotAMailAddress


def _replace(patient_id: UUID, found: MailAddress | None, address: str, *, by: str, at: datetime) -> MailAddress:
    if found:
        contacts.drop(found, at)
    row_id = db.uuid7()
    made = MailAddress(
        id=row_id,
        patient_id=patient_id,
        address=address,
        unsubscribe_hash=hashlib.sha256(keyed.unsubscribing(row_id)).digest(),
        set_by=by,
        set_at=at,
        version=versions.touch([patient_id])[patient_id],
    )
    db.session().add(made)
    db.session().flush()
    return made
