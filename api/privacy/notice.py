"""The privacy notice (42 CFR 2.22): what it says now, and who has seen it.

That a patient has seen it is noted, and nothing waits for it: least of all crisis help.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db, errors
from api.patients import versions
from api.privacy import forms, notice_texts
from api.privacy.models import NoticeAcknowledgement
from api.programs import about

OFFICE = {"en": "our office", "es": "nuestra oficina"}
OR = {"en": " or ", "es": " o "}


class UnknownNotice(errors.Unprocessable):
    title = "There is no such notice"
    detail = "That version of the privacy notice is none of this clinic's."
    title_es = "No existe ese aviso"
    detail_es = "Esa versión del aviso de privacidad no es de esta clínica."


def shown(language: str) -> dict[str, Any]:
    """The notice of now, in `language`, with the clinic's own name and numbers as far as they are known."""
    version = notice_texts.CURRENT
    wording, effective_on = notice_texts.NOTICES[version, language], notice_texts.EFFECTIVE_ON[version]
    filled = {
        "name": about.clinic().name,
        "contact": _contact(language),
        "day": forms.day(effective_on, language),
    }
    return {
        "version": version,
        "effective_on": effective_on,
        "language": language,
        "title": wording.title.format(**filled),
        "header": wording.header.format(**filled),
        "sections": [{"heading": heading, "text": text.format(**filled)} for heading, text in wording.sections],
    }


def acknowledge(*, patient_id: UUID, version: str, at: datetime) -> NoticeAcknowledgement:
    """Note that the patient has seen this version. Again is once, at its first time. Raises `UnknownNotice`."""
    if version not in notice_texts.EFFECTIVE_ON:
        raise UnknownNotice
    if known := _acknowledged(patient_id, version):
        return known
    stamp = versions.touch([patient_id])[patient_id]
    row = {"patient_id": patient_id, "notice_version": version, "acknowledged_at": at, "version": stamp}
    db.session().execute(insert(NoticeAcknowledgement).values(row).on_conflict_do_nothing())
    found = _acknowledged(patient_id, version)
    assert found is not None
    return found


def acknowledgements(*, patient_id: UUID) -> Sequence[NoticeAcknowledgement]:
    """What the patient has seen, the latest first."""
    found = sa.select(NoticeAcknowledgement).where(NoticeAcknowledgement.patient_id == patient_id)
    return db.session().scalars(found.order_by(NoticeAcknowledgement.acknowledged_at.desc())).all()


def _acknowledged(patient_id: UUID, version: str) -> NoticeAcknowledgement | None:
    return db.session().get(NoticeAcknowledgement, (patient_id, version))


def _contact(language: str) -> str:
    """How to reach the clinic; never a number that is made up."""
    clinic = about.clinic()
    return OR[language].join(one for one in (clinic.phone, clinic.support_email) if one) or OFFICE[language]
