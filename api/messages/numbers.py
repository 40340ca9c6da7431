"""Which phone numbers texts can go to.

Only numbers of the United States and its territories: other countries of +1 cost many times as much, and are what
somebody who wants the clinic to pay for texts would ask for. Whether a number is a mobile one cannot be told by its
digits there; the code that it has to answer tells.
"""

import phonenumbers
from phonenumbers import PhoneNumberType

from api import errors

HOME = "US"
REGIONS = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})
REACHED = frozenset({PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.MOBILE})


class NotATextNumber(errors.Invalid):
    """`errors` names the member."""

    slug = "not-a-text-number"
    title = "Texts cannot go to this number"
    detail = "This is not a mobile number of the United States. Please check it."
    title_es = "A este número no se pueden enviar mensajes"
    detail_es = "Este no es un número móvil de los Estados Unidos. Revíselo."

    def __init__(self) -> None:
        super().__init__([("/number", "Must be a mobile number of the United States.")])


def parsed(text: str) -> str:
    """The number in E.164, however it was written. Raises `NotATextNumber`."""
    try:
        number = phonenumbers.parse(text, HOME)
    except phonenumbers.NumberParseException:
        raise NotATextNumber from None
    reachable = phonenumbers.region_code_for_number(number) in REGIONS and not number.extension
    if not (reachable and phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in REACHED):
        raise NotATextNumber
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
