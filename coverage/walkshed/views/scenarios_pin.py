"""方案, the map: drop a pin and see whom it serves; open, close and move outlets, require and forbid places."""

from functools import partial
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
import streamlit as st

from walkshed.plan import kinds_of
from walkshed.supply import kinds, label
from walkshed.views import scene
from walkshed.views.answers import Answer, answer, script_of
from walkshed.views.desk import Desk, commit, doing, plain
from walkshed.views.mapview import draw
from walkshed.views.shapes import degrees_of, metric, steadily
from walkshed.views.today import groups_told
from walkshed.views.waiting import waiting
from walkshed.whatif import Place, changed, try_place

MAP, NEAR_M = 430, 150.0
Pin = dict[str, Any]


def pinned(desk: Desk) -> None:
    """Map on the left, what is chosen on it on the right."""
    with waiting(desk):
        found = answer(desk.scenario, propose=False, with_gaps=False)
    left, right = st.columns([3, 2], gap="medium")
    pin: Pin | None = st.session_state.get("pin")
    tried = None
    with right:
        if pin is None:
            st.info(desk.say("pin_how"))
            totals = found.plan.totals
            st.metric(desk.say("head_served"), f"{totals['served_before']:,.0f}", f"{totals['share_before']:.1%}",
                      delta_color="off", delta_arrow="off")  # fmt: skip
        elif pin["site"]:
            known_site(desk, found, pin["site"])
        else:
            tried = new_place(desk, found, pin)
    with left:
        clicked(desk, found, pin, tried)


def clicked(desk: Desk, found: Answer, pin: Pin | None, tried: Place | None) -> None:
    """The map; a click on a thing chooses it, a click beside it drops the pin."""
    layers, legend, note = scene.people(desk, found, ("unserved", "served"))
    dots, kinds_there = scene.outlets(desk, found)
    spots, one = scene.places(desk, found, colours=_marked(desk))
    layers = [*layers, *spots, *dots]
    if pin is not None:
        layers.append({"key": "pin", "draw": "pins", "items": [{"at": pin["at"], "above": 3000}]})
        if tried is not None and tried.foot is not None:
            foot = degrees_of(gpd.GeoSeries([shapely.Point(tried.foot)], crs=found.plan.area.crs))
            layers.append({"key": "pin", "draw": "lines", "items": [{"line": [pin["at"], *foot]}]})
    picture = scene.scene(
        desk, layers, [*legend, *kinds_there, *one], schematic=found.plan.schematic, note=note, aim=True
    )

    def drop(at: tuple[float, float], thing: bool) -> None:  # noqa: FBT001  the map's own words
        moving = pin and not thing and st.session_state.get(f"moving-{pin['site']}")
        site = pin["site"] if moving and pin else _site_at(found, at) if thing else None
        st.session_state["pin"] = {"at": list(at), "site": site}

    draw(script_of(found), picture, key="map", height=MAP, clicked=drop)


def _marked(desk: Desk) -> dict[str, str]:
    asked = desk.scenario.siting
    return {**dict.fromkeys(asked.required, "#7a1fa2"), **dict.fromkeys(asked.forbidden, "#22262b")}


def _site_at(found: Answer, at: tuple[float, float]) -> str | None:
    """The outlet or candidate that was clicked: the nearest one, if it is near."""
    point = metric(at, found.plan.area.crs)
    both = pd.concat([found.plan.outlets.geometry, found.plan.candidates.geometry])
    away = gpd.GeoSeries(both, crs=found.plan.area.crs).distance(point)
    return str(away.idxmin()) if len(away) and away.min() <= NEAR_M else None


def new_place(desk: Desk, found: Answer, pin: Pin) -> Place | None:
    """An outlet tried out where the pin is; adding it is a change with a why."""
    plan, lat, lon = found.plan, pin["at"][0], pin["at"][1]
    if found.ground.given is not None:
        st.info(desk.say("pin_given"))
        return None
    own = kinds_of(desk.scenario)
    options = [key for key, kind in kinds().items() if kind.role != "candidate"]
    st.session_state.setdefault("pin_kind", "reading_room" if "reading_room" in options else options[0])
    kind = st.selectbox(desk.say("kind"), options, key="pin_kind", format_func=lambda k: label(k, desk.lang))
    point = metric((lat, lon), plan.area.crs)
    tried = steadily(
        lambda: try_place(changed(found.ground, desk.scenario), plan.demand, point, own[kind], desk.scenario)
    )
    if tried.foot is None:
        st.warning(desk.say("pin_off", max_m=desk.scenario.standard.max_access_m))
        return tried
    if own[kind].share == 0.0:
        st.warning(desk.say("pin_kind_off", kind=label(kind, desk.lang)))
    one, two = st.columns(2)
    one.metric(desk.say("pin_people"), f"{tried.people:,.0f}")
    two.metric(desk.say("pin_more"), f"{tried.more:,.0f}")
    where = plain(" · ".join(filter(None, [str(plan.units["label"].get(tried.unit, "")), tried.street])))
    walk = desk.say("metres", n=tried.walk_m) if tried.people else "–"
    st.caption(
        desk.say("pin_told", groups=groups_told(desk, tried.groups), walk=walk, access_m=tried.access_m, where=where)
    )
    name = st.text_input(desk.say("name"), key="pin_name", max_chars=60, placeholder=label(kind, desk.lang))
    why = st.text_input(desk.say("why"), key="pin_why", max_chars=200, placeholder=desk.say("why_needed"))
    for column, status in zip(st.columns(3), ("open", "planned", "candidate"), strict=True):
        column.button(
            desk.say(f"add_{status}"), width="stretch", key=f"add-{status}", help=desk.say(f"add_{status}_help"),
            type="primary" if status == "open" else "secondary",
            on_click=doing(partial(_add, desk, status, kind, (name or label(kind, desk.lang), why), (lon, lat))),
        )  # fmt: skip
    return tried


