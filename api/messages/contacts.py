"""What a number and a mail address have in common: how their rows change.

Every write stamps the patient's version, which the caller has locked, and whoever plans by channels hears when one goes
on or off.
"""

from datetime import datetime

from api import db, events
from api.messages.events import MessagesStarted, MessagesStopped
from api.messages.models import MailAddress, TextNumber
from api.patients import versions

Contact = TextNumber | MailAddress


def change(found: Contact, at: datetime, **columns: object) -> None:
    """Write `columns`."""
    was_on = found.why_off is None
    for name, value in columns.items():
        setattr(found, name, value)
    found.version = versions.touch([found.patient_id])[found.patient_id]
    db.session().flush()
    if was_on != (found.why_off is None):
        kind = MessagesStopped if was_on else MessagesStarted
        events.announce(kind(found.patient_id, found.channel, at))


def drop(found: Contact, at: datetime) -> None:
    """Forget it."""
    was_on = found.why_off is None
    db.session().delete(found)
    db.session().flush()
    if was_on:
        events.announce(MessagesStopped(found.patient_id, found.channel, at))
