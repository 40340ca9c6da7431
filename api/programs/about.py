"""What the clinic says of itself in its configuration: name, numbers, zone, and what its app needs to know."""

from dataclasses import dataclass

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
    catalogue_max_age_seconds: float = 0.0


_clinic = Clinic()


def use(settings: Config) -> None:
    """Speak for the clinic that `settings` configures."""
    global _clinic
    _clinic = Clinic(
        name=settings.clinic_name,
        url=settings.public_url,
        time_zone=settings.clinic_time_zone,
        phone=settings.clinic_phone,
        support_email=settings.support_email,
        minimum_app_version=settings.minimum_app_version,
        app_features=settings.app_features,
        catalogue_max_age_seconds=settings.catalogue_max_age_seconds,
    )


def clinic() -> Clinic:
    """The clinic of this process."""
    return _clinic
