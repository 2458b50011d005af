"""What is shown while something takes time: a sentence, and nothing that jumps."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from walkshed.views.answers import answered
from walkshed.views.desk import Desk


@contextmanager
def waiting(desk: Desk, key: str = "counting") -> Iterator[None]:
    """Say what is going on: a city is read once, after which an answer is a matter of a second."""
    with st.spinner(desk.say(key if answered(desk.scenario) else "preparing")):
        yield