def _add(desk: Desk, status: str, kind: str, told: tuple[str, str], at: tuple[float, float]) -> None:
    name, why = told
    number = 1 + sum(change.type == "add" for change in desk.scenario.change)
    taken = {getattr(change, "site", "") for change in desk.scenario.change}
    site = next(f"new-{n}" for n in range(number, number + len(taken) + 2) if f"new-{n}" not in taken)
    change = {"type": "add", "site": site, "name": name, "kind": kind, "status": status,
              "lon": round(at[0], 6), "lat": round(at[1], 6), "crs": "wgs84"}  # fmt: skip
    _change(desk, change, why, desk.say(f"why_add_{status}", name=name))


def _change(desk: Desk, change: dict[str, Any], why: str, otherwise: str) -> None:
    """Append a change; its why is the reader's, or says what it does."""
    told = " ".join(why.split()) or otherwise
    changes = [c.model_dump(mode="json", exclude_unset=True, exclude_none=True) for c in desk.scenario.change]
    commit(desk, desk.scenario.revise(change=[*changes, {**change, "why": told}]), told)
    st.session_state["pin"] = None
    st.session_state["pin_name"] = st.session_state["pin_why"] = ""


def known_site(desk: Desk, found: Answer, site: str) -> None:
    """A card of an outlet or candidate with what can be done to it."""
    plan = found.plan
    table = plan.outlets if site in plan.outlets.index else plan.candidates
    row = table.loc[site]
    name, status = str(row["name"] or label(row["kind"], desk.lang)), row["status"]
    st.markdown(f"**{plain(name)}**")
    unit = plan.units["label"].get(str(row.get("unit") or ""), "")
    told = [label(row["kind"], desk.lang), desk.say(f"status_{status}"), str(unit), str(row.get("address") or "")]
    st.caption(plain(" · ".join(filter(None, told))))
    why = st.text_input(desk.say("why"), key="pin_why", max_chars=200, placeholder=desk.say("why_needed"))
    one, two = st.columns(2)
    if site in plan.outlets.index:
        act = "close" if status == "open" else "open"
        one.button(
            desk.say(f"do_{act}"), width="stretch", type="primary",
            on_click=doing(lambda: _change(desk, {"type": act, "site": site}, why, desk.say(f"why_{act}", name=name))),
        )  # fmt: skip
    else:
        _lock(desk, site, name, (one, two))
    _move(desk, site, name, why)


def _lock(desk: Desk, site: str, name: str, columns: tuple[Any, Any]) -> None:
    """Require or forbid a candidate, or leave it free again."""
    asked = desk.scenario.siting
    for column, key, other in zip(columns, ("required", "forbidden"), ("forbidden", "required"), strict=True):
        on = site in getattr(asked, key)

        def turn(key: str = key, other: str = other, *, on: bool = on) -> None:
            rest = [s for s in getattr(asked, key) if s != site]
            new = {key: rest if on else [*rest, site], other: [s for s in getattr(asked, other) if s != site]}
            word = desk.say(f"why_free_{key}" if on else f"why_{key}", name=name)
            commit(desk, desk.scenario.revise(siting=new), word)

        column.button(
            desk.say(f"free_{key}" if on else f"do_{key}"), width="stretch", on_click=doing(turn), key=f"lock-{key}"
        )


def _move(desk: Desk, site: str, name: str, why: str) -> None:
    """Move a site: mark it first, then drop the pin where it should stand."""
    with st.expander(desk.say("do_move")):
        at = st.session_state["pin"]["at"]
        st.toggle(desk.say("move_by_click"), key=f"moving-{site}", help=desk.say("move_by_click_help"))
        lat = st.number_input(desk.say("lat"), value=at[0], format="%.6f", step=0.0005, key=f"lat-{site}-{at}")
        lon = st.number_input(desk.say("lon"), value=at[1], format="%.6f", step=0.0005, key=f"lon-{site}-{at}")
        change = {"type": "move", "site": site, "lon": round(lon, 6), "lat": round(lat, 6), "crs": "wgs84"}
        st.button(
            desk.say("move_there"), width="stretch",
            on_click=doing(lambda: _change(desk, change, why, desk.say("why_move", name=name))),
        )  # fmt: skip
