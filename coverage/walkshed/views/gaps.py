"""缺口: where people without service live together, largest first; list and map point at each other."""

from typing import Any

import geopandas as gpd
import pandas as pd
import streamlit as st

from walkshed.plan import Plan
from walkshed.supply import label
from walkshed.views import scene
from walkshed.views.answers import Answer, answer, extra, script_of
from walkshed.views.desk import Desk, commit, doing, plain
from walkshed.views.mapview import draw
from walkshed.views.shapes import metric
from walkshed.views.today import groups_told
from walkshed.views.waiting import waiting
from walkshed.whatif import GapCard, gap_card

SIZES = (0, 100, 500, 1_000, 2_000, 5_000, 10_000)
AWAY_M = (0, 1_000, 1_500, 2_000, 3_000, 5_000)
MAP, LIST, NAMED = 430, 215, 4


def show(desk: Desk) -> None:
    """Filters, then map and list side by side, then the card of the gap that is chosen."""
    with waiting(desk):
        found = answer(desk.scenario, propose=False)
    plan = found.plan
    if plan.gaps.empty:
        st.success(desk.say("gaps_none"))
        return
    ranked = plan.gaps.assign(rank=range(1, len(plan.gaps) + 1))
    wanted = filtered(desk, plan, ranked)
    chosen = st.query_params.get("gap")
    chosen = chosen if chosen in wanted.index else None
    left, right = st.columns([5, 4], gap="medium")
    with right:
        st.caption(desk.say("gaps_found", n=len(wanted), people=wanted["people"].sum()))
        if wanted.empty:
            st.info(desk.say("gaps_filtered_out"))
        else:
            listed(desk, plan, wanted, chosen)
        card = None if chosen is None else told(desk, found, wanted.loc[chosen])
        if chosen is None and not wanted.empty:
            st.caption(desk.say("gaps_choose"))
    with left:
        drawn(desk, found, wanted, chosen, card)


