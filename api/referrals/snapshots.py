"""The person as a sender knows them, and what else a sender sends: between what is asked and what is kept.

A name is compared by its letters and digits, whatever their case, width or accents, and only within one sender's own
referrals: what looks alike is pointed out there and merged nowhere.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

from api import errors
from api.programs import shelf
from api.referrals.models import Referral

# What the contract calls it, and what the table does.
COLUMNS = {
    "given_name": "given_name",
    "family_name": "family_name",
    "born_on": "born_on",
    "called": "called",
    "contact_preference": "contact_preference",
    "phone": "phone",
    "voicemail_allowed": "voicemail_allowed",
    "email": "email",
    "best_time": "best_time",
    "own_identifier": "own_identifier",
    "language": "language",
    "reason": "reason",
    "urgency": "urgency",
    "program": "program_slug",
    "notes": "notes",
    "part2_notice": "part2_notice",
}
ADDRESSES = ("phone", "email", "best_time")


class UnknownProgram(errors.Invalid):
    title = "There is no such program"
    detail = "Name a program of the catalogue, or none: then the assessment decides."
    title_es = "No existe ese programa"
    detail_es = "Indique un programa del catálogo, o ninguno: entonces decide la evaluación."


class NoWayToReach(errors.Invalid):
    title = "How the person can be reached is missing"
    detail = "Where the person may be contacted, a phone number or a mail address is needed."
    title_es = "Falta cómo contactar a la persona"
    detail_es = "Si se puede contactar a la persona, hace falta un teléfono o un correo electrónico."


class NotToBeContacted(errors.Invalid):
    title = "The person does not want to be contacted"
    detail = "Leave out the phone number and the mail address of a person who is not to be contacted by us."
    title_es = "La persona no quiere ser contactada"
    detail_es = "Omita el teléfono y el correo electrónico de una persona a la que no debemos contactar."


def columns(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked, by the names of columns."""
    return {COLUMNS[name]: value for name, value in asked.items()}


def name_key(given_name: str | None, family_name: str | None) -> str:
    """What a name is compared by: equal for spellings that differ in case, accents, spaces or marks. Of one that is all
    marks nothing would be left, as of any other such: it is compared as it is written."""
    written = f"{given_name or ''} {family_name or ''}"
    parts = unicodedata.normalize("NFKD", written.casefold())
    return "".join(one for one in parts if one.isalnum()) or written


def amended(referral: Referral, changed: Mapping[str, Any]) -> dict[str, Any]:
    """All that was sent, after `changed`. Whoever is not to be contacted any more is forgotten by phone and mail."""
    after = {column: getattr(referral, column) for column in COLUMNS.values()} | dict(changed)
    if changed.get("contact_preference", "may_contact") != "may_contact":
        after |= {name: changed.get(name) for name in ADDRESSES} | {"voicemail_allowed": False}
    return after


def refuse_unfit(kept: Mapping[str, Any]) -> None:
    """Raises `UnknownProgram`, `NoWayToReach`, `NotToBeContacted`; `kept` is by the names of columns."""
    slug = kept["program_slug"]
    if slug is not None and shelf.inside().program(slug) is None:
        raise UnknownProgram([("/program", "Is not in the catalogue.")])
    reachable = kept["phone"] is not None or kept["email"] is not None
    if kept["contact_preference"] == "may_contact" and not reachable:
        raise NoWayToReach([("/phone", "A phone number or a mail address is needed.")])
    if kept["contact_preference"] != "may_contact" and reachable:
        raise NotToBeContacted([("/contact_preference", "Does not go with a phone number or a mail address.")])
