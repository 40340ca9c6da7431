"""A partner's system on the command line: `python -m tests.partner keys | sign-in CLIENT_ID`.

It does what such a system does: keeps a private key, gives its public one to the clinic, and signs in by an assertion
(RFC 7523). What it holds lies in one file, readable by its owner only.
"""

import argparse
import json
import os
import sys
import urllib.parse
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.phone import Refused, over_http
from tests.system import System

SCOPES = "capacity:read referrals:read referrals:write webhooks:manage"


def main(words: list[str] | None = None) -> int:
    """The exit code; prints a JWK Set, or an access token."""
    parser = argparse.ArgumentParser(prog="python -m tests.partner", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=("keys", "sign-in"))
    parser.add_argument("client_id", nargs="?", help="what the clinic registered the system as")
    parser.add_argument("--api", default=os.environ.get("API", "http://127.0.0.1:8000"))
    parser.add_argument("--file", type=Path, default=Path(".data/partner.pem"))
    options = parser.parse_args(words)
    system = _loaded(options.file, options.client_id or "")
    try:
        print(_keys(system) if options.command == "keys" else signed_in(system, options.api))
    except Refused as refused:
        print(f"{refused.answer.status}: {refused}", file=sys.stderr)
        return 1
    return 0


def signed_in(system: System, api: str) -> str:
    """An access token for a few minutes. Raises `Refused`."""
    form = {
        "grant_type": "client_credentials",
        "scope": SCOPES,
        **system.form(client_assertion=system.assertion(aud=api)),
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = over_http("POST", f"{api}/oauth/token", headers, urllib.parse.urlencode(form).encode())
    if answer.status != 200:
        raise Refused(answer)
    return str(answer.json["access_token"])


def _keys(system: System) -> str:
    return json.dumps({"keys": [system.jwk]})


def _loaded(file: Path, client_id: str) -> System:
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        pem = System().private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(pem)
    return System(client_id, private=load_pem_private_key(file.read_bytes(), None))


if __name__ == "__main__":
    sys.exit(main())
