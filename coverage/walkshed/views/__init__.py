"""The planners' app: six views on one scenario. It computes no number itself; every figure is the plan's."""

from walkshed.views.page import main

__all__ = ["main"]
