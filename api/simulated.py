"""The demo patient's own phone, for whoever tries out texts in development: it answers as a carrier would hand in."""

import secrets
import urllib.parse
import urllib.request
from xml.etree import ElementTree

from api import config, demo_contacts
from api.messages import signatures


def answer(settings: config.Config, words: str) -> str:
    """Let the demo patient text `words`; gives what is answered, or that nothing is. Raises `config.Misconfigured`."""
    sms = settings.carriers.sms
    if not (settings.development and sms):
        raise config.Misconfigured("A simulated text is for development, with SMS_ACCOUNT and SMS_TOKEN set.")
    url = f"{settings.public_url}/hooks/sms"
    form = {"MessageSid": f"SM{secrets.token_hex(16)}", "From": demo_contacts.NUMBER, "To": sms.sender, "Body": words}
    signed = signatures.signature(sms.signing_token, url, form.items())
    return _said(_posted(url, form, signed))


def _posted(url: str, form: dict[str, str], signed: str) -> bytes:
    headers = {signatures.HEADER: signed, "Content-Type": "application/x-www-form-urlencoded"}
    request = urllib.request.Request(url, urllib.parse.urlencode(form).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answered:  # noqa: S310
        said: bytes = answered.read()
    return said


def _said(twiml: bytes) -> str:
    """The message in an answer of our own server."""
    message = ElementTree.fromstring(twiml).find("Message")  # noqa: S314
    return message.text or "" if message is not None else "(nothing is answered)"
