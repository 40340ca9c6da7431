"""Passkeys: what is asked of the phone, and what its answer must be (Web Authentication level 3, §7.1 and §7.2).

The library checks type, origin, RP id, user presence and verification, backup flags, algorithm and signature. Checked
here is what it leaves to its caller: the challenge as it was written, frames of other origins, the length and sameness
of credential ids, keys of the size and curve that belong to their algorithm, and backup eligibility that never changes.
Whatever is wrong, the answer is one refusal, which tells nobody how far they came.
"""

import contextlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import webauthn
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    options_to_json_dict,
    parse_attestation_object,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Alg
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from api import errors

# Lists of passkeys are seen by others, on every device they are synced to.
LABEL = "Clinic app account"
TIMEOUT_MS = 300_000
CHALLENGE_BYTES = 32
ALGORITHMS = [Alg.ECDSA_SHA_256, Alg.EDDSA, Alg.RSASSA_PKCS1_v1_5_SHA_256]
LONGEST_CREDENTIAL = 16 * 1024
LONGEST_ID_BYTES = 1023
RSA_BITS = range(2048, 4097)
BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


class PasskeyRefused(errors.Unprocessable):
    title = "This passkey was not accepted"
    detail = "This passkey was not accepted. Please start again, or choose another way to sign in."
    title_es = "No se aceptó esta llave de acceso"
    detail_es = "No se aceptó esta llave de acceso. Empiece de nuevo o elija otra forma de acceder."


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """`id` is the domain that passkeys are bound to; `origins` are the apps that may use them, and no others."""

    id: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Created:
    """A new passkey, to be stored if nobody has its `credential_id` yet."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    backup_eligible: bool
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Asserted:
    """A passkey was used. `count_regressed` hints at a copy and refuses nothing: synced passkeys do not count."""

    sign_count: int
    backed_up: bool
    count_regressed: bool


def new_challenge() -> bytes:
    """To be used once, within five minutes, by whom it was made for (§13.4.3)."""
    return secrets.token_bytes(CHALLENGE_BYTES)


def creation_options(rp: RelyingParty, *, challenge: bytes, user_handle: bytes, exclude: Iterable[bytes]) -> str:
    """PublicKeyCredentialCreationOptionsJSON. `user_handle` is random; `exclude` are the passkeys already there."""
    options = webauthn.generate_registration_options(
        rp_id=rp.id,
        rp_name=LABEL,
        user_name=LABEL,
        user_id=user_handle,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in exclude],
        supported_pub_key_algs=ALGORITHMS,
    )
    return json.dumps(options_to_json_dict(options))


def request_options(rp: RelyingParty, *, challenge: bytes) -> str:
    """PublicKeyCredentialRequestOptionsJSON that names no passkey: the phone finds its own, nobody learns of any."""
    options = webauthn.generate_authentication_options(
        rp_id=rp.id,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    written = options_to_json_dict(options)
    return json.dumps({key: value for key, value in written.items() if key != "allowCredentials"})


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Every failure as the one refusal, its cause left behind: the library's messages quote what they compared."""
    try:
        yield
    except Exception:
        raise PasskeyRefused from None


