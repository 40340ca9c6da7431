"""Patients' door to where texts and mail go."""

from typing import Any

from api import answering, clock, language
from api.blueprint import Door
from api.messages import codes, mail_addresses, numbers, phones, showing
from schemas.messages import ContactCodeAsk, EmailAnswer, EmailAsk, PhoneAnswer, PhoneAsk, TextConsentAsk

door = Door("contacts", kind="patient", tag="Contact")


@door.get("/phone", operation="getMyPhone", scope="me:read", summary="Where texts go")
@door.answers(PhoneAnswer)
def get_my_phone() -> dict[str, Any]:
    """The number, why texts are off if they are, and the words to agree to before they are on."""
    return _phone()


@door.put(
    "/phone",
    operation="putMyPhone",
    scope="me:write",
    summary="Choose a number",
    refusals=(numbers.NotATextNumber, codes.TooManyCodes),
)
@door.asks(PhoneAsk)
@door.answers(PhoneAnswer)
def put_my_phone(asked: dict[str, Any]) -> dict[str, Any]:
    """A text with a code goes to a number that is not confirmed; the same number again is asked for a new code. Another
    number begins without confirmation and consent."""
    phones.choose(patient_id=answering.patient_id(), number=asked["number"], at=clock.now())
    return _phone()


@door.delete("/phone", operation="deleteMyPhone", scope="me:write", summary="No number any more")
@door.answers(None, status=204)
def delete_my_phone() -> None:
    """Texts end at once. That consent was given, when and to which words, stays on record."""
    phones.remove(patient_id=answering.patient_id(), at=clock.now())


@door.post(
    "/phone/confirmation",
    operation="confirmMyPhone",
    scope="me:write",
    summary="The code that came by text",
    refusals=(phones.NoNumber, codes.WrongCode),
)
@door.asks(ContactCodeAsk)
@door.answers(PhoneAnswer)
def confirm_my_phone(asked: dict[str, Any]) -> dict[str, Any]:
    """A code lives ten minutes and stands five wrong tries. Confirming a confirmed number changes nothing."""
    phones.confirm(patient_id=answering.patient_id(), code=asked["code"], at=clock.now())
    return _phone()


@door.post(
    "/phone/consent",
    operation="consentToTexts",
    scope="me:write",
    summary="Agree to texts",
    refusals=(phones.NoNumber, phones.ConsentTextChanged),
)
@door.asks(TextConsentAsk)
@door.answers(PhoneAnswer)
def consent_to_texts(asked: dict[str, Any]) -> dict[str, Any]:
    """Prior express consent, recorded with its time and the words that were read. Takes a STOP back. Again is once."""
    whose = answering.patient_id()
    phones.consent(patient_id=whose, text_id=asked["text_id"], language=asked["language"], at=clock.now())
    return _phone()


@door.get("/email", operation="getMyEmail", scope="me:read", summary="Where mail goes")
@door.answers(EmailAnswer)
def get_my_email() -> dict[str, Any]:
    """The address, and why mail is off if it is."""
    return showing.email(patient_id=answering.patient_id())


@door.put(
    "/email",
    operation="putMyEmail",
    scope="me:write",
    summary="Choose an address",
    refusals=(mail_addresses.NotAMailAddress, codes.TooManyCodes),
)
@door.asks(EmailAsk)
@door.answers(EmailAnswer)
def put_my_email(asked: dict[str, Any]) -> dict[str, Any]:
    """A mail with a code goes to an address that is not confirmed; the same address again is asked for a new code."""
    mail_addresses.choose(patient_id=answering.patient_id(), address=asked["address"], at=clock.now())
    return showing.email(patient_id=answering.patient_id())


@door.delete("/email", operation="deleteMyEmail", scope="me:write", summary="No address any more")
@door.answers(None, status=204)
def delete_my_email() -> None:
    """Mail ends at once."""
    mail_addresses.remove(patient_id=answering.patient_id(), at=clock.now())


@door.post(
    "/email/confirmation",
    operation="confirmMyEmail",
    scope="me:write",
    summary="The code that came by mail",
    refusals=(mail_addresses.NoMailAddress, codes.WrongCode),
)
@door.asks(ContactCodeAsk)
@door.answers(EmailAnswer)
def confirm_my_email(asked: dict[str, Any]) -> dict[str, Any]:
    """A code lives ten minutes and stands five wrong tries. Confirming a confirmed address changes nothing."""
    mail_addresses.confirm(patient_id=answering.patient_id(), code=asked["code"], at=clock.now())
    return showing.email(patient_id=answering.patient_id())


def _phone() -> dict[str, Any]:
    found = showing.phone(patient_id=answering.patient_id())
    return found | showing.consent_text(language.chosen())
