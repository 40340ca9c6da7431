"""Clients that sign in without pause, in a process of their own: `python -m tests.bench.signers PORT FILE`.

FILE holds a line `name secret` per account; each is used once, because a one-time code is. Every successful sign-in,
the tokens in hand, writes a dot.
"""

import http.client
import json
import sys
import threading
import time
import urllib.parse
from pathlib import Path
from queue import Empty, SimpleQueue

import pyotp

from tests.bench.clinics import ISSUER
from tests.bench.phones import APP, FORM, PASSWORD, challenge_of
from tests.dpop import Key

CLIENTS = 8
VERIFIER = "v" * 64
CHALLENGE, TOKEN = "/oauth/authorize-challenge", "/oauth/token"


class Signer:
    """One client with a connection and a key of its own."""

    def __init__(self, port: int) -> None:
        self._line, self._key = http.client.HTTPConnection("127.0.0.1", port, timeout=30), Key()

    def sign_in(self, name: str, secret: str) -> int:
        """In how many seconds to come back, when too many others wait for a hash; 0 once signed in."""
        wait, told = self._ask(
            CHALLENGE,
            client_id=APP,
            response_type="code",
            code_challenge=challenge_of(VERIFIER),
            code_challenge_method="S256",
            sign_in_name=name,
            password=PASSWORD,
            totp=pyotp.TOTP(secret).now(),
        )
        if wait:
            return wait
        code = told["authorization_code"]
        self._ask(TOKEN, grant_type="authorization_code", client_id=APP, code=code, code_verifier=VERIFIER)
        return 0

    def _ask(self, path: str, **form: str) -> tuple[int, dict[str, str]]:
        sent = {"Content-Type": FORM, "DPoP": self._key.proof("POST", ISSUER + path)}
        self._line.request("POST", path, urllib.parse.urlencode(form), sent)
        answer = self._line.getresponse()
        told: dict[str, str] = json.loads(answer.read())
        if answer.status not in (200, 503):
            raise RuntimeError(f"{answer.status} {told}")
        return int(answer.headers.get("Retry-After", 0)), told


def run(port: int, accounts: SimpleQueue[tuple[str, str]]) -> None:
    signer = Signer(port)
    while True:
        try:
            name, secret = accounts.get_nowait()
        except Empty:
            return
        try:
            while wait := signer.sign_in(name, secret):
                time.sleep(wait)
        except RuntimeError as trouble:
            print(f"!{trouble}", flush=True)
        else:
            print(".", flush=True)


def main(port: int, file: Path) -> None:
    accounts: SimpleQueue[tuple[str, str]] = SimpleQueue()
    for line in file.read_text().splitlines():
        name, secret = line.split()
        accounts.put((name, secret))
    threads = [threading.Thread(target=run, args=(port, accounts), daemon=True) for _ in range(CLIENTS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
