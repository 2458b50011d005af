"""选址, where no plan keeps the rules: which rules contradict each other, and one click for each way out."""

import math
from functools import partial
from typing import Any

import streamlit as st

from walkshed.errors import Fault, InfeasibleError
from walkshed.views.answers import ground_of
from walkshed.views.desk import Desk, doing, plain, revised
from walkshed.words import say


def relaxed(desk: Desk, error: InfeasibleError) -> None:
    """The smallest set of rules that cannot all be kept, and what would have to give."""
    names = _names(desk)
    rules = [f for f in error.faults if not f.key.startswith("siting.relax_")]
    ways = [f for f in error.faults if f.key.startswith("siting.relax_")]
    st.error("\n\n".join([desk.say("infeasible"), *(f"- {plain(_said(desk, f, names))}" for f in rules)]))
    if not ways:
        return
    st.markdown(desk.say("ways_out"))
    for number, fault in enumerate(ways):
        new, words = way_out(desk, fault), _offered(desk, fault, names)
        st.button(
            plain(words), key=f"way-{number}", disabled=new is None, icon=":material/build:",
            on_click=doing(partial(_take, desk, new, words)),
        )  # fmt: skip


def _names(desk: Desk) -> dict[str, str]:
    """What people call the units and places that rules name by their ids."""
    city = ground_of(desk.scenario).city
    units = city.area.units["label"].astype(str).to_dict()
    return {**units, **{str(i): str(n) for i, n in city.candidates["name"].items() if n}}


def _named(desk: Desk, text: object, names: dict[str, str]) -> str:
    return desk.say("and_so").join(names.get(part.strip(), part.strip()) for part in str(text).split(","))


def _said(desk: Desk, fault: Fault, names: dict[str, str]) -> str:
    """A rule in a sentence, ids replaced by what people say."""
    known = {
        key: _named(desk, value, names) if key in ("name", "names") else value for key, value in fault.values.items()
    }
    return say(fault.key, desk.lang, **known)


def _offered(desk: Desk, fault: Fault, names: dict[str, str]) -> str:
    """What a click would do."""
    if fault.key in ("siting.relax_build", "siting.relax_budget"):
        return desk.say(
            f"way_{fault.key.removeprefix('siting.relax_')}", needed=math.ceil(fault.values["needed"] - 1e-6)
        )
    return desk.say("way_others", names=_named(desk, fault.values.get("names", ""), names))


def _take(desk: Desk, new: dict[str, Any] | None, words: str) -> None:
    if new is not None:
        revised(desk, desk.say("why_relax", what=words), siting=new)


def way_out(desk: Desk, fault: Fault) -> dict[str, Any] | None:
    """Keys of `[siting]` with which the rule gives way; None where the page knows no single change that does it."""
    own, values = desk.scenario.siting, fault.values
    if fault.key in ("siting.relax_build", "siting.relax_budget"):
        if own.years:
            return None
        needed = math.ceil(float(values["needed"]) - 1e-6)
        return {"build": needed} if fault.key.endswith("build") else {"budget": float(needed)}
    names = {name.strip() for name in str(values.get("names", "")).split(",")}
    rule = str(values.get("rule", ""))
    if rule in ("floor", "ceiling"):
        return {f"{rule}s": {u: n for u, n in getattr(own, f"{rule}s").items() if u not in names} or None}
    if rule in ("require", "forbid"):
        key = "required" if rule == "require" else "forbidden"
        return {key: [site for site in getattr(own, key) if site not in names] or None}
    if rule == "kind":
        return {"kind_ceilings": {k: n for k, n in own.kind_ceilings.items() if k not in names} or None}
    alone: dict[str, dict[str, Any]] = {"spacing": {"min_spacing_m": None}, "settlement": {"every_settlement_by": None}}
    return alone.get(rule)
