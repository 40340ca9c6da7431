"""How the synthetic patients of development are reached: a phone that is pushed to, and the demo patient's number.

The number has answered its code, and texts are consented to; the demo patient prefers texts to push, so that both kinds
are seen being sent. Nothing of it leaves the machine: development's carriers write to the log.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.demo_patient import NUMBER
from api.messages import consent_texts, devices, keyed, phones
from api.messages.models import ContactCode
from api.reminders import preferences


def give_device(patient_id: UUID, app_session_id: UUID) -> None:
    """A device for the app session; again is once."""
    with db.transaction(_as(patient_id)):
        asked = devices.of_phone(provider="fcm", token=f"demo-{patient_id}", environment="production", language=None)
        devices.register(patient_id=patient_id, app_session_id=app_session_id, asked=asked)


def give_number(patient_id: UUID, *, at: datetime) -> None:
    """The number, confirmed and consented to, and first among the channels; one that is there stays as it is."""
    with db.transaction(_as(patient_id)):
        if phones.of_patient(patient_id=patient_id) is not None:
            return
        phones.choose(patient_id=patient_id, number=NUMBER, at=at)
        phones.confirm(patient_id=patient_id, code=_code(patient_id), at=at)
        phones.consent(patient_id=patient_id, text_id=consent_texts.CURRENT, language="en", at=at)
        preferences.choose(patient_id=patient_id, choices={"channels": ["sms", "push"]}, expected=None, at=at)


def _code(patient_id: UUID) -> str:
    """The code that was sent to the number."""
    return keyed.code(db.session().scalars(sa.select(ContactCode.id).where(ContactCode.patient_id == patient_id)).one())


def _as(patient_id: UUID) -> db.Caller:
    return db.Caller(kind="patient", patient_id=patient_id)
