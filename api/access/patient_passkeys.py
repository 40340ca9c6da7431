"""The patient's door to passkeys. All but looking asks for a fresh sign-in: whoever holds an unlocked phone for a
minute must not be able to stay (ASVS 5.0 7.5.1, RFC 9470)."""

from typing import Any
from uuid import UUID

from flask import current_app

from api import answering, clock
from api.access import authenticators, ceremonies, offers
from api.access.models import Passkey
from api.blueprint import Door
from schemas.access import PasskeyAnswer, PasskeyAsk, PasskeyOptionsAnswer, PasskeysAnswer

door = Door("passkeys", kind="patient", tag="Account")


@door.get("/passkeys", operation="listMyPasskeys", scope="account:read", summary="My passkeys")
@door.answers(PasskeysAnswer)
def list_my_passkeys() -> dict[str, Any]:
    """The passkeys that sign this patient in."""
    return {"items": authenticators.passkeys(answering.patient_id())}


@door.post(
    "/passkeys/options",
    operation="offerMyPasskey",
    scope="account:write",
    summary="What the phone needs to make a passkey",
    steps_up=True,
)
@door.answers(PasskeyOptionsAnswer)
def offer_my_passkey() -> dict[str, Any]:
    """A challenge, good for one passkey and five minutes. Nothing is added yet."""
    offer_id, options = offers.passkey(patient_id=answering.patient_id(), rp=_relying_party())
    return {"offer_id": offer_id, "options": options}


@door.post(
    "/passkeys",
    operation="createMyPasskey",
    scope="account:write",
    summary="Add a passkey",
    refusals=[ceremonies.PasskeyRefused, authenticators.TooManyPasskeys],
    steps_up=True,
)
@door.asks(PasskeyAsk)
@door.answers(PasskeyAnswer, status=201)
def create_my_passkey(asked: dict[str, Any]) -> Passkey:
    """Keeps what the phone made for an offer, and tells the patient. Sent again, it is the same passkey."""
    made = offers.passkey_made(
        patient_id=answering.patient_id(),
        offer_id=asked["offer_id"],
        rp=_relying_party(),
        credential=asked["credential"],
        name=asked.get("name"),
        at=clock.wall(),
    )
    answering.made(made.id)
    return made


@door.delete(
    "/passkeys/<uuid:passkey_id>",
    operation="deleteMyPasskey",
    scope="account:write",
    summary="Remove a passkey",
    refusals=[authenticators.LastAuthenticator],
    steps_up=True,
)
@door.answers(None, status=204)
def delete_my_passkey(passkey_id: UUID) -> None:
    """Ends what other phones opened with it, and tells the patient. The only way to sign in stays."""
    authenticators.remove_passkey(
        patient_id=answering.patient_id(), passkey_id=passkey_id, keep=answering.caller().app_session_id
    )


def _relying_party() -> ceremonies.RelyingParty:
    apps = current_app.settings.apps  # type: ignore[attr-defined]
    return ceremonies.RelyingParty(id=apps.rp_id, origins=apps.origins)
