"""create_app: the only file that knows everyone.

It reads the configuration, opens the database, registers the doors, and lets the slices hear each other's events.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from flask import Flask, Request
from flask.json.provider import JSONProvider
from flask.sessions import NullSession, SessionInterface, SessionMixin
from limits import RateLimitItemPerHour
from werkzeug.routing import MapAdapter

from api import (
    audit,
    auth,
    body,
    clock,
    config,
    db,
    dpop,
    errors,
    events,
    health,
    idempotency,
    keys,
    language,
    login,
    observe,
    outward,
    pages,
    queue,
    reading,
    refusals,
    refusing,
    safekeeping,
    throttle,
)
from api.access import client_authentication, clinic_audit, hashing, notices, sealing, standing, terms, throttles
from api.access import clinic as access_clinic
from api.access import oauth as access_oauth
from api.access import patient as access_patient
from api.access import patient_passkeys as passkeys_patient
from api.access import patient_passwords as passwords_patient
from api.access import public as access_public
from api.access import service as access
from api.access import worker as access_worker
from api.checkins import clinic as checkins_clinic
from api.checkins import patient as checkins_patient
from api.checkins import planning as checkins_planning
from api.checkins import public as instruments_public
from api.contract import Operation
from api.enrollments import clinic as enrollments_clinic
from api.enrollments import patient as enrollments_patient
from api.enrollments import transitions
from api.messages import clinic as contacts_clinic
from api.messages import (
    deliveries,
    devices,
    keyed,
    post,
    provider,
    providers,
    public_unsubscribe,
    push_keys,
    worker_contacts,
)
from api.messages import gateway as gateways
from api.messages import patient_contacts as contacts_patient
from api.messages import patient_devices as devices_patient
from api.messages.events import DeliveryReported
from api.patients import clinic as patients_clinic
from api.patients import patient as patients_patient
from api.patients import service as patients
from api.patients import zones
from api.patients.events import PatientStatusChanged
from api.privacy import clinic as consents_clinic
from api.privacy import clinic_disclosures as disclosures_clinic
from api.privacy import clinic_restrictions as restrictions_clinic
from api.privacy import notice_texts, waiting
from api.privacy import patient as consents_patient
from api.privacy import patient_disclosures as disclosures_patient
from api.privacy import patient_notice as notice_patient
from api.privacy import patient_restrictions as restrictions_patient
from api.privacy import public as notice_public
from api.privacy.events import ConsentGiven
from api.programs import about
from api.programs import clinic as programs_clinic
from api.programs import clinic_capacity as capacity_clinic
from api.programs import clinic_locations as locations_clinic
from api.programs import partner as programs_partner
from api.programs import public as programs_public
from api.programs import public_app as app_public
from api.programs import public_locations as locations_public
from api.referrals import clinic as referrals_clinic
from api.referrals import clinic_admitting as admitting_clinic
from api.referrals import intake, telling
from api.referrals import partner as referrals_partner
from api.referrals import public as referral_requests_public
from api.referrals import requests as referral_requests
from api.referrals import worker as referrals_worker
from api.reminders import ahead as reminders_ahead
from api.reminders import clinic as reminders_clinic
from api.reminders import hearing as reminders
from api.reminders import patient as reminders_patient
from api.reminders import patient_receipts as receipts_patient
from api.reminders import reported as reminders_reported
from api.reminders import worker as reminders_worker
from api.sessions import clinic as sessions_clinic
from api.sessions import clinic_attending as attending_clinic
from api.sessions import clinic_dose, dose, patient_feeds, patient_progress, public_calendar, replies, room_codes
from api.sessions import clinic_series as series_clinic
from api.sessions import hearing as sessions_hearing
from api.sessions import patient as sessions_patient
from api.sessions import texted as sessions_texted
from api.sessions import worker as sessions_worker
from api.staff import clinic as staff_clinic
from api.staff import duty
from api.staff import texted as staff_texted
from api.staff import worker as staff_worker
from api.today import hearing as today_hearing
from api.today import patient as today_patient
from api.today import patient_changes as changes_patient
from api.webhooks import checks
from api.webhooks import partner as webhooks_partner
from api.webhooks import partner_deliveries as deliveries_partner
from api.webhooks import worker as webhooks_worker

DOORS = (
    programs_public.door,
    locations_public.door,
    app_public.door,
    programs_clinic.door,
    locations_clinic.door,
    capacity_clinic.door,
    programs_partner.door,
    referral_requests_public.door,
    referrals_partner.door,
    patients_patient.door,
    patients_clinic.door,
    access_clinic.door,
    access_patient.door,
    passkeys_patient.door,
    passwords_patient.door,
    devices_patient.door,
    contacts_patient.door,
    contacts_clinic.door,
    access_oauth.door,
    clinic_audit.door,
    today_patient.door,
    changes_patient.door,
    enrollments_patient.door,
    enrollments_clinic.door,
    sessions_patient.door,
    patient_progress.door,
    patient_feeds.door,
    clinic_dose.door,
    series_clinic.door,
    sessions_clinic.door,
    attending_clinic.door,
    reminders_patient.door,
    reminders_clinic.door,
    receipts_patient.door,
    instruments_public.door,
    checkins_patient.door,
    checkins_clinic.door,
    notice_public.door,
    consents_patient.door,
    restrictions_patient.door,
    notice_patient.door,
    disclosures_patient.door,
    consents_clinic.door,
    restrictions_clinic.door,
    disclosures_clinic.door,
    staff_clinic.door,
    referrals_clinic.door,
    admitting_clinic.door,
    webhooks_partner.door,
    deliveries_partner.door,
)


class OrjsonProvider(JSONProvider):
    """Flask's JSON by orjson: bytes in, bytes out."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)


