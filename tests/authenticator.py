"""A phone's authenticator in software (Web Authentication level 3 §6), which can be made to get anything wrong.

It keeps discoverable passkeys, answers creation and request options as a platform does, and says so in JSON. Each
keyword of a ceremony replaces one thing that an honest authenticator would say; the signature covers what it says.
Its state is JSON, so that a phone on the command line can keep it in a file.
"""

import base64
import hashlib
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

ES256, EDDSA, RS256 = -7, -8, -257
UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
AAGUID = bytes(16)

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Passkey:
    """One discoverable credential."""

    id: bytes
    rp_id: str
    user_handle: bytes
    key: PrivateKey
    count: int = 0

    def state(self) -> dict[str, Any]:
        der = self.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        held = {"id": b64(self.id), "user_handle": b64(self.user_handle), "key": b64(der)}
        return {**held, "rp_id": self.rp_id, "count": self.count}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Passkey":
        key = serialization.load_der_private_key(unb64(state["key"]), None)
        assert isinstance(key, PrivateKey)
        return cls(unb64(state["id"]), state["rp_id"], unb64(state["user_handle"]), key, state["count"])


class Authenticator:
    """The authenticator of one phone, used by the app whose origin the platform vouches for."""

    def __init__(self, origin: str, rp_id: str, passkeys: list[Passkey] | None = None) -> None:
        self.origin, self.rp_id, self.passkeys = origin, rp_id, passkeys or []

    def state(self) -> dict[str, Any]:
        passkeys = [one.state() for one in self.passkeys]
        return {"origin": self.origin, "rp_id": self.rp_id, "passkeys": passkeys}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Authenticator":
        return cls(state["origin"], state["rp_id"], [Passkey.of(one) for one in state["passkeys"]])

    def create(
        self,
        options_json: str,
        *,
        alg: int | None = None,
        key: PrivateKey | None = None,
        keep: bool = True,
        **said: Any,
    ) -> str:
        """RegistrationResponseJSON for the options: a passkey of the first algorithm offered, or of `alg`, or of `key`.

        Kept for later unless told otherwise. For `said` see `Said`.
        """
        options = json.loads(options_json)
        key = key or new_key(alg or options["pubKeyCredParams"][0]["alg"])
        passkey = Passkey(os.urandom(32), self.rp_id, unb64(options["user"]["id"]), key)
        told = Said(said)
        client_data = told.client_data("webauthn.create", options["challenge"], self.origin)
        id = told("credential_id", passkey.id)
        public = told("public_key", cbor2.dumps(cose(key) | told("cose", {})))
        attested = told("aaguid", AAGUID) + struct.pack(">H", told("id_length", len(id))) + id + public
        data = told.authenticator_data(passkey, AT, attested)
        signature = told("signature", sign(key, data + hashlib.sha256(client_data).digest()))
        format = told("fmt", "none")
        own = {"alg": cose(key)[3], "sig": signature} if format == "packed" else {}
        if maker := told("maker", None):
            own = {"alg": ES256, "sig": sign(maker[0], data + hashlib.sha256(client_data).digest()), "x5c": [maker[1]]}
        attestation = {"fmt": format, "attStmt": told("statement", own), "authData": data}
        response = {
            "clientDataJSON": b64(client_data),
            "attestationObject": b64(told("attestation", cbor2.dumps(attestation))),
            "transports": told("transports", ["internal", "hybrid"]),
        }
        if keep:
            self.passkeys.append(passkey)
        return told.credential(id, response)

    def get(self, options_json: str, *, passkey: Passkey | None = None, **said: Any) -> str:
        """AuthenticationResponseJSON for the options, by `passkey` or the newest that fits. For `said` see `Said`."""
        options = json.loads(options_json)
        passkey = passkey or self._fitting(options)
        told = Said(said)
        client_data = told.client_data("webauthn.get", options["challenge"], self.origin)
        data = told.authenticator_data(passkey, 0, b"")
        signature = told("signature", sign(passkey.key, data + hashlib.sha256(client_data).digest()))
        handle = told("user_handle", passkey.user_handle)
        response = {
            "clientDataJSON": b64(client_data),
            "authenticatorData": b64(data),
            "signature": b64(signature),
            "userHandle": None if handle is None else b64(handle),
        }
        return told.credential(told("credential_id", passkey.id), response)

    def _fitting(self, options: dict[str, Any]) -> Passkey:
        allowed = {unb64(one["id"]) for one in options.get("allowCredentials", ())}
        fitting = [one for one in self.passkeys if one.rp_id == options["rpId"] and (not allowed or one.id in allowed)]
        if not fitting:
            raise LookupError("This phone has no passkey for that.")
        return fitting[-1]


