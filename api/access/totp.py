"""Time-based one-time codes (RFC 6238) as authenticator apps make them: SHA-1, six digits, thirty seconds.

Only with a password, and never the only way in: codes can be phished (NIST SP 800-63B-4 §3.2.5).
"""

import hmac
import re
from datetime import datetime

import pyotp

# So many steps before and after: a phone's clock, and the time it takes to type (RFC 6238 §5.2).
WINDOW = 1
CODE = re.compile(r"[0-9]{6}")
LONGEST_TYPED = 16
SECRET_LETTERS = 32


def new_secret() -> str:
    """160 random bits in base32 (RFC 4226 §4, R6 recommends this length)."""
    return pyotp.random_base32(length=SECRET_LETTERS)


def uri(secret: str, *, label: str) -> str:
    """The `otpauth` address for an authenticator app. Others see its list: `label` names neither clinic nor person."""
    return pyotp.TOTP(secret).provisioning_uri(name=label)


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """The time step whose code this is, or None; the newest, should two steps share a code.

    A code counts once: the caller refuses a step that is not past the last one used (RFC 6238 §5.2).
    """
    if len(code) > LONGEST_TYPED or not CODE.fullmatch(typed := "".join(code.split())):
        return None
    totp = pyotp.TOTP(secret)
    now = totp.timecode(at)
    steps = range(now - WINDOW, now + WINDOW + 1)
    right = [step for step in steps if hmac.compare_digest(totp.generate_otp(step), typed)]
    return max(right, default=None)
