"""What the patient reads about who was told what, in English and Spanish; and the scope of a consent in a sentence."""

from collections.abc import Iterable, Sequence

from api.privacy.effective import Permission

CATEGORIES = {
    "en": {
        "presence": "that you are or were in treatment here",
        "level_of_care": "which program you are in, and since when",
        "attendance": "which sessions you attended or missed",
        "progress": "how many sessions and hours a week you attend",
        "referral_outcome": "what became of your referral",
    },
    "es": {
        "presence": "que usted está o estuvo en tratamiento aquí",
        "level_of_care": "en qué programa está usted, y desde cuándo",
        "attendance": "a qué sesiones asistió o faltó usted",
        "progress": "a cuántas sesiones y horas por semana asiste usted",
        "referral_outcome": "qué pasó con su derivación",
    },
}
PURPOSES = {
    "en": {
        "treatment": "for your treatment",
        "patient_request": "because you asked for it",
        "criminal_justice": "because treatment is a condition of a legal matter of yours",
    },
    "es": {
        "treatment": "para su tratamiento",
        "patient_request": "porque usted lo pidió",
        "criminal_justice": "porque el tratamiento es una condición de un asunto legal suyo",
    },
}
BASES = {
    "en": {
        "consent": "You allowed this by a permission that you signed.",
        "emergency": "It was a medical emergency in which you could not be asked first. The law allows this.",
        "elsewhere": "The clinic told this outside of the app, and has written it down here.",
    },
    "es": {
        "consent": "Usted lo permitió con un permiso que firmó.",
        "emergency": "Fue una emergencia médica en la que no se le pudo preguntar antes. La ley lo permite.",
        "elsewhere": "La clínica lo comunicó fuera de la aplicación y lo anotó aquí.",
    },
}
_SCOPE = {
    "en": "Released under the patient's written consent of {signed} for {recipient}, for these categories only: "
    "{categories}. Purpose: {purpose}. {ends}",
    "es": "Comunicado con el consentimiento escrito del paciente del {signed} para {recipient}, solo en estas "
    "categorías: {categories}. Finalidad: {purpose}. {ends}",
}
_ENDS = {
    "en": {
        "day": "It ends on {day}.",
        "end_of_treatment": "It ends with the treatment.",
        "final_disposition": "It ends with the final disposition of the matter.",
    },
    "es": {
        "day": "Termina el {day}.",
        "end_of_treatment": "Termina con el tratamiento.",
        "final_disposition": "Termina con la resolución definitiva del asunto.",
    },
}


def what(categories: Iterable[str], language: str) -> str:
    """What was told, as a sentence about the reader."""
    told = "; ".join(CATEGORIES[language].get(one, one) for one in categories)
    return told[:1].upper() + told[1:] + "."


def why(purpose: str, basis: str, language: str) -> str:
    """What for; the clinic's own words where it wrote some."""
    told = PURPOSES[language].get(purpose, purpose) if basis == "consent" else purpose
    return told[:1].upper() + told[1:] + ("" if told.endswith(".") else ".")


def rests_on(basis: str, language: str) -> str:
    """Why this was allowed."""
    return BASES[language][basis]


def scope(permission: Permission, categories: Sequence[str], language: str) -> str:
    """A clear explanation of the scope of a consent, which must go with what it releases (42 CFR 2.32(a)). It speaks to
    the recipient, by the words of the vocabulary."""
    return _SCOPE[language].format(
        signed=permission.signed_at.date().isoformat(),
        recipient=permission.signed_for,
        categories=", ".join(categories),
        purpose=permission.purpose,
        ends=" ".join(_ends(permission, language)),
    )


def _ends(permission: Permission, language: str) -> Iterable[str]:
    if permission.expires_at:
        yield _ENDS[language]["day"].format(day=permission.expires_at.date().isoformat())
    if permission.expires_on_event:
        yield _ENDS[language][permission.expires_on_event]
