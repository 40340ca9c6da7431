"""Anyone's door to what the app needs before anybody signs in."""

import orjson
from flask import Response

from api import clock, language
from api.blueprint import Door
from api.programs import about, crisis, presentation, serving, shelf
from api.programs.shelf import Rendered
from schemas.crisis import AppConfigAnswer

door = Door("app", kind="public", tag="App", open_to_anyone=True)


@door.get("/app-config", operation="getAppConfig", summary="Before sign-in", hot=True, etag=True)
@door.answers(AppConfigAnswer)
def get_app_config() -> Response:
    """Crisis help for the app to keep and show offline and signed out, the oldest app that still works, how to reach
    the clinic, and the server's time. A number that is not configured is absent."""
    spoken, at, clinic = language.accepted(), clock.now(), about.clinic()
    kept = crisis.to_keep(at=at, clinic=clinic, locations=shelf.stock().edition.locations, language=spoken)
    known = {
        "language": spoken,
        "minimum_app_version": clinic.minimum_app_version,
        "privacy_notice_version": clinic.privacy_notice,
        "clinic": presentation.known(
            {
                "name": clinic.name,
                "time_zone": clinic.time_zone,
                "phone": clinic.phone,
                "support_email": clinic.support_email,
            }
        ),
        "crisis": kept,
        "features": clinic.app_features,
        "web_push_key": clinic.web_push_key,
    }
    # The time is not part of what the tag names, so the tag is a weak one (RFC 9110 §8.8.1).
    tag = Rendered.of(orjson.dumps(known)).etag
    body = orjson.dumps(presentation.known(known) | {"server_time": presentation.instant(at)})
    return serving.answer(Rendered(body, f"W/{tag}"), spoken)
