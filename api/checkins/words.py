"""What is said around an instrument and an answer: the clinic's own words, in both languages.

Never more than is true: nobody watches, and when somebody looks is said by crisis help as far as it is known.
"""

WHO_SEES = {
    "en": "Your care team at the clinic sees your answers, and they become part of your record. Nobody outside the"
    " clinic sees them unless you agree or the law requires it. Answers and scores are never released to a partner,"
    " whatever you permit it to know. Answers are not read live.",
    "es": "Su equipo de atención en la clínica ve sus respuestas y pasan a formar parte de su expediente. Nadie fuera"
    " de la clínica las ve, salvo que usted lo autorice o la ley lo exija. Las respuestas y los puntajes nunca se"
    " entregan a un socio, por mucho que usted le permita saber. Las respuestas no se leen al momento.",
}
TOGETHER = {
    "en": "Your team will look at this with you.",
    "es": "Su equipo verá esto con usted.",
}
NO_TOTAL = {
    "en": "Some questions were left out, so there is no number. That is all right.",
    "es": "Quedaron preguntas sin responder, así que no hay un número. No pasa nada.",
}
TOLD = {
    "en": "Because of one of your answers, a message goes to the clinic's duty staff now.",
    "es": "Por una de sus respuestas, se envía ahora un mensaje al personal de guardia de la clínica.",
}
NO_SCORE = {
    "en": "There is no score. Each answer stands for itself.",
    "es": "No hay puntaje. Cada respuesta vale por sí misma.",
}
SUM_OF_ITEMS = {
    "en": "The number is the sum of the answers. Where one of them is missing there is no number.",
    "es": "El número es la suma de las respuestas. Si falta alguna, no hay número.",
}
