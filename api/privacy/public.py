"""Anyone's door to the privacy notice: whoever thinks of coming may read it first."""

import orjson
from flask import Response

from api import language
from api.blueprint import Door
from api.privacy import notice
from api.programs import serving
from api.programs.shelf import Rendered
from schemas.privacy_notice import PrivacyNoticeAnswer

door = Door("privacy_notice", kind="public", tag="Privacy", open_to_anyone=True)


@door.get("/privacy-notice", operation="getPrivacyNotice", summary="The privacy notice", hot=True, etag=True)
@door.answers(PrivacyNoticeAnswer)
def get_privacy_notice() -> Response:
    """What the clinic may do with what it knows of a patient, and what a patient may demand (42 CFR 2.22)."""
    spoken = language.accepted()
    return serving.answer(Rendered.of(orjson.dumps(notice.shown(spoken))), spoken)
