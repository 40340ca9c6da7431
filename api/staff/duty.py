"""Whom safety alerts are told to, in which order, and how long each has.

The contacts are addresses that the deployment names (`DUTY_CONTACTS`); `app.py` hands them in.
"""

from datetime import timedelta

from api.observe import log

ANSWER_WITHIN = timedelta(minutes=30)
"""How much opening time a contact has to acknowledge before the next one is told."""

_contacts: tuple[str, ...] = ()
_needed = True


def use(contacts: tuple[str, ...], *, needed: bool) -> None:
    """Tell `contacts`, first to last and round again. `needed`: without any, nothing with safety items is offered."""
    global _contacts, _needed
    _contacts, _needed = contacts, needed
    if not safety_items_may_be_offered():
        log.warning("no duty contacts: no questionnaire with safety items is offered")


def contacts() -> tuple[str, ...]:
    return _contacts


def somebody_is_told() -> bool:
    """Whether an alert reaches anybody at all."""
    return bool(_contacts)


def safety_items_may_be_offered() -> bool:
    """Asking whether somebody is safe, with nobody to tell, is for development only."""
    return somebody_is_told() or not _needed