class NoSessions(SessionInterface):
    """Nothing is kept in a browser: Flask is spared looking for a cookie at every request."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return _nothing

    def is_null_session(self, obj: object) -> bool:
        return True


_nothing = NullSession()


class Continuum(Flask):
    """The application; `settings` is what the deployment set."""

    json_provider_class = OrjsonProvider
    session_interface = NoSessions()
    settings: config.Config

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Routes know no hosts, so none is parsed; and no address is ever built from the request's."""
        if request is None:
            return None
        environ = request.environ
        return MapAdapter(
            self.url_map, "localhost", "/", "", "http", request.path, request.method, environ["QUERY_STRING"]
        )


def create_app(settings: config.Config | None = None) -> Continuum:
    """The WSGI application. Raises `config.Misconfigured` rather than start half-configured."""
    settings = settings or config.read()
    app = Continuum("api", static_folder=None, template_folder=None)
    app.settings = settings
    # An address with a slash too many is not there, rather than a redirect to whatever host the request named.
    app.url_map.merge_slashes = False
    app.config.update(
        MAX_CONTENT_LENGTH=settings.body_limit, API_TITLE="Continuum", API_VERSION="v1", OPENAPI_VERSION="3.1.1"
    )
    open_house(settings)
    app.extensions["arrivals"] = body.Arrivals(settings.threads)
    app.extensions["throttle"] = throttle.Throttle(settings.requests_per_minute)
    app.extensions["keys"] = keys.KeyFile(settings.token_keys_file)
    app.extensions["tokens"] = tokens = auth.Tokens(
        app.extensions["keys"].current, issuer=settings.public_url, remembered=settings.token_cache
    )
    sign_in(settings, tokens)
    app.extensions["nonces"] = dpop.Nonces(sealing.key_for("nonces of the API"))
    app.extensions["nonces of sign-in"] = dpop.Nonces(sealing.key_for("nonces of sign-in"))
    app.extensions["bearer apps"] = settings.bearer_apps
    app.wsgi_app = observe.Watched(app.wsgi_app)  # type: ignore[method-assign]
    app.before_request(refusing.refuse_the_unreadable)
    app.register_error_handler(errors.Refusal, refusing.refused)
    app.register_error_handler(Exception, refusing.failed)
    smorest = refusing.Api(app)
    # Calendars speak iCalendar, so theirs is no part of the contract in JSON.
    for door in (*DOORS, public_calendar.door):
        smorest.register_blueprint(door)
    app.register_blueprint(health.health)
    app.register_blueprint(reading.reading)
    app.register_blueprint(access_public.discovery)
    app.register_blueprint(provider.hooks)
    app.register_blueprint(public_unsubscribe.unsubscribing)
    return app


