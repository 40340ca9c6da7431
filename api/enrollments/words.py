"""What a patient reads about a level of care: plain words for states and moments, never a reason, never a countdown.

Spanish sentences put a program's name after a colon, because its grammatical gender is not known here.
"""

STATUS = {
    "none": {
        "en": "You are not in a program here at the moment.",
        "es": "En este momento usted no está en un programa aquí.",
    },
    "planned": {
        "en": "You have a place in the {name}. It begins on the date shown.",
        "es": "Usted tiene un lugar en este nivel de atención: {name}. Comienza en la fecha indicada.",
    },
    "active": {
        "en": "You are in the {name}.",
        "es": "Usted está en este nivel de atención: {name}.",
    },
    "paused": {
        "en": "Your time in the {name} is paused. Your team will talk with you about when it goes on.",
        "es": "Este nivel de atención está en pausa: {name}. Su equipo hablará con usted sobre cuándo sigue.",
    },
    "ended": {
        "en": "Your time in the {name} has ended. All that you see here stays yours to read.",
        "es": "Su tiempo en este nivel de atención terminó: {name}. Puede seguir leyendo todo lo que ve aquí.",
    },
}
MOMENTS = {
    "started": {
        "en": "You started the {name}.",
        "es": "Usted comenzó este nivel de atención: {name}.",
    },
    "planned": {
        "en": "You have a place in the {name} from this day on.",
        "es": "Desde este día usted tiene un lugar en este nivel de atención: {name}.",
    },
    "moved": {
        "en": "You moved from the {before} to the {name}.",
        "es": "Usted pasó de un nivel de atención a otro: de {before} a {name}.",
    },
    "paused": {"en": "Your program was paused.", "es": "Su programa quedó en pausa."},
    "resumed": {"en": "Your program went on.", "es": "Su programa continuó."},
    "ended": {
        "en": "Your time in the {name} ended.",
        "es": "Terminó su tiempo en este nivel de atención: {name}.",
    },
}
FOLLOWS = {
    "en": "What typically follows is the {names}. You and your team decide together whether and when; no date is set.",
    "es": (
        "Lo que suele seguir: {names}. Usted y su equipo deciden juntos si ese paso es adecuado y cuándo; no hay una "
        "fecha fijada."
    ),
}
NOTHING_FOLLOWS = {
    "en": "No further level typically follows. You and your team decide together how long it goes on.",
    "es": "No suele seguir otro nivel. Usted y su equipo deciden juntos cuánto tiempo continúa.",
}
WAY_BACK = {
    "en": "If you want to start, or to come back, contact the clinic. You need no reason, and you are welcome.",
    "es": "Si quiere comenzar o volver, comuníquese con la clínica. No necesita un motivo: será bienvenida su llamada.",
}
CONTACT = {
    "en": "For questions about your care, contact the clinic.",
    "es": "Si tiene preguntas sobre su atención, comuníquese con la clínica.",
}
