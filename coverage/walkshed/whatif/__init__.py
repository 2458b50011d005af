"""What would be if: a scenario's changes laid on the city, a place tried out, a gap looked at, two answers compared."""

from walkshed.whatif.changes import changed
from walkshed.whatif.compare import Difference, compare
from walkshed.whatif.place import GapCard, Place, gap_card, mean_walk_m, try_place

__all__ = ["Difference", "GapCard", "Place", "changed", "compare", "gap_card", "mean_walk_m", "try_place"]
