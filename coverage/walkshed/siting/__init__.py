"""Where to build: provable plans under a library's real rules."""

from walkshed.siting.cover import max_cover
from walkshed.siting.result import Siting

__all__ = ["Siting", "max_cover"]
