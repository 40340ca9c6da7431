"""The receiver that comes with the demo verifies what we send, and shows what a partner's system has to do."""

import os
import subprocess
import sys

import pytest

from api import supervisor
from api.webhooks import receiver, signing
from tests.run.clones import ROOT, wait_until
from tests.webhooks.conftest import PATH, WANTED

SECRET = signing.new_secret()
SHOWN = signing.shown(SECRET)
BODY = b'{"type":"referral.received","data":{"id":"1","version":1}}'


def answer(body=BODY, *, secret=SHOWN, signer=SECRET, at=1000, now=1000.0, **changed):
    said = []
    headers = signing.headers([signer], id="e-1", timestamp=at, body=body) | changed
    return *receiver.answer(secret, headers, body, now=now, say=said.append), said[0]


def test_what_we_sign_is_verified_and_said():
    assert answer() == (204, b"", f"Verified: {BODY.decode()} (e-1)")


@pytest.mark.parametrize(
    "wrong",
    [
        {"signer": b"x" * 32}, {"now": 1301.0}, {"now": 699.0}, {"webhook-timestamp": "soon"},
        {"webhook-signature": ""}, {"webhook-id": "e-2"}, {"secret": "whsec_?"}, {"body": b"no JSON"},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(wrong):
    status, body, said = answer(**wrong)
    assert (status, body) == (400, b"") and said.startswith("Refused: ")


def test_one_fitting_signature_of_two_is_enough():
    both = signing.headers([b"x" * 32, SECRET], id="e-1", timestamp=1000, body=BODY)
    assert answer(**{"webhook-signature": both["webhook-signature"]})[0] == 204


def test_a_challenge_is_echoed_even_before_the_secret_is_known():
    body = b'{"type":"endpoint.verification","data":{"id":"1","version":1,"challenge":"abc"}}'
    for secret in (SHOWN, None):
        assert answer(body, secret=secret)[:2] == (200, b'{"challenge":"abc"}')
    assert answer(body, secret=None)[2].startswith("Not verified")


def test_development_lists_where_it_listens():
    assert supervisor.DEVELOPMENT["WEBHOOK_LOOPBACK"] == receiver.URL


def test_the_command_receives_what_the_house_sends(app, partner, receivers, work, settings):
    taken = receivers()
    taken.close()
    port = int(taken.url.split(":")[2].split("/")[0])
    made = partner.post(PATH, json={"url": taken.url, "event_types": WANTED}).json
    command = [sys.executable, "-m", "api.cli", "receiver", "--port", str(port)]
    command += ["--secret", made["secret"], "--minutes", "1"]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout.readline() == f"Listening at http://127.0.0.1:{port}/webhooks\n"
            work()
            assert running.stdout.readline().startswith('Verified: {"type":"endpoint.verification"')
            wait_until(lambda: partner.get(f"{PATH}/{made['id']}").json["status"] == "active")
            assert partner.post(f"{PATH}/{made['id']}/test").status_code == 202
            work()
            assert running.stdout.readline().startswith('Verified: {"type":"endpoint.test"')
        finally:
            running.terminate()
