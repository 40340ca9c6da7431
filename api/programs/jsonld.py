"""The catalogue as schema.org JSON-LD, for search engines.

What the clinic offers is an `availableService` of the clinic; a level that is only shown for orientation
stands alone, so that nothing says it is to be had here.
"""

from typing import Any

from api.programs import presentation
from api.programs.about import Clinic
from api.programs.edition import Edition, Location, Program

Json = dict[str, Any]

CONTEXT = "https://schema.org"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def program(edition: Edition, one: Program, clinic: Clinic, language: str) -> Json:
    """One program: as a service of the clinic where it is offered, else as a therapy by itself."""
    if not one.offered_here:
        return {"@context": CONTEXT, **_therapy(one, clinic, language)}
    return _clinic(edition.places_of(one.slug), clinic) | {"availableService": _therapy(one, clinic, language)}


def programs(edition: Edition, clinic: Clinic, language: str) -> Json:
    """The clinic with everything that it offers."""
    offered = [_therapy(one, clinic, language) for one in edition.programs if one.offered_here]
    return _clinic(list(edition.locations), clinic) | {"availableService": offered}


def _clinic(locations: list[Location], clinic: Clinic) -> Json:
    described = {
        "@context": CONTEXT,
        "@type": "MedicalClinic",
        "@id": f"{clinic.url}/#clinic",
        "name": clinic.name,
        "telephone": clinic.phone,
        "location": [_place(one) for one in locations] or None,
    }
    return presentation.known(described)


def _therapy(one: Program, clinic: Clinic, language: str) -> Json:
    address = f"{clinic.url}/v1/programs/{one.slug}"
    described = {
        "@type": "MedicalTherapy",
        "@id": address,
        "url": address,
        "name": {"@value": one.name(language), "@language": language},
        "alternateName": one.content["aliases"][language] or None,
        "description": {"@value": one.content["summary"][language], "@language": language},
    }
    return presentation.known(described)


def _place(location: Location) -> Json:
    details = location.details
    street = ", ".join(part for part in (details["street"], details["street_2"]) if part)
    described = {
        "@type": "Place",
        "@id": f"urn:uuid:{location.id}",
        "name": details["name"],
        "telephone": details["phone"],
        "address": {
            "@type": "PostalAddress",
            "streetAddress": street,
            "addressLocality": details["city"],
            "addressRegion": details["region"],
            "postalCode": details["postal_code"],
            "addressCountry": details["country"],
        },
        "openingHoursSpecification": [
            {
                "@type": "OpeningHoursSpecification",
                "dayOfWeek": f"{CONTEXT}/{DAYS[hours.weekday - 1]}",
                "opens": hours.opens.isoformat(),
                "closes": "23:59:59" if hours.closes.isoformat() == "00:00:00" else hours.closes.isoformat(),
            }
            for hours in location.hours
        ],
    }
    return presentation.known(described)
