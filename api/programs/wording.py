"""Sentences of the catalogue that belong to no single program, and how names are listed."""

from collections.abc import Sequence

LANGUAGES = ("en", "es")

PLACEMENT = {
    "en": "Placement is by assessment: a clinician looks at your situation with you before a level of care is chosen.",
    "es": (
        "El nivel de atención se decide mediante una evaluación: un profesional clínico revisa su situación con usted "
        "antes de elegirlo."
    ),
}
ORIENTATION = {
    "en": "Shown for orientation: the clinic has not said whether it offers this level of care.",
    "es": "Se muestra como orientación: la clínica no ha dicho si ofrece este nivel de atención.",
}
NOT_STATED = {"en": "Not stated", "es": "No se indica"}
TRACKS = {
    "day": {"en": "daytime", "es": "de día"},
    "evening": {"en": "evening", "es": "de noche"},
}
HOURS_OF_DAY = {"en": "{} hours", "es": "horario {}"}
LIVING = {
    False: {"en": "You live at home", "es": "Usted vive en su casa"},
    True: {"en": "You live at the program", "es": "Usted vive en el programa"},
}
OFFERED = {
    True: {"en": "Offered here", "es": "Se ofrece aquí"},
    False: {"en": "Not offered here", "es": "No se ofrece aquí"},
}


AVAILABILITY = {
    "open": {"en": "New patients can start here.", "es": "Aquí pueden comenzar pacientes nuevos."},
    "waitlist": {"en": "There is a waitlist here.", "es": "Aquí hay lista de espera."},
    "full": {"en": "There are no places here at the moment.", "es": "Por ahora no hay lugares aquí."},
    "assess_first": {
        "en": "An assessment comes first; we look for a place with you then.",
        "es": "Primero se hace una evaluación; después buscamos un lugar con usted.",
    },
    "call_us": {"en": "Please call us about places here.", "es": "Llámenos para preguntar por lugares aquí."},
    "closed": {"en": "This location is closed at the moment.", "es": "Esta sede está cerrada por ahora."},
}


def listed(names: Sequence[str], language: str, *, joint: str = "and") -> str:
    """ "A, B and C", or "A, B or C" with `joint="or"`; in Spanish with "e" and "u" where they must stand."""
    if len(names) < 2:
        return "".join(names)
    *first, last = names
    return f"{', '.join(first)} {_joint(joint, last, language)} {last}"


def _joint(joint: str, following: str, language: str) -> str:
    if language == "en":
        return joint
    sound = following.lower().removeprefix("h")[:1]
    if joint == "and":
        return "e" if sound in ("i", "í") else "y"
    return "u" if sound in ("o", "ó") else "o"


def lower_first(sentence: str) -> str:
    """The sentence as it stands inside another one; an abbreviation stays as it is."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def upper_first(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
