"""What the gateway of `sms` reports later, in its own words and codes. Apart from what sends, so that whoever hears a
report loads no carrier's library."""

# These numbers are gone, or were never mobile ones.
GONE = frozenset({"30005", "30006", "21211", "21614"})
OPTED_OUT = "21610"
SETTLED = {"delivered": "delivered", "read": "delivered", "undelivered": "failed", "failed": "failed"}


def reported(status: str) -> str:
    """A status as the gateway reports it, as `DeliveryReported` says it."""
    return SETTLED.get(status, "on_its_way")
