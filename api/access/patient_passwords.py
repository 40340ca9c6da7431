"""The patient's door to the other way in: a sign-in name with a password, and one-time codes. Each asks for a fresh
sign-in, and neither for the old one of its kind: who has forgotten it signs in by a passkey and sets it anew."""

from typing import Any

from flask import g, request

from api import answering, clock, errors
from api.access import (
    app_sessions,
    authenticators,
    ceremonies,
    early,
    hashing,
    notices,
    offers,
    passwords,
    sealing,
    throttles,
    totp,
)
from api.blueprint import Door
from schemas.access import PasswordAnswer, PasswordAsk, PasswordRefusedProblem, TotpAsk, TotpOptionsAnswer

door = Door("passwords", kind="patient", tag="Account")


class SignInNameMissing(errors.Unprocessable):
    title = "A sign-in name is needed"
    detail = "Choose a sign-in name together with the first password."
    title_es = "Se necesita un nombre de acceso"
    detail_es = "Elija un nombre de acceso junto con la primera contraseña."


def _hash_early() -> None:
    asked = early.read(PasswordAsk, request.get_data(cache=True))
    if asked is None:
        return
    base = authenticators.base_name(asked["sign_in_name"]) if asked["sign_in_name"] else ""
    password = passwords.accepted(asked["password"], name=base)
    g.password, g.password_hash = password, hashing.hashed(sealing.peppered(password))


@door.put(
    "/password",
    operation="putMyPassword",
    scope="account:write",
    summary="Set a sign-in name and password",
    refusals=[passwords.PasswordRefused, authenticators.SignInNameRefused, SignInNameMissing],
    problems={422: PasswordRefusedProblem},
    steps_up=True,
    prepares=_hash_early,
)
@door.asks(PasswordAsk)
@door.answers(PasswordAnswer)
def put_my_password(asked: dict[str, Any]) -> dict[str, Any]:
    """For phones without passkeys; it signs in together with one-time codes only. The patient is told."""
    patient_id, wish, at = answering.patient_id(), asked["sign_in_name"], clock.wall()
    held = authenticators.account(patient_id)
    if not wish and held.name_index is None:
        raise SignInNameMissing
    if not wish and held.name_index == sealing.index(g.password):
        _refuse_the_name()
    name = authenticators.set_password(
        patient_id=patient_id,
        name=authenticators.chosen_name(wish) if wish else None,
        password_hash=g.password_hash,
        totp_secret=None,
        at=at,
    )
    if name and (key := answering.caller().key):
        # Others' guesses at the new name are not to lock this phone out.
        throttles.know(what=sealing.index(name), key=key)
    _end_others(asked["end_other_sessions"])
    return {"sign_in_name": name, "set_at": at}


@door.post(
    "/totp/options",
    operation="offerMyTotp",
    scope="account:write",
    summary="A secret for an authenticator app",
    steps_up=True,
)
@door.answers(TotpOptionsAnswer)
def offer_my_totp() -> dict[str, str]:
    """Good for ten minutes. Nothing is set yet: a code of it confirms it."""
    offer, secret = offers.totp_secret(patient_id=answering.patient_id(), at=clock.wall())
    return {"offer": offer, "secret": secret, "uri": totp.uri(secret, label=ceremonies.LABEL)}


@door.put(
    "/totp",
    operation="putMyTotp",
    scope="account:write",
    summary="Set up one-time codes",
    refusals=[offers.CodeRefused],
    steps_up=True,
)
@door.asks(TotpAsk)
@door.answers(None, status=204)
def put_my_totp(asked: dict[str, Any]) -> None:
    """Sets the offered secret once a code of it is right, in place of an earlier one. The patient is told."""
    patient_id, at = answering.patient_id(), clock.wall()
    secret, step = offers.totp_confirmed(patient_id=patient_id, offer=asked["offer"], code=asked["code"], at=at)
    authenticators.set_password(
        patient_id=patient_id,
        name=None,
        password_hash=None,
        totp_secret=authenticators.sealed_totp(patient_id, secret),
        totp_step=step,
        at=at,
    )
    _end_others(asked["end_other_sessions"])


def _refuse_the_name() -> None:
    """Of a name that stays, the house knows the index alone; a password that is the name is refused all the same."""
    detail, detail_es = passwords.GUIDANCE["like_the_name"]
    raise passwords.PasswordRefused(detail, detail_es=detail_es, extra={"reason": "like_the_name"})


def _end_others(asked: bool) -> None:
    """ASVS 5.0 7.4.3: whoever changes a way in may end what the old one opened."""
    own = answering.caller().app_session_id
    if asked and app_sessions.sign_out(patient_id=answering.patient_id(), reason="revoked", keep=own):
        notices.tell(answering.patient_id(), notices.ENDED)
