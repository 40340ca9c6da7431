"""The patient's door to where notifications go. Registering converges on the address, so it needs no key."""

from typing import Any
from uuid import UUID

from api import answering
from api.blueprint import Door
from api.messages import devices
from api.messages.models import Device
from schemas.devices import DeviceAnswer, DeviceAsk, DevicesAnswer

door = Door("devices", kind="patient", tag="Account")


@door.get("/devices", operation="listMyDevices", scope="account:read", summary="Where notifications go")
@door.answers(DevicesAnswer)
def list_my_devices() -> dict[str, Any]:
    """The phones and browsers that notifications go to, the one seen last first, this one marked."""
    return {"items": [_shown(one) for one in devices.mine(patient_id=answering.patient_id())]}


@door.post(
    "/devices",
    operation="registerMyDevice",
    scope="account:write",
    summary="Send notifications to this phone",
    refusals=[devices.UnknownPushService, devices.UnusablePushKeys],
)
@door.asks(DeviceAsk)
@door.answers(DeviceAnswer, status=201)
def register_my_device(asked: dict[str, Any]) -> dict[str, Any]:
    """For the app to call at every start, and when it gets a new token: the same one stays the same device, and is
    seen again. A phone has one owner, the patient who signed in last, and one token at a time. Signing out removes it;
    so do nine months without a start of the app."""
    session_id = answering.caller().app_session_id
    assert session_id is not None, "a patient's token names an app session"
    registration = _registration(asked)
    device = devices.register(patient_id=answering.patient_id(), app_session_id=session_id, asked=registration)
    answering.made(device.id)
    return _shown(device)


@door.delete(
    "/devices/<uuid:device_id>",
    operation="deleteMyDevice",
    scope="account:write",
    summary="Send no notifications to a phone",
)
@door.answers(None, status=204)
def delete_my_device(device_id: UUID) -> None:
    """The phone stays signed in, and is written to no more until its app registers again."""
    devices.remove(patient_id=answering.patient_id(), device_id=device_id)


def _registration(asked: dict[str, Any]) -> devices.Registration:
    language = asked.get("language")
    if subscription := asked.get("subscription"):
        return devices.of_browser(**subscription, language=language)
    return devices.of_phone(
        provider=asked["provider"], token=asked["token"], environment=asked["environment"], language=language
    )


def _shown(device: Device) -> dict[str, Any]:
    """Never the token: whoever has it could be taken for the phone."""
    shown = ("id", "provider", "environment", "language", "registered_at", "last_seen_at")
    current = device.app_session_id == answering.caller().app_session_id
    return {name: getattr(device, name) for name in shown} | {"current": current}
