"""What we sign, verified by the library of Standard Webhooks for JavaScript. `make contract` runs this."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from api.webhooks import signing
from tests.contract import node

SCRIPT = Path(__file__).parent / "webhooks" / "verify.js"
BODY = b'{"type":"referral.received","timestamp":"2026-11-24T12:00:00Z","data":{"id":"1","version":1}}'


def verified(*sent: dict[str, Any]) -> list[Any]:
    ran = subprocess.run(
        [*node.node(), str(SCRIPT)], input=json.dumps(sent), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return list(json.loads(ran.stdout))


def sent(secret: bytes, *signers: bytes, at: float | None = None, body: str = BODY.decode()) -> dict[str, Any]:
    headers = signing.headers(signers, id="0192f7a4", timestamp=int(at or time.time()), body=BODY)
    return {"secret": signing.shown(secret), "headers": headers, "body": body}


def test_the_library_verifies_what_we_sign() -> None:
    old, new, other = (signing.new_secret() for _ in range(3))
    told = verified(sent(new, new), sent(new, new, old), sent(old, new, old), sent(other, new, old))
    assert told == [json.loads(BODY)] * 3 + ["No matching signature found"]


def test_what_was_changed_or_is_old_does_not_verify() -> None:
    secret = signing.new_secret()
    changed, old = verified(sent(secret, secret, body="{}"), sent(secret, secret, at=time.time() - 301))
    assert (changed, old) == ("No matching signature found", "Message timestamp too old")
