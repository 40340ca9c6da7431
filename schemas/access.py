"""Signed-in phones, what patients sign in with, and the codes that let them in."""

from api import vocabulary
from schemas.base import Answer, Ask, Flag, Id, Instant, Items, ListAnswer, Text, Word

APP_SESSION = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e61"
PASSKEY = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e62"
OFFER = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e63"
CODE = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e64"
LONGEST_CREDENTIAL, LONGEST_OFFER, LONGEST_PASSWORD, LONGEST_NAME = 16_384, 1024, 1024, 60
# Codes with spaces between their digits are read too.
LONGEST_CODE = 16


class AppSessionAnswer(Answer):
    """A phone that is signed in. `current` is the one that asks; `seen_at` is when it last renewed its sign-in."""

    id = Id(required=True)
    device_name = Text(max=100, metadata={"description": "What the phone calls itself; absent if it did not say."})
    created_at = Instant(required=True)
    seen_at = Instant(required=True)
    expires_at = Instant(required=True)
    current = Flag(required=True)

    example = {
        "id": APP_SESSION,
        "device_name": "Sam's phone",
        "created_at": "2026-11-23T15:00:00Z",
        "seen_at": "2026-11-23T15:40:00Z",
        "expires_at": "2026-11-24T15:00:00Z",
        "current": True,
    }


class AppSessionsAnswer(ListAnswer):
    """The open ones, the one seen last first."""

    items = Items(AppSessionAnswer, max=100, required=True)

    example = {"items": [AppSessionAnswer.example]}


class PasskeyAnswer(Answer):
    """A passkey. `backed_up`: it is synced, and outlives this phone."""

    id = Id(required=True)
    name = Text(max=LONGEST_NAME, metadata={"description": "What the patient calls it."})
    created_at = Instant(required=True)
    last_used_at = Instant()
    backed_up = Flag(required=True)

    example = {"id": PASSKEY, "name": "Phone", "created_at": "2026-11-23T15:00:00Z", "backed_up": True}


class PasskeysAnswer(ListAnswer):
    """Passkeys, oldest first."""

    items = Items(PasskeyAnswer, max=100, required=True)

    example = {"items": [PasskeyAnswer.example]}


class PasskeyOptionsAnswer(Answer):
    """What the phone needs to make a passkey, good once and for five minutes. `options` is JSON in a text: the
    PublicKeyCredentialCreationOptionsJSON of WebAuthn, to be handed to the platform as it is."""

    offer_id = Id(required=True)
    options = Text(max=LONGEST_CREDENTIAL, required=True)

    example = {
        "offer_id": OFFER,
        "options": '{"rp":{"id":"api.example.org","name":"Clinic app account"},"challenge":"AAECAwQFBgcICQoLDA0ODw"}',
    }


class PasskeyAsk(Ask):
    """`credential` is JSON in a text: the RegistrationResponseJSON that the platform gave."""

    offer_id = Id(required=True)
    credential = Text(max=LONGEST_CREDENTIAL, required=True)
    name = Text(max=LONGEST_NAME)

    example = {"offer_id": OFFER, "credential": '{"id":"AAECAwQFBgcICQoLDA0ODw","type":"public-key"}', "name": "Phone"}


class PasswordAsk(Ask):
    """`sign_in_name` is what the patient wishes to be called: needed the first time, and a new one afterwards. With
    `end_other_sessions` all other phones are signed out."""

    sign_in_name = Text(max=200, load_default=None)
    password = Text(max=LONGEST_PASSWORD, required=True)
    end_other_sessions = Flag(load_default=False)

    example = {"sign_in_name": "Sam", "password": "four quiet herons wading", "end_other_sessions": False}


class PasswordRefusedProblem(Answer):
    """Why a password was not accepted; `detail` says what would do."""

    reason = Word(("too_short", "too_long", "too_common", "like_the_name"))

    example = {"reason": "too_common"}


class PasswordAnswer(Answer):
    """`sign_in_name` is the name as it is now: the wish and four digits. It is shown here and never again, so the
    patient should note it; absent where the name stayed."""

    sign_in_name = Text(max=LONGEST_NAME)
    set_at = Instant(required=True)

    example = {"sign_in_name": "sam-4711", "set_at": "2026-11-23T15:00:00Z"}


class TotpOptionsAnswer(Answer):
    """A new secret for an authenticator app, good for ten minutes: as text, and as the address of a QR code. `offer` is
    to be sent back as it is, with the app's first code."""

    offer = Text(max=LONGEST_OFFER, required=True)
    secret = Text(max=64, required=True)
    uri = Text(max=500, required=True)

    example = {
        "offer": "AQIDBAUGBwgJCgsMDQ4PEA",
        "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "uri": "otpauth://totp/Clinic%20app%20account?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    }


class TotpAsk(Ask):
    """The offer, and the code that the authenticator app shows for it now."""

    offer = Text(max=LONGEST_OFFER, required=True)
    code = Text(max=LONGEST_CODE, required=True)
    end_other_sessions = Flag(load_default=False)

    example = {"offer": "AQIDBAUGBwgJCgsMDQ4PEA", "code": "492039", "end_other_sessions": False}


class ActivationCodeAsk(Ask):
    """How the code reaches the patient decides how long it lives: 7 days in person, 21 by post, 24 hours by email, 10
    minutes by text message."""

    handed_over = Word(vocabulary.HANDED_OVER, required=True)

    example = {"handed_over": "in_person"}


class ActivationCodeAnswer(Answer):
    """An invitation, good once. `code` is typed, `link_code` stands in a link or a QR code; both are shown once, and
    are absent when a request is replayed under its Idempotency-Key."""

    id = Id(required=True)
    handed_over = Word(vocabulary.HANDED_OVER, required=True)
    expires_at = Instant(required=True)
    code = Text(max=19)
    link_code = Text(max=26)

    example = {
        "id": CODE,
        "handed_over": "in_person",
        "expires_at": "2026-11-30T15:00:00Z",
        "code": "7K3Q-Z012-3456-789F",
        "link_code": "7K3QZ0123456789ABCDEFGHJKM",
    }
