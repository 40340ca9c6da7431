"""The patient's door to having seen the privacy notice. Nothing else waits for it."""

from typing import Any

from api import answering, clock
from api.blueprint import Door
from api.privacy import notice
from api.privacy.models import NoticeAcknowledgement
from schemas.privacy_notice import NoticeAcknowledgementAnswer, NoticeAcknowledgementAsk, NoticeAcknowledgementsAnswer

door = Door("privacy_notice", kind="patient", tag="Privacy")


@door.get(
    "/notice-acknowledgements",
    operation="listMyNoticeAcknowledgements",
    scope="privacy:read",
    summary="Which notices I have seen",
)
@door.answers(NoticeAcknowledgementsAnswer)
def list_my_notice_acknowledgements() -> dict[str, Any]:
    """The versions of the privacy notice that were acknowledged; the one of now is named by the app's configuration."""
    return {"items": notice.acknowledgements(patient_id=answering.patient_id())}


@door.post(
    "/notice-acknowledgements",
    operation="acknowledgePrivacyNotice",
    scope="privacy:write",
    summary="I have seen the notice",
    refusals=[notice.UnknownNotice],
)
@door.asks(NoticeAcknowledgementAsk)
@door.answers(NoticeAcknowledgementAnswer)
def acknowledge_privacy_notice(asked: dict[str, Any]) -> NoticeAcknowledgement:
    """Agrees to nothing: it says that this version was shown. Again is once."""
    return notice.acknowledge(patient_id=answering.patient_id(), version=asked["version"], at=clock.now())
