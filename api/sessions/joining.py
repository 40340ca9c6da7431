"""Joining a session by its link: when the link is given out, and to which sessions there is one."""

from datetime import datetime

from api.sessions import place


class NotOpenForJoining(place.SessionStands):
    title = "The link is not open yet"
    detail = "You can join from 15 minutes before the session starts."
    title_es = "El enlace aún no está abierto"
    detail_es = "Puede unirse desde 15 minutos antes de que empiece la sesión."
    retry = "later"


class JoiningIsOver(place.SessionStands):
    title = "The session is over"
    detail = "This session has ended, so there is nothing to join any more."
    title_es = "La sesión ya terminó"
    detail_es = "Esta sesión ya terminó, así que ya no es posible unirse."


class NoLinkForSession(place.SessionStands):
    title = "This session has no link"
    detail = "This session has no video link at the moment. Please call the clinic if you expected one."
    title_es = "Esta sesión no tiene enlace"
    detail_es = "Por ahora esta sesión no tiene enlace de video. Llame a la clínica si esperaba uno."
    retry = "after_refresh"


REFUSALS = (NotOpenForJoining, JoiningIsOver, NoLinkForSession)


def check(here: place.Place, at: datetime) -> None:
    """Raises what of ``REFUSALS`` keeps the patient from the link now."""
    session = here.session
    if session.join_opens_at is None:
        raise NoLinkForSession(here)
    if at < session.join_opens_at:
        raise NotOpenForJoining(here)
    if at > session.ends_at:
        raise JoiningIsOver(here)
