"""The catalogue that ships with the code: one file a program, as the clinic's own article states it.

Each file has the shape of a revision (`schemas.programs.ProgramRevisionAsk`). Facts and figures are the
article's; the sentences are ours; what the article does not say is not in the file. The ASAM codes are a
mapping of ours that the clinic has not confirmed.
"""

import json
from pathlib import Path
from typing import Any

# In the order in which they are shown: what is offered first, then the levels above it.
SLUGS = ("iop", "op", "php", "inpatient", "detox")


def shipped() -> dict[str, dict[str, Any]]:
    """First revision of every program by slug, in the order of the catalogue."""
    return {slug: json.loads((Path(__file__).parent / f"{slug}.json").read_text("utf-8")) for slug in SLUGS}
