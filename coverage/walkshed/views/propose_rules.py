"""选址, where no plan keeps the rules: which rules contradict each other, and one click for each way out."""

import math
from functools import partial
from typing import Any

import streamlit as st

from walkshed.errors import Fault, InfeasibleError
from walkshed.views.desk import Desk, doing, plain, revised


def relaxed(desk: Desk, error: InfeasibleError) -> None:
    """The smallest set of rules that cannot all be kept, and what would have to give."""
    rules = [f for f in error.faults if not f.key.startswith("siting.relax_")]
    ways = [f for f in error.faults if f.key.startswith("siting.relax_")]
    st.error("\n\n".join([desk.say("infeasible"), *(f"- {plain(_said(desk, f))}" for f in rules)]))
    if not ways:
        return
    st.markdown(desk.say("ways_out"))
    for number, fault in enumerate(ways):
        new = way_out(desk, fault)
        st.button(
            plain(_said(desk, fault)), key=f"way-{number}", disabled=new is None, icon=":material/build:",
            on_click=doing(partial(_take, desk, new, fault)),
        )  # fmt: skip


def _said(desk: Desk, fault: Fault) -> str:
    return fault.text(desk.lang).split("：" if desk.lang == "zh" else ": ", 1)[-1]


def _take(desk: Desk, new: dict[str, Any] | None, fault: Fault) -> None:
    if new is not None:
        revised(desk, desk.say("why_relax", what=_said(desk, fault)), siting=new)


def way_out(desk: Desk, fault: Fault) -> dict[str, Any] | None:
    """Keys of `[siting]` with which the rule gives way; None where the page knows no single change that does it."""
    own, values = desk.scenario.siting, fault.values
    if fault.key in ("siting.relax_build", "siting.relax_budget"):
        if own.years and fault.key == "siting.relax_build":
            return None
        name = fault.key.removeprefix("siting.relax_")
        needed = float(values["needed"])
        return {name: math.ceil(needed - 1e-6) if name == "build" else math.ceil(needed * 100) / 100}
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
