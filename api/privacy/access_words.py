"""What somebody at the clinic did with a record, in words for its patient.

An operation is put into words by what its name is about, so that a new one is never without them: at worst they speak
of the record in general.
"""

# The first that fits counts.
_ABOUT = (
    ("CheckIn", "check_ins"),
    ("Instrument", "check_ins"),
    ("Enrollment", "enrollment"),
    ("Transition", "enrollment"),
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
    ("Disclosure", "privacy"),
    ("Referral", "referral"),
    ("Alert", "alerts"),
    ("Task", "tasks"),
    ("Audit", "audit"),
)
WHAT = {
    "en": {
        "record": "your record",
        "check_ins": "your check-ins",
        "enrollment": "your program and level of care",
        "sessions": "your sessions and attendance",
        "contact": "how you are reached",
        "sign_in": "your invitation to the app",
        "privacy": "your privacy choices",
        "referral": "your referral",
        "alerts": "a safety alert about you",
        "tasks": "a task about your care",
        "audit": "who looked at your record",
    },
    "es": {
        "record": "su expediente",
        "check_ins": "sus registros",
        "enrollment": "su programa y nivel de atención",
        "sessions": "sus sesiones y asistencia",
        "contact": "cómo comunicarse con usted",
        "sign_in": "su invitación a la aplicación",
        "privacy": "sus decisiones de privacidad",
        "referral": "su derivación",
        "alerts": "un aviso de seguridad sobre usted",
        "tasks": "una tarea sobre su atención",
        "audit": "quién consultó su expediente",
    },
}
_DID = {
    "en": {"read": "Looked at {what}", "create": "Added to {what}", "update": "Changed {what}"},
    "es": {"read": "Consultó {what}", "create": "Agregó algo a {what}", "update": "Cambió {what}"},
}
_OTHERWISE = {"en": "Worked on {what}", "es": "Trabajó en {what}"}
_REMOVED = {"en": "Removed something from {what}", "es": "Quitó algo de {what}"}


def about(operation: str) -> str:
    """Which part of the record an operation is about."""
    return next((part for fragment, part in _ABOUT if fragment in operation), "record")


def did(*, action: str, operation: str, language: str) -> str:
    """What was done, as a sentence without its subject."""
    forms = {**_DID[language], "delete": _REMOVED[language]}
    return forms.get(action, _OTHERWISE[language]).format(what=WHAT[language][about(operation)])