def open_house(settings: config.Config) -> None:
    """What every process of ours needs, with or without HTTP: the database, secrets, the slices' wiring."""
    login.open_engine(settings)
    db.ask_standing("patient", standing.of_patient)
    db.ask_standing("clinic", standing.of_client)
    db.ask_standing("partner", standing.of_client)
    pages.use_secret(settings.cursor_secret)
    sealing.use(settings.access_secret)
    keyed.use(settings.access_secret)
    safekeeping.use(settings.encryption_keys)
    language.ask_preference(patients.language)
    about.use(
        settings,
        privacy_notice=notice_texts.CURRENT,
        web_push_key=push_keys.web_push(settings.carriers.web_push),
    )
    zones.use_clinic_zone(settings.clinic_time_zone)
    dose.use_floors(settings.weekly_floor_hours)
    clock.use(settings.clock_file)
    gateways.use(gateways.of(settings.messages_file))
    devices.use(settings.carriers.web_push)
    replies.use(timedelta(hours=settings.late_cancellation_hours))
    room_codes.use(sealing.key_for("room codes"))
    referral_requests.use(settings.referral_requests_per_hour)
    referrals_worker.use(overdue_hours=settings.intake_overdue_hours, kept_days=settings.referral_kept_days)
    waiting.use(days=settings.consent_waits_days)
    intake.use(settings)
    duty.use(settings.duty_contacts, needed=not settings.development)
    ports = None if settings.outward_loopback else (443,)
    outward.use(
        outward.Outward(
            loopback=settings.outward_loopback,
            ca_file=settings.outward_ca_file,
            allowed_ports=ports,
            listed=settings.webhook_loopback,
        )
    )
    subscribe()
    notices.register()
    worker_contacts.register()


def carry(settings: config.Config) -> None:
    """What a process needs that sends messages. Raises what a carrier's own key raises."""
    post.use(post.Post(providers.of(settings)))


def sign_in(settings: config.Config, tokens: auth.Tokens) -> None:
    """On what terms phones and systems come in."""
    terms.use(
        terms.Terms(
            tokens=tokens,
            issuer=settings.public_url,
            apps=settings.apps,
            unbound=settings.bearer_apps,
            idle=timedelta(minutes=settings.sign_in_idle_minutes),
            longest=timedelta(hours=settings.sign_in_hours),
        )
    )
    hashing.use(settings.threads)
    an_address = RateLimitItemPerHour(settings.address_tries_per_hour)
    throttles.use(throttles.Tries(address=an_address))
    client_authentication.use(an_address)


def _may_tell(client_id: UUID, subject_id: UUID, version: int) -> bool:
    """Asked right before a webhook says that a referral has changed."""
    return telling.may_tell(client_id=client_id, subject_id=subject_id, version=version, at=clock.now())


def subscribe() -> None:
    """Who hears what. Subscribing again changes nothing."""
    checks.register(telling.UPDATED, _may_tell)
    events.subscribe(PatientStatusChanged, access.on_status_changed)
    events.subscribe(PatientStatusChanged, transitions.on_status_changed)
    events.subscribe(DeliveryReported, deliveries.on_reported)
    events.subscribe(ConsentGiven, telling.on_consent_given)
    for kind, handler in reminders_reported.SUBSCRIPTIONS:
        events.subscribe(kind, handler)
    for kind, handler in today_hearing.SUBSCRIPTIONS:
        events.subscribe(kind, handler)
    for kind, handler in (*staff_texted.SUBSCRIPTIONS, *sessions_texted.SUBSCRIPTIONS):
        events.subscribe(kind, handler)
    for kind, handler in (*sessions_hearing.SUBSCRIPTIONS, *reminders.SUBSCRIPTIONS, *checkins_planning.SUBSCRIPTIONS):
        events.subscribe(kind, handler)


def ticks() -> None:
    """What the workers do by the clock. Registering again changes nothing."""
    for seconds, name, function in (
        (1, "reminders", reminders_worker.run),
        (3600, "reminders of check-ins", reminders_ahead.run),
        (3600, "deliveries", reminders_worker.prune),
        (15, "early reports", reminders_worker.hear_early_reports),
        (2, "alerts", staff_worker.run),
        (10, "audit-seals", _seal),
        (3600, "series", sessions_worker.run),
        (60, "requests-to-move", sessions_worker.close_begun),
        (3600, "idempotency-records", _forget),
        (60, "referrals", referrals_worker.run),
        (60, "access", access_worker.run),
        (3600, "devices", devices.forget_unseen),
        (3600, "contacts", worker_contacts.forget_old),
        (30, "refusals", refusals.tell),
        (5, "webhooks", webhooks_worker.sweep),
        (3600, "webhook-events", webhooks_worker.forget_old),
    ):
        queue.every(seconds, name)(function)


def _seal() -> bool:
    with db.transaction(db.WORKER):
        return audit.seal() == audit.SEAL_BATCH


def _forget() -> None:
    with db.transaction(db.WORKER):
        idempotency.forget_old()


def operations() -> list[Operation]:
    """Every operation of every door, in the order of the contract."""
    return [operation for door in DOORS for operation in door.operations]
