"""What somebody at the clinic did with a record, and what for, in words for its patient.

An operation is put into words by the family that its name belongs to, so that a new one is never without them: at worst
they speak of the record in general. None of them is a word of our programs, or names a program of the clinic's.
"""

from dataclasses import dataclass

# The first that fits counts.
_ABOUT = (
    ("CheckIn", "check_ins"),
    ("Instrument", "check_ins"),
    ("Enrollment", "care"),
    ("Transition", "care"),
    ("Attendance", "sessions"),
    ("Session", "sessions"),
    ("Series", "sessions"),
    ("TreatmentDose", "sessions"),
    ("Phone", "contact"),
    ("Email", "contact"),
    ("Delivery", "contact"),
    ("ActivationCode", "sign_in"),
    ("Consent", "privacy"),
    ("Revocation", "privacy"),
    ("Restriction", "privacy"),
    ("Disclosure", "told"),
    ("Referral", "referral"),
    ("Alert", "alerts"),
    ("Task", "tasks"),
    ("Audit", "audit"),
)


@dataclass(frozen=True, slots=True)
class Words:
    """Of a family, in one language: having looked, having done something, and the reason for both."""

    looked: str
    did: str
    why: str


WORDS = {
    "en": {
        "record": Words("Looked at your record.", "Changed your record.", "To keep your record right."),
        "check_ins": Words(
            "Looked at your check-ins.", "Worked with your check-ins.", "To see how you are doing, and to help."
        ),
        "care": Words(
            "Looked at the steps of your care.", "Wrote down a step of your care.", "To plan your care with you."
        ),
        "sessions": Words(
            "Looked at your sessions or your attendance.",
            "Worked on your sessions or your attendance.",
            "To plan your sessions, and to see that you get the care that was agreed.",
        ),
        "contact": Words(
            "Looked at how you are reached.", "Changed how you are reached.", "So that messages come to you alone."
        ),
        "sign_in": Words(
            "Looked at your invitation to the app.",
            "Made an invitation to the app for you.",
            "So that you can sign in.",
        ),
        "privacy": Words(
            "Looked at your privacy choices.", "Worked on your privacy choices.", "To keep to what you decided."
        ),
        "told": Words(
            "Looked at what was shared about you.",
            "Wrote down what was shared about you.",
            "To account to you for what was shared.",
        ),
        "referral": Words("Looked at your referral.", "Worked on your referral.", "To answer your referral."),
        "alerts": Words(
            "Looked at a safety alert about you.", "Took on a safety alert about you.", "To see that you are safe."
        ),
        "tasks": Words(
            "Looked at a task about your care.",
            "Worked on a task about your care.",
            "To see to what waited for a person.",
        ),
        "audit": Words(
            "Looked at who used your record.",
            "Looked at who used your record.",
            "To check that records are used rightly.",
        ),
    },
    "es": {
        "record": Words("Consultó su expediente.", "Cambió su expediente.", "Para mantener correcto su expediente."),
        "check_ins": Words(
            "Consultó sus registros.", "Trabajó con sus registros.", "Para ver cómo está usted, y ayudarle."
        ),
        "care": Words(
            "Consultó los pasos de su atención.",
            "Anotó un paso de su atención.",
            "Para planificar su atención con usted.",
        ),
        "sessions": Words(
            "Consultó sus sesiones o su asistencia.",
            "Trabajó en sus sesiones o su asistencia.",
            "Para planificar sus sesiones y ver que reciba la atención acordada.",
        ),
        "contact": Words(
            "Consultó cómo comunicarse con usted.",
            "Cambió cómo comunicarse con usted.",
            "Para que los mensajes le lleguen solo a usted.",
        ),
        "sign_in": Words(
            "Consultó su invitación a la aplicación.",
            "Le preparó una invitación a la aplicación.",
            "Para que usted pueda entrar.",
        ),
        "privacy": Words(
            "Consultó sus decisiones de privacidad.",
            "Trabajó en sus decisiones de privacidad.",
            "Para cumplir lo que usted decidió.",
        ),
        "told": Words(
            "Consultó lo que se comunicó sobre usted.",
            "Anotó lo que se comunicó sobre usted.",
            "Para rendirle cuentas de lo que se comunicó.",
        ),
        "referral": Words("Consultó su derivación.", "Trabajó en su derivación.", "Para responder a su derivación."),
        "alerts": Words(
            "Consultó un aviso de seguridad sobre usted.",
            "Atendió un aviso de seguridad sobre usted.",
            "Para ver que usted esté a salvo.",
        ),
        "tasks": Words(
            "Consultó una tarea sobre su atención.",
            "Trabajó en una tarea sobre su atención.",
            "Para atender lo que esperaba a una persona.",
        ),
        "audit": Words(
            "Consultó quién usó su expediente.",
            "Consultó quién usó su expediente.",
            "Para comprobar que los expedientes se usen bien.",
        ),
    },
}


def about(operation: str) -> str:
    """The family of an operation."""
    return next((family for fragment, family in _ABOUT if fragment in operation), "record")


def did(*, action: str, operation: str, language: str) -> str:
    """What was done, as a sentence without its subject. Trying something out is no more than looking."""
    words = WORDS[language][about(operation)]
    return words.looked if action == "read" or operation.startswith("preview") else words.did


def why(*, operation: str, language: str) -> str:
    """What for, as far as what was done tells: the clinic's systems name no purpose of their own."""
    return WORDS[language][about(operation)].why
