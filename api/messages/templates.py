"""The sentences that leave the house, by id and language. Nothing in them tells who sends them, or about what."""

LONGEST = 160

DETAILS = {"en": "Open the app for details.", "es": "Abra la aplicación para ver los detalles."}

TEMPLATES: dict[str, dict[str, str]] = {
    "appointment": {
        "en": "You have an appointment {when}. " + DETAILS["en"],
        "es": "Tiene una cita {when}. " + DETAILS["es"],
    },
    "two_appointments": {
        "en": "You have appointments {when} and {then}. " + DETAILS["en"],
        "es": "Tiene citas {when} y {then}. Más en la aplicación.",
    },
    "appointments": {
        "en": "You have {count} appointments, the first {when}. " + DETAILS["en"],
        "es": "Tiene {count} citas, la primera {when}. " + DETAILS["es"],
    },
    "moved": {
        "en": "An appointment has changed. It is now {when}. " + DETAILS["en"],
        "es": "Una cita cambió. Ahora es {when}. " + DETAILS["es"],
    },
    "cancelled": {
        "en": "Your appointment {when} is canceled. " + DETAILS["en"],
        "es": "Se canceló la cita que tenía {when}. " + DETAILS["es"],
    },
    "restored": {
        "en": "Your appointment {when} will take place after all. " + DETAILS["en"],
        "es": "La cita que tenía {when} sí se mantiene. " + DETAILS["es"],
    },
    "changes": {
        "en": "Some of your appointments have changed. " + DETAILS["en"],
        "es": "Algunas de sus citas cambiaron. " + DETAILS["es"],
    },
    "changes_and_one": {
        "en": "There is news about your appointments. One of them is {when}. " + DETAILS["en"],
        "es": "Hay novedades sobre sus citas. Una de ellas es {when}. " + DETAILS["es"],
    },
    "way_in_added": {
        "en": "There is a new way to sign in. If this was not you, open the app.",
        "es": "Hay una nueva forma de acceder. Si no fue usted, abra la aplicación.",
    },
    "way_in_removed": {
        "en": "A way to sign in was removed. If this was not you, open the app.",
        "es": "Se quitó una forma de acceder. Si no fue usted, abra la aplicación.",
    },
    "sign_in_ended": {
        "en": "A phone was signed out. If this was not you, open the app.",
        "es": "Se cerró el acceso en un teléfono. Si no fue usted, abra la aplicación.",
    },
    "duty_notice": {
        "en": "Something waits for you and is urgent. Please sign in and look.",
        "es": "Algo urgente espera su atención. Inicie sesión y véalo.",
    },
}


def text(template: str, language: str, **values: object) -> str:
    """The sentence in `language` (English where it is neither), with `values` filled in. Raises `KeyError`."""
    sentences = TEMPLATES[template]
    filled = sentences.get(language, sentences["en"]).format(**values)
    # "p. m." ends a sentence by itself.
    return filled.replace("..", ".")
