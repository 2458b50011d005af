"""propose."""

from walkshed.views.desk import Desk


def show(desk: Desk) -> None:
    """Nothing yet."""
