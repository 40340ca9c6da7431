"""Texts by a gateway that speaks as Twilio does: one form for each text, under the account's name and token.

Such gateways know no idempotency key: what was sent twice arrives twice, so whoever sends goes one by one. A text that
is not in the GSM alphabet would cost more and be cut; it is transliterated, and one that is too long is never sent.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from api import carriers
from api.messages import gsm7
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY, Address, Message, Outcome

CONNECT_SECONDS, TOTAL_SECONDS = 3.0, 10.0
# How long the gateway may hold a text back (seconds): less than the least is as good as expired, more is not allowed.
LEAST_VALID, MOST_VALID = 1, 14_400
JUST_NOW = timedelta(seconds=3 * TOTAL_SECONDS)
STATUS_PATH = "/hooks/sms/status"
# The gateway's own codes. Whatever is not here is refused for good when it came with a 4xx.
BY_CODE = {
    "20003": MISCONFIGURED,  # the account or its token is wrong
    "20404": MISCONFIGURED,  # no such account
    "20429": RETRY,  # too many requests
    "21211": DEAD,  # not a number
    "21408": REFUSED,  # this account may not send to that country
    "21603": MISCONFIGURED,  # no sender
    "21606": MISCONFIGURED,  # the sender is not this account's
    "21610": DEAD,  # the number has opted out
    "21611": RETRY,  # the sender's queue is full
    "21612": REFUSED,  # no way leads from this sender to that number
    "21614": DEAD,  # not a mobile number
    "21659": MISCONFIGURED,  # the sender is not this account's
}
BY_STATUS = {401: MISCONFIGURED, 403: MISCONFIGURED, 404: MISCONFIGURED, 408: RETRY, 429: RETRY}


class Texts:
    """The carrier `sms`. `now` tells the domain's time, by which texts expire. Safe to share between threads."""

    name = "sms"

    def __init__(self, settings: carriers.Sms, *, public_url: str, now: Callable[[], datetime]) -> None:
        self._settings, self._public_url, self._now = settings, public_url, now
        self._path = f"{settings.url}/2010-04-01/Accounts/{settings.account}/Messages.json"
        self._client = httpx.Client(
            auth=(settings.account, settings.token),
            timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
        )

    def send(self, message: Message, address: Address) -> Outcome:
        """Raises `httpx.HTTPError` where it cannot be told whether the text was taken."""
        body = gsm7.transliterate(message.text)
        if gsm7.septets(body) > gsm7.LONGEST:
            return Outcome(REFUSED, "too_long")
        valid = self._valid_seconds(message)
        if valid is not None and valid < LEAST_VALID:
            return Outcome(REFUSED, "expired")
        form = self._form(address.target, body, valid)
        try:
            return _outcome(self._client.post(self._path, data=form))
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise
        except httpx.TransportError:
            sid = self._taken_just_now(form)
            if sid is None:
                raise
            return Outcome(ACCEPTED, provider_id=sid)

    def close(self) -> None:
        self._client.close()

    def _taken_just_now(self, form: Mapping[str, str]) -> str | None:
        """The id of a text that the gateway took although its answer was lost: the same words to the same number, since
        a moment by the gateway's own clock. Such a text is not sent again."""
        answer = self._client.get(self._path, params={"To": form["To"], "PageSize": "20"})
        since = (_instant(answer.headers.get("Date")) or self._now()) - JUST_NOW
        listed = _members(answer).get("messages")
        for one in listed if isinstance(listed, list) else ():
            created = _instant(one.get("date_created"))
            if one.get("body") == form["Body"] and created and created >= since:
                return str(one.get("sid"))
        return None

    def _form(self, number: str, body: str, valid: int | None) -> dict[str, str]:
        sender = "MessagingServiceSid" if self._settings.sender.startswith("MG") else "From"
        return {
            "To": number,
            sender: self._settings.sender,
            "Body": body,
            "StatusCallback": self._public_url + STATUS_PATH,
            **({"ValidityPeriod": str(valid)} if valid is not None else {}),
        }

    def _valid_seconds(self, message: Message) -> int | None:
        if message.expires_at is None:
            return None
        return min(int((message.expires_at - self._now()).total_seconds()), MOST_VALID)


def _outcome(answer: httpx.Response) -> Outcome:
    told = _members(answer)
    if answer.is_success:
        sid = told.get("sid")
        return Outcome(ACCEPTED, provider_id=sid if isinstance(sid, str) else None)
    code = str(told.get("code") or answer.status_code)
    verdict = BY_CODE.get(code) or BY_STATUS.get(answer.status_code) or (REFUSED if answer.is_client_error else RETRY)
    return Outcome(verdict, code, retry_after=_seconds(answer.headers) if verdict == RETRY else None)


def _instant(text: str | None) -> datetime | None:
    """An instant as HTTP and the gateway write it (RFC 9110 §5.6.7)."""
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


def _members(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _seconds(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds (RFC 9110 §10.2.3); a date is what no gateway of this kind sends."""
    asked = headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() and len(asked) < 7 else None
