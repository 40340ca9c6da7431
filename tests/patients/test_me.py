"""Who the app serves, and what the patient chose."""

from tests.knocking import Knocker


def test_the_app_learns_whom_it_serves(patient: Knocker) -> None:
    me = patient.get("/v1/me")
    assert me.status_code == 200
    assert me.json["preferred_name"] == "Sam"
    assert me.json["time_zone"] == "America/New_York"
    assert me.headers["Cache-Control"] == "no-store"


def test_a_stranger_is_asked_to_sign_in(visitor: Knocker) -> None:
    refused = visitor.get("/v1/me")
    assert refused.status_code == 401
    assert refused.content_type == "application/problem+json"
    assert refused.headers["WWW-Authenticate"] == (
        'DPoP algs="ES256", resource_metadata="http://127.0.0.1:8000/.well-known/oauth-protected-resource/v1/me"'
    )
    assert refused.json["retry"] == "after_sign_in"


def test_a_choice_replaces_the_whole_choice(patient: Knocker) -> None:
    tag = patient.get("/v1/me/preferences").headers["ETag"]
    chosen = patient.put("/v1/me/preferences", json={"language": "es", "time_zone": "America/Denver"}, if_match=tag)
    assert chosen.status_code == 200
    assert patient.get("/v1/me").json["language"] == "es"
    again = patient.put("/v1/me/preferences", json={}, if_match=chosen.headers["ETag"])
    assert again.json == {"effective_time_zone": "America/New_York"}


def test_a_choice_made_on_an_old_reading_is_refused(patient: Knocker) -> None:
    tag = patient.get("/v1/me/preferences").headers["ETag"]
    assert patient.put("/v1/me/preferences", json={"language": "es"}, if_match=tag).status_code == 200
    assert patient.put("/v1/me/preferences", json={"language": "en"}, if_match=tag).status_code == 412
    assert patient.put("/v1/me/preferences", json={"language": "en"}).status_code == 428
    assert patient.get("/v1/me").json["language"] == "es"


def test_what_is_known_is_not_sent_again(patient: Knocker) -> None:
    tag = patient.get("/v1/me/preferences").headers["ETag"]
    unchanged = patient.get("/v1/me/preferences", headers={"If-None-Match": tag})
    assert unchanged.status_code == 304
    assert unchanged.data == b""
    assert unchanged.headers["ETag"] == tag


def test_a_zone_nobody_knows_is_refused_with_its_place(patient: Knocker) -> None:
    tag = patient.get("/v1/me/preferences").headers["ETag"]
    refused = patient.put("/v1/me/preferences", json={"time_zone": "Mars/Olympus", "colour": "red"}, if_match=tag)
    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json["errors"]} == {"/time_zone", "/colour"}
