"""The sentences that leave the house, by id and language. Nothing in them tells who sends them, or about what.

Where a template has `{end}`, the sentence ends with where to read on: `DETAILS`, or `MORE` when something else waits
too.
"""

LONGEST = 160

DETAILS = {"en": "Open the app for details.", "es": "Abra la aplicación para ver los detalles."}
MORE = {"en": "Something else waits in the app.", "es": "Hay algo más en la aplicación."}

TEMPLATES: dict[str, dict[str, str]] = {
    "appointment": {
        "en": "You have an appointment {when}. {end}",
        "es": "Tiene una cita {when}. {end}",
    },
    "two_appointments": {
        "en": "You have appointments {when} and {then}. {end}",
        "es": "Tiene citas {when} y {then}. {end}",
    },
    "appointments": {
        "en": "You have {count} appointments, the first {when}. {end}",
        "es": "Tiene {count} citas, la primera {when}. {end}",
    },
    "digest": {
        "en": "You have {count} appointments {day}, the first {first} and the last {last}. {end}",
        "es": "Tiene {count} citas {day}, la primera {first} y la última {last}. {end}",
    },
    "check_in": {
        "en": "Something in the app waits for your answer. It closes {when}.",
        "es": "Algo en la aplicación espera su respuesta. Se cierra {when}.",
    },
    "moved": {
        "en": "An appointment has changed. It is now {when}. {end}",
        "es": "Una cita cambió. Ahora es {when}. {end}",
    },
    "cancelled": {
        "en": "Your appointment {when} is canceled. {end}",
        "es": "Se canceló la cita que tenía {when}. {end}",
    },
    "restored": {
        "en": "Your appointment {when} will take place after all. {end}",
        "es": "La cita que tenía {when} sí se mantiene. {end}",
    },
    "changes": {
        "en": "Some of your appointments have changed. {end}",
        "es": "Algunas de sus citas cambiaron. {end}",
    },
    "changes_and_one": {
        "en": "There is news about your appointments. One of them is {when}. {end}",
        "es": "Hay novedades sobre sus citas. Una de ellas es {when}. {end}",
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


def text(template: str, language: str, *, more: bool = False, **values: object) -> str:
    """The sentence in `language` (English where it is neither), with `values` filled in; with `more`, something else
    waits too. Raises `KeyError`."""
    sentences = TEMPLATES[template]
    language = language if language in sentences else "en"
    filled = sentences[language].format(end=(MORE if more else DETAILS)[language], **values)
    # "p. m." ends a sentence by itself.
    return filled.replace("..", ".")
