"""What a text that came in means. Its words are read once, here, and neither kept nor logged.

STOP and its like are those of 47 CFR 64.1200(a)(10) and of the carriers, in English and Spanish, with "any reasonable
means" beside them: a sentence that asks for the texts to end ends them. CANCEL is one of them, so it can never cancel
an appointment: digits answer. A word of crisis is looked for in every text, whatever else it means, and a STOP beside
it still counts: a keyword by itself, or such a sentence. That list is short on purpose and is no screening: it needs
the clinic's confirmation before anybody relies on it.
"""

import re
import unicodedata
from dataclasses import dataclass

STOP = frozenset(
    (
        *("stop", "stop all", "stopall", "quit", "end", "revoke", "opt out", "optout", "cancel", "unsubscribe"),
        *("alto", "parar", "pare", "baja", "darse de baja", "cancelar", "detener"),
    )
)
START = frozenset(("start", "unstop", "resume", "iniciar", "empezar", "reanudar"))
HELP = frozenset(("help", "info", "ayuda"))
ANSWERS = {"1": "confirmed", "2": "declined"}
# A text may ask in a sentence; each of these stands anywhere in it.
ASKS_TO_STOP = re.compile(
    r"\b(stop (texting|messaging|sending|contacting)|no more (texts?|messages?)|(do not|dont) (text|message|contact) me"
    r"|remove me|take me off|leave me alone|opt me out|unsubscribe me"
    r"|no me (escriban?|manden?|envien?)|no mas mensajes|deje(n)? de (escribir|mandar|enviar)\w*)\b"
)
WRONG = re.compile(
    r"\b(wrong (number|person|phone)|not my number|(do not|dont) know (that|this) person|you have the wrong"
    r"|numero (equivocado|incorrecto)|persona equivocada|no soy esa persona|se equivoco de numero)\b"
)
CRISIS = re.compile(
    r"\b(suicid\w*|kill (myself|me)|end (my life|it all)|want to die|wanna die|hurt myself|harm myself|self harm"
    r"|overdos\w*|better off dead|not safe"
    r"|matarme|quitar(me)? la vida|quiero morir\w*|hacerme dano|lastimarme|sobredosis"
    r"|no quiero vivir|no estoy a salvo)\b"
)
# Those words with whoever speaks before them: "STOP, I am not safe".
SAID_OF_ONESELF = re.compile(rf"\b((i|im|am|will|ill|gonna|yo) )*{CRISIS.pattern}")
SPANISH = frozenset(
    (
        *("alto", "parar", "pare", "baja", "darse de baja", "cancelar", "detener"),
        *("iniciar", "empezar", "reanudar", "ayuda"),
    )
)
# "Stop please", "please stop": a keyword among so few words is meant.
FEW = 3


@dataclass(frozen=True, slots=True)
class Meaning:
    """`kind`: stop, start, help, confirmed, declined, wrong_number or other. `language` is None where the words do not
    tell."""

    kind: str
    crisis: bool = False
    language: str | None = None


def of(body: str) -> Meaning:
    """Pure; never raises."""
    said = _folded(body)
    crisis = bool(CRISIS.search(said))
    return Meaning(_beside(said) if crisis else _kind(said), crisis, "es" if said in SPANISH else None)


def _beside(said: str) -> str:
    """Whether a text with words of crisis asks for an end of texts as well: in a sentence, or by a keyword that is all
    there is beside them. A few words more may say of something else that it should stop, or that it cannot."""
    if " ".join(SAID_OF_ONESELF.sub(" ", said).split()) in STOP:
        return "stop"
    return _asked(said)


def _kind(said: str) -> str:
    if said in ANSWERS:
        return ANSWERS[said]
    for kind, words in (("stop", STOP), ("start", START), ("help", HELP)):
        if said in words:
            return kind
    return "stop" if _few_with_a_keyword(said.split()) else _asked(said)


def _few_with_a_keyword(words: list[str]) -> bool:
    return 0 < len(words) <= FEW and bool({words[0], words[-1]} & {"stop", "unsubscribe", "quit"})


def _asked(said: str) -> str:
    """What a sentence asks for, whatever else is in it."""
    if ASKS_TO_STOP.search(said):
        return "stop"
    return "wrong_number" if WRONG.search(said) else "other"


def _folded(body: str) -> str:
    """Lower case, without accents and punctuation, single spaces."""
    bare = unicodedata.normalize("NFKD", body.replace("'", "").replace("\u2019", "")).casefold()
    kept = "".join(char if char.isalnum() else " " for char in bare if not unicodedata.combining(char))
    return " ".join(kept.split())
