"""What somebody does who tries out a day of the demo clinic: answer a text as the demo patient, as a carrier would hand
it in, and wait for the next reminder."""

import secrets
import urllib.parse
import urllib.request
from datetime import timedelta
from xml.etree import ElementTree

import sqlalchemy as sa

from api import clock, config, db, login
from api.demo_patient import NUMBER, PATIENT
from api.messages import signatures
from api.patients import service as patients
from api.reminders.models import Reminder


def answer(settings: config.Config, words: str) -> str:
    """Let the demo patient text `words`; gives what is answered, or that nothing is. Raises `config.Misconfigured`."""
    sms = settings.carriers.sms
    if not (settings.development and sms):
        raise config.Misconfigured("A simulated text is for development, with SMS_ACCOUNT and SMS_TOKEN set.")
    url = f"{settings.public_url}/hooks/sms"
    form = {"MessageSid": f"SM{secrets.token_hex(16)}", "From": NUMBER, "To": sms.sender, "Body": words}
    signed = signatures.signature(sms.signing_token, url, form.items())
    return _said(_posted(url, form, signed))


def until_next_reminder(settings: config.Config) -> timedelta:
    """How long the domain has to wait until the demo patient's next reminder of a session is due. Raises
    `config.Misconfigured` where none is planned."""
    login.open_engine(settings)
    at = clock.now()
    with db.transaction(db.SYSTEM) as session:
        planned = sa.select(sa.func.min(Reminder.due_at)).where(
            Reminder.patient_id == patients.by_external_id(PATIENT).id,
            Reminder.subject == "session",
            Reminder.state == "planned",
            Reminder.due_at > at,
        )
        due_at = session.scalar(planned)
    if due_at is None:
        raise config.Misconfigured("No reminder is planned for the demo patient.")
    return due_at - at + timedelta(seconds=1)


def _posted(url: str, form: dict[str, str], signed: str) -> bytes:
    headers = {signatures.HEADER: signed, "Content-Type": "application/x-www-form-urlencoded"}
    request = urllib.request.Request(url, urllib.parse.urlencode(form).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answered:  # noqa: S310
        said: bytes = answered.read()
    return said


def _said(twiml: bytes) -> str:
    """The message in an answer of our own server."""
    message = ElementTree.fromstring(twiml).find("Message")  # noqa: S314
    return message.text or "" if message is not None else "(nothing is answered)"
