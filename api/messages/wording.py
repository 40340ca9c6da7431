"""What is said back to a text, and what carries a code: neutral, in both languages, each one text of 160 septets.

These are not templates of reminders: they answer somebody who wrote, or who is waiting for a code.
"""

SENTENCES = {
    "stop": {
        "en": "You will get no more texts. Reply START to get them again.",
        "es": "No recibirá más mensajes. Responda START para recibirlos otra vez.",
    },
    # A stop is confirmed once (47 CFR 64.1200(a)(12)): with a word of crisis in it, that one says where help is.
    "stop_crisis": {
        "en": "You will get no more texts. Crisis 988, emergency 911. Reply START to undo.",
        "es": "No recibirá más mensajes. Crisis 988, emergencia 911. START para recibirlos.",
    },
    "start": {
        "en": "You will get texts again. Reply STOP to end them.",
        "es": "Volverá a recibir mensajes. Responda STOP para dejar de recibirlos.",
    },
    "start_in_app": {
        "en": "To get texts, please open the app.",
        "es": "Para recibir mensajes, abra la aplicación.",
    },
    "help": {
        "en": "Automated texts about appointments. Reply STOP to end. Emergency 911.",
        "es": "Mensajes automáticos sobre citas. STOP para terminar. Emergencia 911.",
    },
    "noted": {"en": "Thank you, noted.", "es": "Gracias, anotado."},
    "changed": {
        "en": "That appointment has changed. Please open the app for details.",
        "es": "Esa cita cambió. Abra la aplicación para ver los detalles.",
    },
    "nothing_to_answer": {
        "en": "There is nothing to answer here. Please open the app.",
        "es": "Aquí no hay nada que responder. Abra la aplicación.",
    },
    "wrong_number": {
        "en": "Sorry. You will get no more texts.",
        "es": "Disculpe. No recibirá más mensajes.",
    },
    "wrong_number_crisis": {
        "en": "Sorry. You will get no more texts. Emergency 911, crisis 988.",
        "es": "Disculpe. No recibirá más mensajes. Emergencia 911, crisis 988.",
    },
    "not_read": {
        "en": "Not read. Emergency 911, crisis 988.",
        "es": "No se lee. Emergencia 911, crisis 988.",
    },
    "code": {
        "en": "Your code is {code}. Do not give it to anybody.",
        "es": "Su código es {code}. No se lo dé a nadie.",
    },
}


def said(sentence: str, language: str | None, **values: object) -> str:
    """The sentence in `language`, or in both where None: the reader's is not known. Raises `KeyError`."""
    spoken = SENTENCES[sentence]
    if language is None:
        return f"{spoken['en']} / {spoken['es']}".format(**values)
    return spoken.get(language, spoken["en"]).format(**values)
