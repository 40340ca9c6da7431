"""The text gateway's own door: texts that come in, and what became of those that went out.

Nothing is believed without the gateway's signature. Each text is met in several short transactions: one as the holder
of the number, one as each patient who uses it, one as the holder again; the answer goes out in the response (TwiML), so
nothing has to be sent. The door is no part of the contract: its form is the gateway's.
"""

from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from flask import Blueprint, Response, current_app, g, request

from api import audit, body, clock, config, db, errors, events, observe, throttle
from api.blueprint import PREFIXES
from api.messages import gsm7, inbound, meaning, numbers, phones, signatures, sms_reports, wording
from api.messages.events import DeliveryReported

hooks = Blueprint("hooks", __name__, url_prefix=PREFIXES["provider"])

FORM = "application/x-www-form-urlencoded"
MOST_PARAMETERS = 100
LONGEST_SID = 64
Form = dict[str, str]


class NotSigned(errors.Forbidden):
    title = "Not signed"
    detail = "This address answers to the text gateway alone."
    title_es = "Sin firma"
    detail_es = "Esta dirección solo responde al proveedor de mensajes."


@hooks.post("/sms")
def text_came_in() -> Response:
    """A text from somebody's phone. Again is once: the gateway's id of it decides."""
    g.operation = "receiveText"
    form = _signed_form()
    sid, number = form.get("MessageSid", ""), form.get("From", "")
    if not 0 < len(sid) <= LONGEST_SID or not number:
        raise errors.BadRequest
    text = inbound.Text(sid, _e164(number), meaning.of(form.get("Body", "")))
    return _twiml(_met(text))


@hooks.post("/sms/status")
def text_went_out() -> Response:
    """What became of a text of ours. Reports repeat and come out of order; whoever hears them puts up with that."""
    g.operation = "reportText"
    form = _signed_form()
    sid, code, at = form.get("MessageSid", ""), form.get("ErrorCode", ""), clock.now()
    if not 0 < len(sid) <= LONGEST_SID:
        raise errors.BadRequest
    status = sms_reports.reported(form.get("MessageStatus", ""))
    reason = code if code.isdecimal() and len(code) < 10 else ""
    # One transaction each: whose number it is now need not be whose message it was.
    if status == "failed" and (reason in sms_reports.GONE or reason == sms_reports.OPTED_OUT):
        with db.transaction(db.WORKER):
            phones.bounced(number=_e164(form.get("To", "")), reason=reason, at=at)
    with db.transaction(db.WORKER):
        events.announce(DeliveryReported("sms", sid, status, reason, at))
    return Response(status=204)


def _met(text: inbound.Text) -> str | None:
    """Act for everybody who uses the number; gives what to answer with."""
    holder = db.Caller(kind="holder", presented=text.index)
    with db.transaction(holder):
        kept, users = inbound.kept(text.sid), inbound.users()
    if kept is None:
        users = [_known(one, text) for one in users]
        sentence = inbound.answer(text, _said(text, users))
        with db.transaction(holder):
            kept = inbound.keep(text, sentence, users=users, at=clock.now())
    return wording.said(kept.answer, kept.language) if kept.answer else None


def _known(user: inbound.User, text: inbound.Text) -> inbound.User:
    with db.transaction(_as(user)):
        return inbound.known(user, text, at=clock.now())


def _said(text: inbound.Text, users: list[inbound.User]) -> list[str]:
    """What each one's part came to, where it came to something."""
    shared, answering = sum(one.confirmed for one in users) > 1, inbound.answering(text, users)
    acted = (_acted(one, text, shared=shared, answers=one.patient_id == answering) for one in users)
    return [one for one in acted if one]


def _acted(user: inbound.User, text: inbound.Text, *, shared: bool, answers: bool) -> str | None:
    try:
        with db.transaction(_as(user)):
            said = inbound.act(user=user, text=text, shared=shared, answers=answers, at=clock.now())
            audit.record(_as(user), operation=g.operation, action="update", request_id=observe.note().request_id)
            return said
    except errors.Conflict:
        return "changed"
    except errors.NotFound:
        return "nothing_to_answer"


def _as(user: inbound.User) -> db.Caller:
    return db.Caller(kind="patient", patient_id=user.patient_id)


def _signed_form() -> Form:
    """The form, once it is known to be the gateway's. Raises `NotSigned`, `errors.TooManyRequests`."""
    settings: config.Config = current_app.settings  # type: ignore[attr-defined]
    arrivals: body.Arrivals = current_app.extensions["arrivals"]
    arrivals.wait_for(request)
    pairs = _pairs()
    given, url = request.headers.get(signatures.HEADER, ""), settings.public_url + request.path
    known = settings.carriers.sms
    if not known or not signatures.is_right(given, token=known.signing_token, url=url, form=pairs):
        _spend_strangers()
        raise NotSigned
    return dict(pairs)


def _pairs() -> list[tuple[str, str]]:
    if request.mimetype != FORM or request.query_string:
        return []
    try:
        raw = request.get_data(cache=True).decode()
        return parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return []


def _spend_strangers() -> None:
    quota: throttle.Throttle = current_app.extensions["throttle"]
    note = observe.note()
    note.headers = [*note.headers, *quota.spend(request.remote_addr or "")]


def _e164(number: str) -> str:
    """As numbers are kept; what is none of those that texts go to stays as it came, and leads to nobody."""
    try:
        return numbers.parsed(number)
    except numbers.NotATextNumber:
        return number[:32]


def _twiml(sentence: str | None) -> Response:
    told = f"<Message>{escape(gsm7.transliterate(sentence))}</Message>" if sentence else ""
    answer = f'<?xml version="1.0" encoding="UTF-8"?><Response>{told}</Response>'
    return Response(answer, mimetype="text/xml")