class Said:
    """What the authenticator is made to say instead of the truth, by keyword.

    Of the client: `type`, `challenge`, `origin`, `client` (members added or replaced), `client_data` (bytes).
    Of the authenticator: `rp_id_hash`, `up`, `uv`, `be`, `bs`, `flags` (an octet), `counter`, `credential_id`, `data`
    (bytes), `signature`, `user_handle`; at creation `aaguid`, `id_length`, `cose` (members of the key), `public_key`,
    `fmt`, `maker` (who attests instead: a P-256 key and its certificate), `statement`, `attestation` (bytes),
    `transports`.
    Of the JSON: `raw_id`, `json_id`, `json_type`, `response` and `json` (members added or replaced).
    A keyword that nothing asked for is an error, so that no test passes for want of its mutation.
    """

    def __init__(self, said: dict[str, Any]) -> None:
        self.left = said

    def __call__(self, name: str, truth: Any) -> Any:
        return self.left.pop(name, truth)

    def client_data(self, type: str, challenge: str, origin: str) -> bytes:
        members = {
            "type": self("type", type),
            "challenge": self("challenge", challenge),
            "origin": self("origin", origin),
            "crossOrigin": False,
        }
        written: bytes = self("client_data", json.dumps({**members, **self("client", {})}).encode())
        return written

    def authenticator_data(self, passkey: Passkey, more: int, attested: bytes) -> bytes:
        """§6.1. A passkey that may be synced does not count its uses; another does."""
        bits = {UP: self("up", True), UV: self("uv", True), BE: self("be", True), BS: self("bs", True)}
        flags = self("flags", more | sum(bit for bit, is_set in bits.items() if is_set))
        passkey.count = self("counter", passkey.count if flags & BE else passkey.count + 1)
        rp_id_hash = self("rp_id_hash", hashlib.sha256(passkey.rp_id.encode()).digest())
        data: bytes = self("data", rp_id_hash + struct.pack(">BI", flags, passkey.count) + attested)
        return data

    def credential(self, id: bytes, response: dict[str, Any]) -> str:
        raw_id = self("raw_id", id)
        whole = {
            "id": self("json_id", b64(raw_id)),
            "rawId": b64(raw_id),
            "type": self("json_type", "public-key"),
            "response": response | self("response", {}),
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
        }
        whole |= self("json", {})
        if self.left:
            raise TypeError(f"Nothing here says {sorted(self.left)}.")
        return json.dumps(whole)


def new_key(alg: int) -> PrivateKey:
    if alg == ES256:
        return ec.generate_private_key(ec.SECP256R1())
    if alg == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    if alg == RS256:
        return rsa.generate_private_key(65_537, 2048)
    raise LookupError(f"This phone does not do {alg}.")


def cose(key: PrivateKey) -> dict[int, Any]:
    """The public key as COSE writes it (RFC 9053 §7, RFC 8230 §4), with its algorithm."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        point = key.public_key().public_numbers()
        size = (key.curve.key_size + 7) // 8
        curve = {256: 1, 384: 2, 521: 3}[key.curve.key_size]
        return {1: 2, 3: ES256, -1: curve, -2: point.x.to_bytes(size, "big"), -3: point.y.to_bytes(size, "big")}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return {1: 1, 3: EDDSA, -1: 6, -2: key.public_key().public_bytes_raw()}
    numbers = key.public_key().public_numbers()
    size = (key.key_size + 7) // 8
    return {1: 3, 3: RS256, -1: numbers.n.to_bytes(size, "big"), -2: numbers.e.to_bytes(3, "big")}


def sign(key: PrivateKey, data: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashes.SHA256()))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
