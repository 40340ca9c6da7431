"""What the clinic says of itself in its configuration: name, numbers, zone, and what its app needs to know."""

from dataclasses import dataclass
from datetime import timedelta

from api.config import Config


@dataclass(frozen=True, slots=True)
class Clinic:
    """None is not configured, and then absent from every answer: a number is never made up."""

    name: str = "The clinic"
    url: str = ""
    time_zone: str = "America/New_York"
    phone: str | None = None
    support_email: str | None = None
    minimum_app_version: str | None = None
    app_features: tuple[str, ...] = ()
    privacy_notice: str | None = None
    catalogue_max_age_seconds: float = 0.0
    web_push_key: str | None = None
    capacity_good_for: timedelta = timedelta(hours=72)


_clinic = Clinic()


def use(settings: Config, *, privacy_notice: str | None = None, web_push_key: str | None = None) -> None:
    """Speak for the clinic that `settings` configures; `privacy_notice` is the version of its notice of now, and pushes
    to browsers are signed under `web_push_key`."""
    global _clinic
    _clinic = Clinic(
        name=settings.clinic_name,
        url=settings.public_url,
        time_zone=settings.clinic_time_zone,
        phone=settings.clinic_phone,
        support_email=settings.support_email,
        minimum_app_version=settings.minimum_app_version,
        app_features=settings.app_features,
        privacy_notice=privacy_notice,
        catalogue_max_age_seconds=settings.catalogue_max_age_seconds,
        web_push_key=web_push_key,
        capacity_good_for=timedelta(hours=settings.capacity_stale_hours),
    )


def clinic() -> Clinic:
    """The clinic of this process."""
    return _clinic
