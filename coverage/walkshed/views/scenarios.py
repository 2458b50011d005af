"""方案: try a place with a pin, change outlets, each change with its why; name, copy, put away, compare, exchange."""

from collections.abc import Callable

import streamlit as st

from walkshed.views.desk import Desk
from walkshed.views.scenarios_compare import compared
from walkshed.views.scenarios_pin import pinned
from walkshed.views.scenarios_shelf import history, shelf

PARTS: dict[str, Callable[[Desk], None]] = {
    "pin": pinned,
    "history": history,
    "shelf": shelf,
    "compare": compared,
}


def show(desk: Desk) -> None:
    """One part at a time; which one stands in the address."""
    asked = st.query_params.get("part", "pin")
    st.session_state["part"] = asked if asked in PARTS else "pin"

    def chosen() -> None:
        st.query_params["part"] = st.session_state["part"]

    part = st.segmented_control(
        desk.say("parts"), list(PARTS), key="part", format_func=lambda p: desk.say(f"part_{p}"), required=True,
        on_change=chosen, label_visibility="collapsed",
    )  # fmt: skip
    PARTS[part or "pin"](desk)
