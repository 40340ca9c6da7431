"""Rules that are tried with requests use the demo clinic."""

from tests.world import sam, there

__all__ = ["sam", "there"]
