"""Sends codes to numbers and addresses that are to be confirmed, and forgets what is old.

A code is said with no transaction open, by a job of the transaction that asked for it; the job knows the code's id
alone. Once the code is used, replaced or too old, the job has nothing left to say.
"""

from uuid import UUID

import sqlalchemy as sa

from api import clock, db, queue
from api.messages import caps, codes, inbound, keyed, mail_addresses, phones, post, wording
from api.messages import gateway as gateways
from api.messages.models import ContactCode, MailAddress, TextNumber
from api.patients import service as patients


class NotTaken(RuntimeError):
    """No carrier takes messages now; the queue tries again."""


def register() -> None:
    """Let the workers send codes. Registering again changes nothing."""
    queue.job(codes.JOB)(send)


def send(*, code_id: UUID) -> None:
    """Raises `NotTaken`."""
    with db.transaction(db.WORKER):
        said = _worded(code_id)
    if said and post.in_use().say(*said) == gateways.RETRY:
        raise NotTaken


def forget_old() -> None:
    """One turn by the clock: old codes, counts of texts, and what is kept of those that came in."""
    with db.transaction(db.WORKER):
        codes.forget_old()
        caps.forget_old(at=clock.now())
        inbound.forget_old(at=clock.now())


def _worded(code_id: UUID) -> tuple[gateways.Message, list[gateways.Address]] | None:
    code = codes.waiting(code_id)
    address = _address(code) if code else None
    if code is None or address is None:
        return None
    language = patients.language(code.patient_id) or "en"
    message = gateways.Message(
        key=f"code:{code.id}",
        channel=code.channel,
        recipient=str(code.patient_id),
        text=wording.said("code", language, code=keyed.code(code.id)),
        language=language,
        kind="code",
        patient_id=code.patient_id,
    )
    return message, [address]


def _address(code: ContactCode) -> gateways.Address | None:
    """Where the code goes; None once another number or address has taken that one's place."""
    if code.channel == phones.CHANNEL:
        number = db.session().scalar(sa.select(TextNumber).where(TextNumber.id == code.contact_id))
        return phones.address(number) if number else None
    mailbox = db.session().scalar(sa.select(MailAddress).where(MailAddress.id == code.contact_id))
    return mail_addresses.address(mailbox, unasked=False) if mailbox else None
