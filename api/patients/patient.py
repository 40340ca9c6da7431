"""Patients' own door: who am I, and what did I choose."""

from typing import Any

from api import answering, clock, language
from api.blueprint import Door
from api.patients import service as patients
from api.patients import zones
from api.patients.models import Patient
from schemas.patients import MeAnswer, PreferencesAnswer, PreferencesAsk

door = Door("patients", kind="patient", tag="Me")


@door.get("", operation="getMe", scope="me:read", summary="Whom the app serves")
@door.answers(MeAnswer)
def get_me() -> dict[str, Any]:
    """The person signed in, with the language and zone in force and the server's time."""
    patient = patients.one(patient_id=answering.patient_id())
    return {
        "id": patient.id,
        "preferred_name": patient.preferred_name,
        "language": language.chosen(),
        "time_zone": zones.of(patient),
        "server_time": clock.now(),
    }


@door.get("/preferences", operation="getMyPreferences", scope="me:read", summary="What I chose", etag=True)
@door.answers(PreferencesAnswer)
def get_my_preferences() -> dict[str, Any]:
    """Language, zone and the discreet label; what was not chosen is absent."""
    return _chosen(patients.one(patient_id=answering.patient_id()))


@door.put("/preferences", operation="putMyPreferences", scope="me:write", summary="Choose", if_match=True)
@door.asks(PreferencesAsk)
@door.answers(PreferencesAnswer)
def put_my_preferences(choices: dict[str, Any]) -> dict[str, Any]:
    """Replaces the whole choice. A new zone moves quiet hours with it at once."""
    return _chosen(
        patients.set_preferences(
            patient_id=answering.patient_id(),
            choices=choices,
            expected=answering.expected_version(),
            at=clock.now(),
        )
    )


def _chosen(patient: Patient) -> dict[str, Any]:
    answering.set_version(patient.preferences_version)
    return {
        "language": patient.language,
        "time_zone": patient.time_zone,
        "discreet_label": patient.discreet_label,
        "effective_time_zone": zones.of(patient),
    }
