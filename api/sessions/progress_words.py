"""How a week of treatment is told to the patient: what was there, never what was missing."""

from api.sessions.dose import Week

INTRODUCTION = {
    "none": {
        "en": "Once you are in a program here, your weeks are shown here.",
        "es": "Cuando usted esté en un programa aquí, sus semanas se verán en este lugar.",
    },
    "planned": {
        "en": "Your weeks are shown here once your program has begun.",
        "es": "Sus semanas se verán aquí cuando su programa haya comenzado.",
    },
    "active": {
        "en": "These are your weeks. Every hour you take part counts, and your team is glad to see you.",
        "es": "Estas son sus semanas. Cada hora en la que participa cuenta, y a su equipo le alegra verle.",
    },
    "paused": {
        "en": "Your program is paused. Your weeks so far stay with you, and your team is there for you.",
        "es": "Su programa está en pausa. Sus semanas hasta ahora siguen siendo suyas, y su equipo está para usted.",
    },
    "ended": {
        "en": "These were your weeks. All that you did in them stays yours.",
        "es": "Estas fueron sus semanas. Todo lo que hizo en ellas sigue siendo suyo.",
    },
}
THERE = {"en": "You took part for {time}.", "es": "Usted participó {time}."}
THERE_NOW = {"en": "You have taken part for {time} this week so far.", "es": "Esta semana ha participado {time}."}
SAID = {
    "en": "You told us of {time}; the clinic has yet to record it.",
    "es": "Usted nos informó de {time}; la clínica aún debe registrarlo.",
}
NOTHING_PLANNED = {
    "en": "No sessions were planned for you in this week.",
    "es": "En esta semana no había sesiones previstas para usted.",
}
NOTHING_PLANNED_NOW = {
    "en": "No sessions are planned for you this week.",
    "es": "Esta semana no hay sesiones previstas para usted.",
}
NOTHING_YET = {
    "en": "Your sessions of this week are in the app. You are welcome whenever you come.",
    "es": "Sus sesiones de esta semana están en la aplicación. Usted es bienvenido o bienvenida siempre que venga.",
}
NOTHING_RECORDED = {
    "en": "Weeks differ, and each new one is a chance. If something made it hard to come, your team can help.",
    "es": "No todas las semanas son iguales, y cada una es una oportunidad. Si algo le hizo difícil venir, su equipo "
    "puede ayudar.",
}
UNITS = {"en": (("hour", "hours"), ("minute", "minutes")), "es": (("hora", "horas"), ("minuto", "minutos"))}
AND = {"en": " and ", "es": " y "}


def of(week: Week, *, current: bool, language: str) -> str:
    """The week in a sentence or two."""
    said = []
    if week.attended:
        said.append((THERE_NOW if current else THERE)[language].format(time=time(week.attended, language)))
    if week.attested:
        said.append(SAID[language].format(time=time(week.attested, language)))
    return " ".join(said) or _nothing(week, current=current)[language]


def time(minutes: int, language: str) -> str:
    """Minutes as a person says them: "1 hour and 30 minutes"."""
    parts = zip(divmod(minutes, 60), UNITS[language], strict=True)
    return AND[language].join(f"{count} {noun[count != 1]}" for count, noun in parts if count)


def _nothing(week: Week, *, current: bool) -> dict[str, str]:
    if not week.scheduled and not week.excused:
        return NOTHING_PLANNED_NOW if current else NOTHING_PLANNED
    return NOTHING_YET if current else NOTHING_RECORDED