def filtered(desk: Desk, plan: Plan, gaps: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Gaps of a unit, of a size, and so far from any outlet."""
    one, two, three = st.columns(3)
    labels = plan.units["label"]
    units = ["", *[u for u in labels.index if (gaps["unit"] == u).any()]]
    unit = one.selectbox(
        desk.say("unit"), units, format_func=lambda u: labels.get(u, desk.say("gaps_all")), key="gaps_unit"
    )
    least = two.selectbox(
        desk.say("gaps_least"), SIZES, format_func=lambda n: desk.say("gaps_from", n=n), key="gaps_size"
    )
    away = three.selectbox(
        desk.say("gaps_away"), AWAY_M, format_func=lambda n: desk.say("gaps_from_m", n=n), key="gaps_far"
    )
    far = (gaps["nearest_m"] >= away) | gaps["nearest_m"].isna()
    return gaps[(gaps["people"] >= least) & far & ((gaps["unit"] == unit) | (unit == ""))]


def listed(desk: Desk, plan: Plan, gaps: gpd.GeoDataFrame, chosen: str | None) -> None:
    """The list; a row that is chosen stands in the address, so that it can be sent to somebody."""
    table = pd.DataFrame(gaps.drop(columns="geometry"))
    table["unit"] = table["unit"].map(plan.units["label"])
    table[["people", "nearest_m"]] = table[["people", "nearest_m"]].round().astype("Int64")
    key = f"gaps-{len(gaps)}-{chosen}"

    def turn() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        _choose(str(gaps.index[rows[0]]) if rows else None)

    at = [int(gaps.index.get_loc(chosen))] if chosen else []
    columns = ["rank", "name", "people", "nearest_m", "unit"]
    st.dataframe(
        table[columns], height=LIST, width="stretch", hide_index=True, key=key, on_select=doing(turn),
        selection_mode="single-row", selection_default={"selection": {"rows": at, "columns": []}},
        column_config={
            "rank": st.column_config.NumberColumn(desk.say("rank"), width=34),
            "name": st.column_config.TextColumn(desk.say("place"), width=118),
            "unit": st.column_config.TextColumn(desk.say("unit"), width=70),
            "people": st.column_config.NumberColumn(desk.say("people"), format="localized", width=62),
            "nearest_m": st.column_config.NumberColumn(desk.say("gaps_nearest_m"), format="localized", width=82),
        },
    )  # fmt: skip


def _choose(gap: str | None) -> None:
    if gap is None:
        st.query_params.pop("gap", None)
    else:
        st.query_params["gap"] = gap


def told(desk: Desk, found: Answer, gap: "pd.Series[Any]") -> GapCard:
    """The card: who lives there, what is near, and where one site would help most."""
    plan = found.plan
    ground = found.ground
    card = extra(found, f"gap {gap.name}", lambda: gap_card(ground, plan.demand, gap["geometry"], plan.scenario))
    with st.container(border=True):
        st.markdown(f"**{gap['rank']}. {plain(gap['name'])}** · {plain(plan.units['label'].get(gap['unit'], ''))}")
        groups = groups_told(desk, card.groups)
        _small(desk.say("gap_people", n=card.groups["all"], groups=groups, km2=gap["area_km2"]))
        if card.best is not None:
            _best(desk, plan, card)
        _small(desk.say("gap_nearest", names=_names(desk, card.nearest, "distance_m", "metres")))
        inside = _names(desk, card.inside.head(NAMED), "people", "gains")
        _small(desk.say("gap_inside", n=len(card.inside), names=inside))
    return card


def _small(text: str) -> None:
    st.markdown(f":small[{text}]")


def _names(desk: Desk, sites: pd.DataFrame, column: str, key: str) -> str:
    named = (
        desk.say(
            "named_with",
            name=plain(row["name"] or label(row["kind"], desk.lang)),
            n=plain(desk.say(key, n=row[column])),
        )
        for row in sites.head(NAMED).to_dict("records")
    )
    return desk.say("semicolon").join(named) or desk.say("none")


def _best(desk: Desk, plan: Plan, card: GapCard) -> None:
    best = card.best or ""
    site = plan.candidates.loc[best]
    name = str(site["name"] or label(site["kind"], desk.lang))
    _small(desk.say("gap_best", name=plain(name), n=card.best_people))
    required = best in desk.scenario.siting.required
    st.button(
        desk.say("required_already" if required else "require_it"), disabled=required, icon=":material/push_pin:",
        on_click=doing(lambda: require(desk, best, name)), width="stretch",
    )  # fmt: skip


def require(desk: Desk, site: str, name: str) -> None:
    """Make a candidate one that must be chosen; forbidden it can then no longer be."""
    siting = desk.scenario.siting
    new = {
        "required": [*[s for s in siting.required if s != site], site],
        "forbidden": [s for s in siting.forbidden if s != site],
    }
    commit(desk, desk.scenario.revise(siting=new), desk.say("why_require", name=name))


def drawn(desk: Desk, found: Answer, gaps: gpd.GeoDataFrame, chosen: str | None, card: GapCard | None) -> None:
    """Gaps over the people they are made of; a click on one chooses it."""
    plan = found.plan
    layers, legend, note = scene.people(desk, found, ("unserved", "served"))
    dots, kinds = scene.outlets(desk, found)
    outlines, sign = scene.gaps(desk, found, gaps, chosen)
    legend = [*legend, sign]
    if card is not None:
        ids = [*card.inside.index, *([card.best] if card.best else [])]
        spots, one = scene.places(desk, found, ids, colours={card.best: "#7a1fa2"} if card.best else {})
        layers, legend = layers + spots, [*legend, *one]
    focus = None
    if chosen is not None:
        focus = {"token": f"gap-{chosen}", "bounds": scene.around(gaps.loc[[chosen]].geometry)}
    picture = scene.scene(
        desk, layers + outlines + dots, legend + kinds, schematic=plan.schematic, note=note, focus=focus
    )

    def clicked(at: tuple[float, float], _thing: bool) -> None:  # noqa: FBT001  the map's own words
        hit = _under(gaps, at)
        if hit is not None:
            _choose(hit)

    draw(script_of(found), picture, key="map", height=MAP, clicked=clicked)


def _under(gaps: gpd.GeoDataFrame, at: tuple[float, float]) -> str | None:
    """The gap a click lies in."""
    inside = gaps.index[gaps.contains(metric(at, gaps.crs))]
    return str(inside[0]) if len(inside) else None
