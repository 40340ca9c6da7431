"""OAuth's forms and answers. Forms are read as RFC 6749 has it: unknown parameters are ignored, not refused."""

import marshmallow as ma

from schemas.base import Answer, Flag, Shape, Text, Whole

OPAQUE = r"\A[A-Za-z0-9._~+/=-]+\Z"
PKCE = r"\A[A-Za-z0-9._~-]{43,128}\Z"
SCOPE = r"\A[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*\Z"
AUTH_SESSION = "XJ1kcGv3m2Vn0r4PZ8aTq9sLwYbEoHdKfRiUgNtCxMA"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
ASSERTION = "eyJhbGciOiJFUzM4NCIsImtpZCI6Im9uZSJ9.eyJpc3MiOiIuLi4ifQ.c2lnbmF0dXJl"


class Form(Shape):
    """A form's parameters, each at most once."""

    class Meta:
        unknown = ma.EXCLUDE


class ChallengeForm(Form):
    """What an app sends to sign a patient in on its own screens (OAuth for First-Party Apps), with a DPoP proof.

    Begin with `client_id`, `response_type`, `code_challenge` and either `activation_code`, or `sign_in_name`,
    `password` and `totp`, or neither for a passkey. Go on with `auth_session` and what the answer before asked for.
    """

    client_id = Text(max=100, metadata={"description": "Of the app's releases."})
    response_type = Text(max=20, metadata={"description": "`code`; needed to begin."})
    scope = Text(max=1000, pattern=SCOPE, metadata={"description": "All that patients may have, where absent."})
    code_challenge = Text(min=43, max=128, pattern=PKCE)
    code_challenge_method = Text(max=10, metadata={"description": "`S256`."})
    acr_values = Text(max=300, metadata={"description": "How strongly the patient must prove who they are."})
    max_age = Text(max=10, pattern=r"\A[0-9]+\Z", metadata={"description": "Met by every sign-in: each is fresh."})
    auth_session = Text(max=100, pattern=OPAQUE)
    activation_code = Text(max=100, metadata={"description": "As typed, or of the link or QR code."})
    passkey = Text(
        max=16_384, metadata={"description": "The platform's RegistrationResponseJSON or AuthenticationResponseJSON."}
    )
    sign_in_name = Text(max=200, metadata={"description": "To set one up, a wish: four digits are added to it."})
    password = Text(max=1024)
    totp = Text(max=16, metadata={"description": "The one-time code of the authenticator app."})
    keep_authenticators = Text(
        max=5,
        pattern=r"\A(true|false)\Z",
        metadata={"description": "`true` keeps earlier ways to sign in; else they end with a new activation code."},
    )
    device_name = Text(max=60, metadata={"description": "What the patient's list of signed-in phones shows."})

    example = {
        "client_id": "continuum-app",
        "response_type": "code",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "activation_code": "7K3Q-9XVM-2TFB-8WHC",
        "device_name": "Sam's phone",
    }


class ChallengeAnswer(Answer):
    """The way is free: exchange the code for tokens within a minute."""

    authorization_code = Text(max=100, required=True)
    sign_in_name = Text(max=60, metadata={"description": "The name to sign in by, where one was just set up."})

    example = {"authorization_code": "b0Zg3mUq2s9yX7wR4tVnC1aLkPdJfHiE8oTxQzYuSMc"}


class TokenForm(Form):
    """An app's code or refresh token, or a system's assertion of who it is (RFC 6749, RFC 7523)."""

    grant_type = Text(max=60, metadata={"description": "authorization_code, refresh_token or client_credentials."})
    client_id = Text(max=100)
    code = Text(max=100)
    code_verifier = Text(max=200)
    refresh_token = Text(max=100)
    scope = Text(max=2000, pattern=SCOPE, metadata={"description": "Narrower than what was granted, never wider."})
    resource = Text(max=300, metadata={"description": "The resource that the token is for (RFC 8707)."})
    client_assertion_type = Text(max=100)
    client_assertion = Text(max=8192)

    example = {
        "grant_type": "authorization_code",
        "client_id": "continuum-app",
        "code": "b0Zg3mUq2s9yX7wR4tVnC1aLkPdJfHiE8oTxQzYuSMc",
        "code_verifier": VERIFIER,
    }


