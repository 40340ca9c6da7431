"""The ledger of disclosures: read by the patient and the clinic, and what the clinic told by other ways written down.

What was told under a consent through us is written by the gate alone. The clinic adds what it told in a medical
emergency, with all that 42 CFR 2.51(c) asks to be documented at once, and what it told elsewhere, as on paper or by
phone. Nothing of it is ever changed: a mistake is put right by a further entry. All of it stays, longer than the three
years of §2.25. It raises no version: it is no part of what an app keeps in step with.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, pages
from api.privacy.models import Consent, Disclosure


class DisclosedInTheFuture(errors.Unprocessable):
    title = "This lies ahead"
    detail = "What was told can be recorded once it was told: give a time that has passed."
    title_es = "Esto está en el futuro"
    detail_es = "Lo comunicado se registra cuando ya se comunicó: indique una hora que haya pasado."


class NotTheirConsent(errors.Unprocessable):
    title = "There is no such consent of this patient"
    detail = "Name a consent of this patient, or none."
    title_es = "Este paciente no tiene ese consentimiento"
    detail_es = "Indique un consentimiento de este paciente, o ninguno."


def record(*, patient_id: UUID, told: Mapping[str, Any], by: str, role: str, at: datetime) -> Disclosure:
    """Write down what the clinic told outside of us: `told` are the columns that it knows. Raises
    `DisclosedInTheFuture`, `NotTheirConsent`."""
    if told["disclosed_at"] > at:
        raise DisclosedInTheFuture
    if told.get("consent_id"):
        _refuse_others(patient_id, told["consent_id"])
    added = Disclosure(patient_id=patient_id, recorded_by=by, recorded_role=role, **told)
    db.session().add(added)
    db.session().flush()
    return added


def one(*, disclosure_id: UUID) -> Disclosure:
    """Raises `errors.NotFound`."""
    if (found := db.session().get(Disclosure, disclosure_id)) is None:
        raise errors.NotFound
    return found


def page(
    *,
    patient_id: UUID,
    since: datetime | None,
    until: datetime | None,
    asked: int,
    page_token: str | None,
    bound_to: Sequence[Any],
) -> tuple[list[Disclosure], str | None]:
    """One page of what was told of the patient, the latest first; what is None narrows nothing."""
    found = sa.select(Disclosure).where(Disclosure.patient_id == patient_id)
    if since is not None:
        found = found.where(Disclosure.disclosed_at >= since)
    if until is not None:
        found = found.where(Disclosure.disclosed_at < until)
    return pages.page(
        found,
        keys=[Disclosure.disclosed_at, Disclosure.id],
        asked=asked,
        page_token=page_token,
        bound_to=(*bound_to, patient_id, since, until),
        descending=True,
    )


def _refuse_others(patient_id: UUID, consent_id: UUID) -> None:
    theirs = sa.select(sa.exists().where(Consent.id == consent_id, Consent.patient_id == patient_id))
    if not db.session().scalar(theirs):
        raise NotTheirConsent
