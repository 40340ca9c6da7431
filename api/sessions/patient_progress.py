"""The patient's door to the weeks of the program: how much of it I had."""

from typing import Any

from api import answering, clock, language
from api.blueprint import Door
from api.sessions import progress
from schemas.progress import MyProgressAnswer

door = Door("progress", kind="patient", tag="Enrollment")


@door.get("/enrollment/progress", operation="getMyProgress", scope="enrollment:read", summary="My weeks in the program")
@door.answers(MyProgressAnswer)
def get_my_progress() -> dict[str, Any]:
    """The last twelve weeks of the stay, the newest first, in the patient's own zone: what the clinic recorded, beside
    it what rests on the patient's word, and what was planned. It answers before and after any program too."""
    return progress.of_patient(patient_id=answering.patient_id(), language=language.chosen(), at=clock.now())
