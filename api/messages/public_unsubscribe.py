"""Anyone's door to ending e-mail: whoever holds the address in a mail may, without signing in (RFC 8058).

Looking changes nothing, since mail programs and scanners open every address they find; pressing the button, or the mail
program's one request, does. The answer is the same whatever was presented, so it tells nobody who gets mail.
"""

from flask import Blueprint, Response, current_app, g, make_response, render_template, request

from api import audit, clock, db, language, observe, throttle
from api.messages import mail_addresses

unsubscribing = Blueprint("unsubscribing", __name__, template_folder="../templates")

LONGEST_SECRET = 64
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
WORDS = {
    "en": {
        "title": "E-mail",
        "ask": "Do you want to get no more e-mails?",
        "button": "End e-mails",
        "done": "You will get no more e-mails.",
        "again": "You can turn them on again in the app.",
    },
    "es": {
        "title": "Correo electrónico",
        "ask": "¿Desea no recibir más correos?",
        "button": "No recibir más correos",
        "done": "No recibirá más correos.",
        "again": "Puede volver a activarlos en la aplicación.",
    },
}


@unsubscribing.get("/unsubscribe/<secret>")
def ask(secret: str) -> Response:
    """A page with a button."""
    _spend()
    return _page(done=False)


@unsubscribing.post("/unsubscribe/<secret>")
def end(secret: str) -> Response:
    """The end, of which a second one changes nothing."""
    _spend()
    if len(secret) <= LONGEST_SECRET and (presented := mail_addresses.presented(secret)):
        _end(presented)
    return _page(done=True)


def _end(presented: bytes) -> None:
    with db.transaction(db.Caller(kind="holder", presented=presented)):
        patient_id = mail_addresses.held()
        if patient_id is None:
            return
        caller = db.Caller(kind="patient", patient_id=patient_id)
        db.become(caller)
        mail_addresses.stop(patient_id=patient_id, at=clock.now())
        audit.record(caller, operation="unsubscribe", action="update", request_id=observe.note().request_id)


def _spend() -> None:
    g.operation = "unsubscribe"
    quota: throttle.Throttle = current_app.extensions["throttle"]
    note = observe.note()
    note.headers = [*note.headers, *quota.spend(request.remote_addr or "")]


def _page(*, done: bool) -> Response:
    spoken = language.accepted()
    page = make_response(render_template("unsubscribe.html", done=done, spoken=spoken, words=WORDS[spoken]))
    page.headers["Content-Language"] = spoken
    page.headers["Content-Security-Policy"] = POLICY
    page.headers["X-Robots-Tag"] = "noindex"
    return page
