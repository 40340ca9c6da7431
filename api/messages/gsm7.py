"""GSM 7-bit: the alphabet in which 160 characters are one text (3GPP TS 23.038 §6.2.1).

One character outside of it turns the whole text into UCS-2, of which 70 fit; so what is not in it is written as near
to it as it can be: "mañana" stays, "está" becomes "esta".
"""

import unicodedata

LONGEST = 160
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# These take two septets: an escape and themselves.
EXTENDED = frozenset("\f^{}\\[~]|€")
INSTEAD = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "«": '"',
        "»": '"',
        "\u2010": "-",
        "\u2011": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2026": "...",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\t": " ",
        "·": ".",
        "`": "'",
        "ª": "a",
        "º": "o",
    }
)
UNKNOWN = "?"


def transliterate(text: str) -> str:
    """`text` in the alphabet; what has no likeness there becomes a question mark."""
    composed = unicodedata.normalize("NFC", text).translate(INSTEAD)
    return "".join(char if char in BASIC or char in EXTENDED else _likeness(char) for char in composed)


def septets(text: str) -> int:
    """How much of the 160 a text in the alphabet takes. Raises ValueError for one that is not in it."""
    if any(char not in BASIC and char not in EXTENDED for char in text):
        raise ValueError("not in the alphabet")
    return len(text) + sum(char in EXTENDED for char in text)


def _likeness(char: str) -> str:
    bare = "".join(one for one in unicodedata.normalize("NFKD", char) if not unicodedata.combining(one))
    return bare if bare and all(one in BASIC or one in EXTENDED for one in bare) else UNKNOWN
