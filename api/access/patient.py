"""The patient's door to signed-in phones: see them, end one, end all. Ending asks for no fresh sign-in: whoever has
lost a phone must not be held up (RFC 9470 stays for what gives more power, not less)."""

from typing import Any
from uuid import UUID

from api import answering
from api.access import app_sessions, notices
from api.blueprint import Door
from schemas.access import AppSessionsAnswer

door = Door("access", kind="patient", tag="Account")


@door.get("/app-sessions", operation="listMyAppSessions", scope="account:read", summary="Where I am signed in")
@door.answers(AppSessionsAnswer)
def list_my_app_sessions() -> dict[str, Any]:
    """The phones that are signed in now, this one marked."""
    own = answering.caller().app_session_id
    shown = ("id", "device_name", "created_at", "seen_at", "expires_at")
    return {
        "items": [
            {**{name: getattr(one, name) for name in shown}, "current": one.id == own}
            for one in app_sessions.mine(answering.patient_id())
        ]
    }


@door.delete("/app-sessions", operation="deleteMyAppSessions", scope="account:write", summary="Sign out everywhere")
@door.answers(None, status=204)
def delete_my_app_sessions() -> None:
    """Ends every sign-in, this one too. Each phone is refused at its next request, and wipes what it holds."""
    patient_id = answering.patient_id()
    app_sessions.sign_out(patient_id=patient_id, reason="signed_out_everywhere")
    notices.tell(patient_id, notices.ENDED)


@door.delete(
    "/app-sessions/<uuid:app_session_id>",
    operation="deleteMyAppSession",
    scope="account:write",
    summary="Sign a phone out",
)
@door.answers(None, status=204)
def delete_my_app_session(app_session_id: UUID) -> None:
    """This phone's own, or another's, which is refused at its next request and wipes what it holds. One that has ended
    already stays ended."""
    patient_id, own = answering.patient_id(), app_session_id == answering.caller().app_session_id
    reason = "signed_out" if own else "revoked"
    if app_sessions.end_one(patient_id=patient_id, app_session_id=app_session_id, reason=reason) and not own:
        notices.tell(patient_id, notices.ENDED)
