"""What somebody is at the clinic, in words for the patient.

The clinic's systems name the role for which they act by a token of their own. Tokens that are in use at clinics have
words here; whoever goes by another is one of the staff, since a token is nothing for a patient to read.
"""

import re

_STAFF = ("A member of the clinic's staff", "Una persona del equipo de la clínica")
# Nobody at the clinic acted, or none that a system of theirs named.
_OTHERS = {
    "worker": ("The clinic's system by itself", "El sistema de la clínica por sí mismo"),
    "owner": ("Those who run the clinic's system", "Quienes administran el sistema de la clínica"),
}
_ROLES = {
    ("counselor", "therapist", "clinician"): ("A counselor", "Una persona de consejería"),
    ("facilitator", "group_facilitator"): ("A group facilitator", "Una persona que dirige grupos"),
    ("psychologist",): ("A psychologist", "Una persona de psicología"),
    ("psychiatrist",): ("A psychiatrist", "Una persona de psiquiatría"),
    ("physician", "doctor", "prescriber", "medical_director"): ("A doctor", "Una persona del equipo médico"),
    ("nurse", "nurse_practitioner"): ("A nurse", "Una persona de enfermería"),
    ("social_worker",): ("A social worker", "Una persona de trabajo social"),
    ("case_manager", "care_coordinator"): ("A care coordinator", "Una persona que coordina la atención"),
    ("peer_support", "peer_specialist", "recovery_coach"): (
        "A peer supporter", "Una persona de apoyo entre pares"
    ),
    ("intake", "admissions"): ("Somebody of admissions", "Una persona de admisión"),
    ("front_desk", "receptionist", "scheduler"): ("Somebody of the front desk", "Una persona de recepción"),
    ("supervisor", "clinical_supervisor"): ("A supervisor", "Una persona que supervisa"),
    ("manager", "director", "clinical_director"): ("Somebody of the management", "Una persona de la dirección"),
    ("privacy_officer", "compliance", "compliance_officer"): (
        "Somebody who looks after privacy", "Una persona encargada de la privacidad"
    ),
    ("medical_records", "records", "health_information"): (
        "Somebody of medical records", "Una persona del archivo clínico"
    ),
    ("billing",): ("Somebody of billing", "Una persona de facturación"),
    ("quality",): ("Somebody who looks after quality", "Una persona encargada de la calidad"),
    ("admin", "administrator", "it_support"): ("An administrator", "Una persona de administración"),
}  # fmt: skip
_BY_TOKEN = {token: words for tokens, words in _ROLES.items() for token in tokens}
_PLACE = {"en": 0, "es": 1}


def who(*, caller_kind: str, role: str | None, language: str) -> str:
    """Who it was, without their name: that is the clinic's own."""
    words = _OTHERS.get(caller_kind) or _BY_TOKEN.get(_plain(role or ""), _STAFF)
    return words[_PLACE[language]]


def _plain(token: str) -> str:
    """`Front-Desk` is `front_desk`."""
    return re.sub(r"[^a-z0-9]+", "_", token.lower()).strip("_")
