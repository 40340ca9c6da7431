"""Patients are told of every way to sign in that was added or removed, and of sign-ins that ended otherwise than by
them (NIST SP 800-63B-4 §4.1 and §4.2, ASVS 5.0 6.3.7).

The transaction that makes it true puts in a job; a worker says it, with no transaction open. The words are the same
for everybody, and name neither who sends them nor which way was meant: others read what stands on a phone.
"""

from functools import partial
from uuid import UUID

from api import db, queue
from api.messages import deliveries, post, templates
from api.messages.gateway import RETRY, Message
from api.patients import service as patients

# What happened, the job that says it, and the sentence.
ADDED, REMOVED, ENDED = "tell-authenticator-added", "tell-authenticator-removed", "tell-sign-in-ended"
TEMPLATES = {ADDED: "way_in_added", REMOVED: "way_in_removed", ENDED: "sign_in_ended"}


class NotTaken(RuntimeError):
    """The gateway does not take messages now; the queue tries again."""


def register() -> None:
    """Let the workers say it. Registering again changes nothing."""
    for name, function in _JOBS.items():
        queue.job(name)(function)


def tell(patient_id: UUID, what: str) -> None:
    """Have the patient told `what` once the running transaction commits; several at once are one notice."""
    queue.enqueue(what, once=patient_id, patient_id=patient_id, notice_id=db.uuid7())


def _say(name: str, *, patient_id: UUID, notice_id: UUID) -> None:
    """Nothing is said to whose account is not active: they may have died, or lost the phone to somebody."""
    with db.transaction(db.WORKER):
        patient = patients.one(patient_id=patient_id)
        message = _message(name, patient_id, notice_id, patient.language or "en")
        addresses = deliveries.addresses_of([patient_id]).get(patient_id, [])
        active = patient.status == "active"
    # A notice is no reminder: it takes none of the texts that a patient may get.
    ways = [one for one in addresses if one.channel != "sms"]
    if active and post.in_use().say(message, ways) == RETRY:
        raise NotTaken


def _message(name: str, patient_id: UUID, notice_id: UUID, language: str) -> Message:
    return Message(
        key=f"notice:{notice_id}",
        channel="push",
        recipient=str(patient_id),
        text=templates.text(TEMPLATES[name], language),
        language=language,
        kind=TEMPLATES[name],
        collapse_id=notice_id.hex,
        patient_id=patient_id,
        worded=partial(templates.text, TEMPLATES[name]),
    )


_JOBS = {name: partial(_say, name) for name in TEMPLATES}
