"""Which time zone holds for a patient: the one the app set, else the clinic's."""

from api.patients.models import Patient

_clinic = "America/New_York"


def use_clinic_zone(zone: str) -> None:
    """Let `zone` (IANA) hold for whoever has set none."""
    global _clinic
    _clinic = zone


def clinic() -> str:
    return _clinic


def of(patient: Patient) -> str:
    return patient.time_zone or _clinic
