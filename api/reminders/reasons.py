"""Why an entry of the ledger is as it is, in words for the patient."""

REASONS: dict[str, dict[str, str]] = {
    "on_time": {"en": "This is its usual time.", "es": "Es su hora habitual."},
    "before_quiet_hours": {
        "en": "It would have come in your quiet hours, so it comes before them.",
        "es": "Habría llegado en sus horas de silencio, así que llega antes.",
    },
    "after_quiet_hours": {
        "en": "It came up in your quiet hours, so it comes after them.",
        "es": "Surgió en sus horas de silencio, así que llega después.",
    },
    "after_another": {
        "en": "It would have come close after another message, so it comes later.",
        "es": "Habría llegado muy cerca de otro mensaje, así que llega más tarde.",
    },
    "silent_change": {
        "en": "The appointment begins soon after your quiet hours, so it comes at once and without a sound.",
        "es": "La cita empieza poco después de sus horas de silencio, así que llega de inmediato y sin sonido.",
    },
    "merged": {"en": "Another message close to it speaks for it.", "es": "Otro mensaje cercano habla por él."},
    "digest": {
        "en": "One message tells of all appointments of that day.",
        "es": "Un solo mensaje avisa de todas las citas de ese día.",
    },
    "past": {"en": "Its time had already passed.", "es": "Su hora ya había pasado."},
    "quiet_hours": {
        "en": "Your quiet hours leave no time for it before the appointment.",
        "es": "Sus horas de silencio no dejan tiempo antes de la cita.",
    },
    "session_cancelled": {"en": "The appointment is canceled.", "es": "La cita se canceló."},
    "session_changed": {
        "en": "The appointment changed, and that is said instead.",
        "es": "La cita cambió, y se avisa de eso en su lugar.",
    },
    "not_in_session": {"en": "You no longer have this appointment.", "es": "Ya no tiene esta cita."},
    "not_attending": {"en": "You said that you are not attending.", "es": "Usted dijo que no asistirá."},
    "not_enrolled": {
        "en": "You are not in a program at that time.",
        "es": "No está en un programa en ese momento.",
    },
    "enrollment_paused": {"en": "Your program is paused.", "es": "Su programa está en pausa."},
    "account_not_active": {"en": "This account is not active.", "es": "Esta cuenta no está activa."},
    "paused_by_patient": {"en": "You paused reminders.", "es": "Usted pausó los recordatorios."},
    "no_channel": {"en": "You chose to get no reminders.", "es": "Usted eligió no recibir recordatorios."},
    "kind_off": {
        "en": "You turned off reminders of this kind.",
        "es": "Usted desactivó los recordatorios de este tipo.",
    },
    "check_in_sent": {"en": "You have already sent this check-in.", "es": "Ya envió este registro."},
    "not_wanted": {
        "en": "It is no longer one of your reminders.",
        "es": "Ya no es uno de sus recordatorios.",
    },
    "too_late": {"en": "It could not be sent in time.", "es": "No se pudo enviar a tiempo."},
    "refused": {"en": "It could not be delivered.", "es": "No se pudo entregar."},
    "undeliverable": {
        "en": "It could not be delivered, although it was tried many times.",
        "es": "No se pudo entregar, aunque se intentó muchas veces.",
    },
    "no_address": {
        "en": "There was nowhere to send it: no phone of yours was connected.",
        "es": "No había adónde enviarlo: ningún teléfono suyo estaba conectado.",
    },
    "sms_cap": {
        "en": "You had already received as many text messages as are sent in that time.",
        "es": "Ya había recibido todos los mensajes de texto que se envían en ese tiempo.",
    },
}


def why(reason: str, language: str) -> str:
    """The sentence in `language`, English where it is neither."""
    sentences = REASONS[reason]
    return sentences.get(language, sentences["en"])