class TokenAnswer(Answer):
    """An access token, and for phones the refresh token that follows the one used."""

    access_token = Text(max=4096, required=True)
    token_type = Text(max=10, required=True, metadata={"description": "`DPoP` for phones, `bearer` for systems."})
    expires_in = Whole(min=0, max=3600, required=True)
    scope = Text(max=2000, min=0, required=True)
    refresh_token = Text(max=100)
    refresh_token_expires_in = Whole(min=0, max=100_000_000)

    example = {
        "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl",
        "token_type": "DPoP",
        "expires_in": 600,
        "scope": "me:read sessions:read",
        "refresh_token": "k1Vb7mUq2s9yX7wR4tVnC1aLkPdJfHiE8oTxQzYuSMc",
        "refresh_token_expires_in": 86400,
    }


class RevocationForm(Form):
    """RFC 7009: an app sends its `client_id`, a system an assertion."""

    token = Text(max=8192, required=True)
    token_type_hint = Text(max=60, metadata={"description": "Not needed: every kind of token is looked for."})
    client_id = Text(max=100)
    client_assertion_type = Text(max=100)
    client_assertion = Text(max=8192)

    example = {"token": "k1Vb7mUq2s9yX7wR4tVnC1aLkPdJfHiE8oTxQzYuSMc", "client_id": "continuum-app"}


class IntrospectionForm(Form):
    """RFC 7662: for systems that know who they are."""

    token = Text(max=8192, required=True)
    token_type_hint = Text(max=60)
    client_id = Text(max=100)
    client_assertion_type = Text(max=100)
    client_assertion = Text(max=8192)

    example = {
        "token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": ASSERTION,
    }


class TokenKey(Answer):
    """The key that a token is bound to (RFC 9449 §6.1)."""

    jkt = Text(max=60, required=True)

    example = {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}


class IntrospectionAnswer(Answer):
    """What a token that stands says; of any other, no more than that it does not."""

    active = Flag(required=True)
    scope = Text(max=2000, min=0)
    client_id = Text(max=100)
    token_type = Text(max=10)
    exp = Whole(min=0, max=2**53 - 1)
    iat = Whole(min=0, max=2**53 - 1)
    sub = Text(max=36)
    aud = Text(max=300)
    iss = Text(max=300)
    jti = Text(max=60)
    acr = Text(max=60)
    auth_time = Whole(min=0, max=2**53 - 1)
    cnf = ma.fields.Nested(TokenKey)

    example = {"active": False}


class OAuthErrorAnswer(Answer):
    """Why OAuth said no (RFC 6749 §5.2), or which step is next (`insufficient_authorization`)."""

    error = Text(max=60, required=True)
    error_description = Text(max=1000, min=0, required=True, metadata={"description": "For developers, in English."})
    retry = Text(max=64, required=True, metadata={"description": "As in every problem: what to do about it."})
    problem = Text(max=300, required=True, metadata={"description": "The page that explains it."})
    auth_session = Text(max=100, metadata={"description": "Send it with the next step."})
    passkey_creation = Text(max=16_384, metadata={"description": "PublicKeyCredentialCreationOptionsJSON."})
    passkey_request = Text(max=16_384, metadata={"description": "PublicKeyCredentialRequestOptionsJSON."})
    totp_secret = Text(max=64, metadata={"description": "For an authenticator app, if a password is preferred."})
    totp_uri = Text(max=300)
    reason = Text(max=64, metadata={"description": "What is wrong with a password that was chosen."})

    example = {
        "error": "insufficient_authorization",
        "error_description": "One more step is needed to sign in.",
        "retry": "after_sign_in",
        "problem": "https://api.example.org/problems/insufficient-authorization",
        "auth_session": AUTH_SESSION,
        "passkey_request": '{"challenge": "…", "rpId": "api.example.org", "userVerification": "required"}',
    }
