"""Which passwords are accepted, after NIST SP 800-63B-4 §3.1.1.2 for one that is used with a second factor only.

Length is the only rule of form: no mixtures are asked for, nothing runs out. What an attacker tries first is refused:
the 30,000 most common passwords as zxcvbn keeps them (drawn from the Xato corpus of ten million leaked passwords by
Mark Burnett), the clinic's own words, and the sign-in name. The whole password is compared, whatever its case.
"""

import functools
import importlib.util
import re
import unicodedata
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from api import errors

FEWEST = 8
MOST = 256
# A composed character may be typed as up to four; longer input is not normalised, which takes the square of its length.
MOST_TYPED = 4 * MOST
EXPECTED = ("trinity", "continuum", "wellness")


class PasswordRefused(errors.Unprocessable):
    """`reason` is a key of `GUIDANCE`."""

    title = "Please choose another password"
    detail = "Please choose another password: a few words that only you would put together work well."
    title_es = "Elija otra contraseña"
    detail_es = "Elija otra contraseña: unas pocas palabras que solo usted combinaría funcionan bien."


GUIDANCE = {
    "too_short": (
        f"Please use at least {FEWEST} characters. A few words that only you would put together work well.",
        f"Use al menos {FEWEST} caracteres. Unas pocas palabras que solo usted combinaría funcionan bien.",
    ),
    "too_long": (
        f"Please use at most {MOST} characters.",
        f"Use como máximo {MOST} caracteres.",
    ),
    "too_common": (
        "Many people use this password, so it is tried first. A few words that only you would put together work well.",
        "Muchas personas usan esta contraseña, por eso es de las primeras que se prueban."
        " Unas pocas palabras que solo usted combinaría funcionan bien.",
    ),
    "like_the_name": (
        "This is your sign-in name, or close to it. A few words that only you would put together work well.",
        "Es su nombre de acceso, o se le parece. Unas pocas palabras que solo usted combinaría funcionan bien.",
    ),
}


def normalised(password: str) -> str:
    """The password as it is hashed: composed (NFC), so that two keyboards type the same one. Never shortened."""
    return unicodedata.normalize("NFC", password) if len(password) <= MOST_TYPED else password


def accepted(password: str, *, name: str) -> str:
    """The normalised password. Raises `PasswordRefused`, which says why and what would do."""
    chosen = normalised(password)
    if reason := _reason(chosen, name):
        detail, detail_es = GUIDANCE[reason]
        raise PasswordRefused(detail, detail_es=detail_es, extra={"reason": reason})
    return chosen


def _reason(password: str, name: str) -> str | None:
    """Each code point counts as one character (§3.1.1.2)."""
    if len(password) < FEWEST:
        return "too_short"
    if len(password) > MOST:
        return "too_long"
    folded = password.casefold()
    if _made_of(folded, name.casefold()):
        return "like_the_name"
    return "too_common" if folded in _common() or len(set(folded)) == 1 or _made_of(folded, *EXPECTED) else None


def _made_of(password: str, *words: str) -> bool:
    """Whether it is nothing but these words, once or repeated, however joined, with a year or so behind them."""
    bare = [word for word in map(_bare, words) if word]
    return bool(bare) and re.fullmatch(f"(?:{'|'.join(bare)})+[0-9]{{0,4}}", _bare(password)) is not None


def _bare(text: str) -> str:
    """Its letters and digits: nothing that a pattern would take for more than itself."""
    return re.sub(r"[\W_]+", "", text)


@functools.cache
def _common() -> frozenset[str]:
    """The common passwords that are long enough, read at the first need.

    The list's file is read by itself: importing it would keep its five other lists, and their rankings, in memory.
    """
    package = importlib.util.find_spec("zxcvbn")
    assert package and package.origin
    return frozenset(word for word in _lists(Path(package.origin))["passwords"] if len(word) >= FEWEST)


def _lists(package: Path) -> dict[str, list[str]]:
    file = package.with_name("frequency_lists.py")
    loader = SourceFileLoader(file.stem, str(file))
    module = ModuleType(loader.name)
    loader.exec_module(module)
    lists: dict[str, list[str]] = module.FREQUENCY_LISTS
    return lists
