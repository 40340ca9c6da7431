"""The templates of the comparison, in both languages. Each takes names and values, never a bare judgment."""

LABELS = {
    "intensity": {"en": "Intensity", "es": "Intensidad"},
    "structure": {"en": "Structure", "es": "Estructura"},
    "supervision": {"en": "Supervision", "es": "Supervisión"},
    "frequency": {"en": "Days or sessions a week", "es": "Días o sesiones por semana"},
    "session_length": {"en": "Length of a day or session", "es": "Duración de un día o una sesión"},
    "hours_per_week": {"en": "Hours a week", "es": "Horas por semana"},
    "duration": {"en": "How long it lasts", "es": "Cuánto dura"},
    "therapies": {"en": "Therapies", "es": "Terapias"},
    "living": {"en": "Where you live", "es": "Dónde vive"},
    "hours_of_day": {"en": "Time of day", "es": "Horario"},
    "flexibility": {"en": "Flexibility", "es": "Flexibilidad"},
    "goal": {"en": "Goal", "es": "Meta"},
    "suits": {"en": "Who it suits", "es": "Para quién es"},
    "steps_from": {"en": "Comes after", "es": "Viene después de"},
    "steps_to": {"en": "Leads to", "es": "Lleva a"},
    "offered_here": {"en": "Offered here", "es": "Se ofrece aquí"},
}

NOT_STATED_FOR = {"en": "Not stated for {names}.", "es": "No se indica para {names}."}
STATED_FOR_NONE = {"en": "Not stated for any of them.", "es": "No se indica para ninguno."}
SAME = {"en": "The same in all of them: {text}.", "es": "Lo mismo en todos: {text}."}
ALONE = {"en": "{name}: {text}.", "es": "{name}: {text}."}

# What follows a name where a quality is said in a few words.
SAYS = {
    "structure": {"en": "{name} gives {text}", "es": "{name} ofrece {text}"},
    "supervision": {"en": "{name} has {text}", "es": "{name} tiene {text}"},
    "flexibility": {"en": "{name} offers {text}", "es": "{name} ofrece {text}"},
    "goal": {"en": "{name} aims at {text}", "es": "{name} busca {text}"},
    "suits": {"en": "{name} suits {text}", "es": "{name} es para {text}"},
    "living": {"en": "{name}: {text}", "es": "{name}: {text}"},
    "hours_of_day": {"en": "{name} has {text}", "es": "{name} tiene {text}"},
    "offered_here": {"en": "{name}: {text}", "es": "{name}: {text}"},
    "steps_from": {"en": "before {name} typically comes {text}", "es": "antes de {name} normalmente está {text}"},
    "steps_to": {"en": "after {name} typically comes {text}", "es": "después de {name} normalmente sigue {text}"},
}

# "More" of a quality that has an order.
MORE = {
    "intensity": {
        "en": "{name} is more intense than {others}.",
        "es": "{name} tiene mayor intensidad que {others}.",
    },
    "frequency": {
        "en": "{name} meets more often than {others}.",
        "es": "{name} tiene encuentros más frecuentes que {others}.",
    },
    "session_length": {
        "en": "{name} takes longer at a time than {others}.",
        "es": "{name} dura más cada vez que {others}.",
    },
    "hours_per_week": {
        "en": "{name} takes more hours a week than {others}.",
        "es": "{name} requiere más horas por semana que {others}.",
    },
}
MORE_BY = {"en": "{name} takes {text} more than {others}.", "es": "{name} requiere {text} más que {others}."}
OVERLAP = {"en": "The ranges of {names} overlap.", "es": "Los rangos de {names} coinciden en parte."}
ORDER_NOT_STATED = {
    "en": "Which of {names} is more intense is not stated.",
    "es": "No se indica cuál de {names} tiene mayor intensidad.",
}
UNITS_DIFFER = {
    "days": {"en": "{name} counts days", "es": "{name} cuenta días"},
    "sessions": {"en": "{name} counts sessions", "es": "{name} cuenta sesiones"},
}
USUAL_LENGTH = {"en": "{name} has a usual length ({text})", "es": "{name} tiene una duración habitual ({text})"}
NO_SET_END = {"en": "{name} is ongoing", "es": "{name} no tiene plazo fijo"}

THERAPY_IN = {"en": "in {names}", "es": "en {names}"}
THERAPY_CONDITIONAL = {"en": "in {name} {condition}", "es": "en {name} {condition}"}
THERAPY_NOT_STATED = {"en": "not stated for {names}", "es": "no se indica para {names}"}