def created(rp: RelyingParty, *, challenge: bytes, credential: str) -> Created:
    """The passkey in a RegistrationResponseJSON (§7.1). Raises `PasskeyRefused`."""
    with _refusing():
        read = _read(credential)
        _check_client_data(read, challenge)
        _check_attestation(read)
        verified = webauthn.verify_registration_response(
            credential=read,
            expected_challenge=challenge,
            expected_rp_id=rp.id,
            expected_origin=list(rp.origins),
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
        parsed = parse_registration_credential_json(read)
        _check(verified.credential_id == parsed.raw_id and len(verified.credential_id) <= LONGEST_ID_BYTES)
        _check_key(verified.credential_public_key)
        return Created(
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            transports=tuple(sorted({one.value for one in parsed.response.transports or ()})),
            backup_eligible=verified.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
            backed_up=verified.credential_backed_up,
        )


def presented(credential: str) -> tuple[bytes, bytes | None]:
    """The credential id and user handle that an AuthenticationResponseJSON claims, unproven: to look the passkey up.

    Raises `PasskeyRefused`.
    """
    with _refusing():
        read = _read(credential)
        handle = read["response"].get("userHandle")
        id = base64url_to_bytes(read["rawId"])
        _check(0 < len(id) <= LONGEST_ID_BYTES and bytes_to_base64url(id) == read["id"])
        return id, None if handle is None else base64url_to_bytes(handle)


def asserted(
    rp: RelyingParty, *, challenge: bytes, credential: str, public_key: bytes, sign_count: int, backup_eligible: bool
) -> Asserted:
    """That an AuthenticationResponseJSON was signed by the passkey of `public_key` (§7.2). Raises `PasskeyRefused`.

    The caller found the passkey by what `presented` says, and compares its account with the user handle.
    """
    with _refusing():
        read = _read(credential)
        _check_client_data(read, challenge)
        verified = webauthn.verify_authentication_response(
            credential=read,
            expected_challenge=challenge,
            expected_rp_id=rp.id,
            expected_origin=list(rp.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,  # compared below: a regress is told, not refused
            require_user_verification=True,
        )
        _check((verified.credential_device_type == CredentialDeviceType.MULTI_DEVICE) == backup_eligible)
        counted = verified.new_sign_count
        return Asserted(
            sign_count=counted,
            backed_up=verified.credential_backed_up,
            count_regressed=bool(counted or sign_count) and counted <= sign_count,
        )


def _check(holds: bool) -> None:
    if not holds:
        raise ValueError


def _read(credential: str) -> dict[str, Any]:
    """The JSON, bounded before it is parsed; every binary member is strict base64url, which the library is not.

    The attachment is a hint of the platform whose unknown words are to be ignored (§5.1), so it is left out.
    """
    _check(len(credential) <= LONGEST_CREDENTIAL)
    read = json.loads(credential)
    response = {key: value for key, value in read["response"].items() if key in RESPONSE or key == "transports"}
    coded = [read["id"], read["rawId"], *(value for key, value in response.items() if key in RESPONSE)]
    _check(all(value is None or BASE64URL.fullmatch(value) for value in coded))
    return {"id": read["id"], "rawId": read["rawId"], "type": read["type"], "response": response}


RESPONSE = ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle")


def _check_client_data(read: dict[str, Any], challenge: bytes) -> None:
    """The challenge as it was written (§7.1 step 8), and no frame inside somebody else's page (steps 10 and 11)."""
    data = json.loads(base64url_to_bytes(read["response"]["clientDataJSON"]).decode())
    _check(hmac.compare_digest(data["challenge"].encode(), bytes_to_base64url(challenge).encode()))
    _check(data.get("crossOrigin", False) is False and "topOrigin" not in data)


def _check_attestation(read: dict[str, Any]) -> None:
    """None was asked for: nothing, or the passkey's own signature. Certificates are not even parsed."""
    parsed = parse_attestation_object(base64url_to_bytes(read["response"]["attestationObject"]))
    own = parsed.fmt == AttestationFormat.PACKED and parsed.att_stmt.x5c is None
    _check(parsed.fmt == AttestationFormat.NONE or own)


def _check_key(public_key: bytes) -> None:
    """A key that its algorithm may have (§5.8.5): P-256, Ed25519, or RSA of a size that is safe and quick to check."""
    decoded = decode_credential_public_key(public_key)
    key = decoded_public_key_to_cryptography(decoded)
    if isinstance(key, rsa.RSAPublicKey):
        fits = key.key_size in RSA_BITS and key.public_numbers().e == 65_537
        _check(fits and decoded.alg == Alg.RSASSA_PKCS1_v1_5_SHA_256)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        _check(isinstance(key.curve, ec.SECP256R1) and decoded.alg == Alg.ECDSA_SHA_256)
    else:
        _check(isinstance(key, ed25519.Ed25519PublicKey))
