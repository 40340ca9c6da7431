"""The gate: the only way by which anything of a patient is told to anyone outside, and its own accountant.

It decides when something is read, never before: who the recipient is now, whether a consent counts for it at this
instant, what that releases, what a restriction takes away. What it releases stands in the ledger in the same
transaction (42 CFR 2.25), or nothing is released. Whether somebody is unknown, no patient, one who is not placed or one
who did not consent, it runs the same statements and gives nothing.

It alone enters the role `gate`. The facts of a patient are readable in that role only between finding a consent of
theirs and writing the ledger, and only of that one; what was loaded is forgotten when it leaves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from api import db
from api.prepared import Prepared
from api.privacy import effective, part2
from api.privacy.effective import Permission

Json = dict[str, Any]
# Asked for where there is nobody to ask for, so that the statement has as much to do.
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who asks from outside. Its kind, name and standing are read by the gate itself."""

    client_id: UUID


@dataclass(frozen=True, slots=True)
class Held:
    """Something held about a person; `patient_id` is None for whoever is no patient, or is not known to be. `tell` says
    for a category how to read it: called in the gate's role, if it is released, with no other patient's facts in reach.
    """

    subject_id: UUID
    patient_id: UUID | None
    tell: Mapping[str, Callable[[], Any]]


@dataclass(frozen=True, slots=True)
class Release:
    """What the recipient may be told of a subject: `facts` by category, `under` which consent each, and the notice that
    must go with them (§2.32)."""

    facts: Mapping[str, Any]
    under: Mapping[str, Permission]
    notice: part2.Notice

    @property
    def permissions(self) -> list[Permission]:
        """The consents that this rests on, once each."""
        return list({one.consent_id: one for one in self.under.values()}.values())

    @property
    def consent_id(self) -> UUID:
        """The first of the consents."""
        return self.permissions[0].consent_id

    def categories(self, permission: Permission) -> list[str]:
        """What is released under one of the consents."""
        return [name for name, by in self.under.items() if by.consent_id == permission.consent_id]

    @property
    def scope(self) -> list[Json]:
        """A clear explanation of the scope of each consent (§2.32(a)), for programs; `disclosure_words.scope` says it
        in a sentence."""
        return [_scope(one, self.categories(one)) for one in self.permissions]

    @property
    def expires_at(self) -> datetime | None:
        """When the first of the consents ends by itself; None where none of them does on a day."""
        return min((one.expires_at for one in self.permissions if one.expires_at), default=None)


def release(
    recipient: Recipient,
    *,
    held: Callable[[], Sequence[Held]],
    already: Mapping[UUID, Release] | None = None,
    at: datetime,
) -> dict[UUID, Release]:
    """What the recipient may be told at the instant, by subject; nothing else is in it. `held` is called in the gate's
    role. Whoever answers a 304 for what was released has released it: ask here before.

    `already`: what was released earlier in the same transaction, for the same answer. One answer is one telling: what
    stands in the ledger for it is not written there again.
    """
    before = already or {}
    with db.aside(db.Caller(kind="gate", client_id=recipient.client_id)):
        subjects = held()
        # A subject's own id is no patient's: it stands for whoever is none.
        ids = [one.patient_id or one.subject_id for one in subjects] or [NOBODY]
        allowed = effective.permissions(client_id=recipient.client_id, patient_ids=ids, at=at)
        told = ((one, _under(one, allowed)) for one in subjects)
        return {
            one.subject_id: _told(recipient, one, under, before.get(one.subject_id), at) for one, under in told if under
        }


def _under(subject: Held, allowed: Mapping[UUID, Sequence[Permission]]) -> dict[str, Permission]:
    """The consent that releases each category of the subject: the first of the patient's that has it."""
    if subject.patient_id is None:
        return {}
    under: dict[str, Permission] = {}
    for permission in allowed.get(subject.patient_id, ()):
        for category in subject.tell.keys() & permission.categories:
            under.setdefault(category, permission)
    return {category: under[category] for category in sorted(under)}


def _told(
    recipient: Recipient, subject: Held, under: Mapping[str, Permission], before: Release | None, at: datetime
) -> Release:
    _OF_PATIENT.run(patient_id=str(subject.patient_id))
    released = Release(
        facts={category: subject.tell[category]() for category in under}, under=under, notice=part2.CURRENT
    )
    _account(recipient, subject, released, before, at)
    return released


def _account(recipient: Recipient, subject: Held, released: Release, before: Release | None, at: datetime) -> None:
    """One row for each consent (45 CFR 164.528(b)(2))."""
    for permission in released.permissions:
        categories = released.categories(permission)
        if before and set(categories) <= set(before.categories(permission)):
            continue
        _ACCOUNT.run(
            id=db.uuid7(),
            patient_id=subject.patient_id,
            subject_id=subject.subject_id,
            recipient_client_id=recipient.client_id,
            recipient_name=permission.recipient_name,
            categories=categories,
            purpose=permission.purpose,
            consent_id=permission.consent_id,
            notice_version=released.notice.version,
            at=at,
        )


def _scope(permission: Permission, categories: Sequence[str]) -> Json:
    return {
        "consent_id": permission.consent_id,
        "categories": list(categories),
        "purpose": permission.purpose,
        "terms": permission.terms,
        "recipient_name": permission.signed_for,
        "signed_at": permission.signed_at,
        "expires_at": permission.expires_at,
        "expires_on_event": permission.expires_on_event,
    }


_OF_PATIENT = Prepared("SELECT set_config('app.patient_id', %(patient_id)s, true)")
_ACCOUNT = Prepared("""
    INSERT INTO disclosures (id, patient_id, subject_id, recipient_client_id, recipient_name, categories, purpose,
        basis, consent_id, notice_version, disclosed_at)
    VALUES (%(id)s, %(patient_id)s, %(subject_id)s, %(recipient_client_id)s, %(recipient_name)s, %(categories)s,
        %(purpose)s, 'consent', %(consent_id)s, %(notice_version)s, %(at)s)
""")
