"""A partner whose endpoint was turned off is told by another way: a mail to whoever looks after its system.

The transaction that turns it off puts in a job; a worker says it, with no transaction open. The words name the endpoint
by its id: no address, and nothing of what it was told. Without a contact nothing is sent.
"""

from uuid import UUID

import sqlalchemy as sa

from api import db, queue
from api.access.models import ApiClient
from api.messages import post
from api.messages.gateway import ACCEPTED, MISCONFIGURED, RETRY, Message
from api.observe import log
from api.webhooks.models import Endpoint

JOB = "webhook-endpoint-off"
# The queue waits four times as long before each: together some six hours.
ATTEMPTS = 8

WORDS = {
    "failing": (
        "A webhook endpoint was turned off because it did not answer. Its id: {id}. Sign in and ask for its"
        " verification to turn it on again.",
        "Se desactivó un destino de avisos porque no respondía. Su identificador: {id}. Inicie sesión y solicite su"
        " verificación para volver a activarlo.",
    ),
    "gone": (
        "A webhook endpoint was turned off because it answered that it is gone. Its id: {id}. Sign in and ask for its"
        " verification to turn it on again.",
        "Se desactivó un destino de avisos porque respondió que ya no existe. Su identificador: {id}. Inicie sesión y"
        " solicite su verificación para volver a activarlo.",
    ),
}


class NotTaken(RuntimeError):
    """No carrier takes mail now; the queue tries again."""


def tell(*, endpoint_id: UUID) -> None:
    """Have its partner told once the running transaction, which turns it off, commits."""
    queue.enqueue(JOB, endpoint_id=endpoint_id, notice_id=db.uuid7())


@queue.job(JOB, attempts=ATTEMPTS)
def say(*, endpoint_id: UUID, notice_id: UUID) -> None:
    """Nothing is said of one that is on again or gone, nor to a partner that is suspended. Raises `NotTaken`."""
    with db.transaction(db.WORKER):
        message = _message(endpoint_id, notice_id)
    said = post.in_use().tell(message) if message else ACCEPTED
    if said in (RETRY, MISCONFIGURED):
        raise NotTaken
    if said != ACCEPTED:
        log.warning("contact of a webhook endpoint not reached", endpoint_id=str(endpoint_id), problem=said)


def _message(endpoint_id: UUID, notice_id: UUID) -> Message | None:
    found = (
        db.session()
        .execute(
            sa.select(ApiClient.contact_email, Endpoint.disabled_reason)
            .join(Endpoint, Endpoint.client_id == ApiClient.id)
            .where(Endpoint.id == endpoint_id, Endpoint.status == "disabled")
            .where(ApiClient.status == "active", ApiClient.contact_email.is_not(None))
        )
        .one_or_none()
    )
    if found is None:
        return None
    text = "\n\n".join(words.format(id=endpoint_id) for words in WORDS[found.disabled_reason])
    return Message(
        key=f"endpoint-off:{notice_id}", channel="email", recipient=found.contact_email, text=text, language="en"
    )
