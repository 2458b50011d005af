"""选址, one site: why it is there, who would take its place, how firm it stands, and what insisting costs."""

from functools import partial

import streamlit as st

from walkshed.plan import Plan
from walkshed.siting import Priced, Why, explain, price
from walkshed.supply import label
from walkshed.views.answers import Answer, extra
from walkshed.views.desk import Desk, commit, doing, plain
from walkshed.views.gaps import require
from walkshed.views.today import groups_told


def card(desk: Desk, found: Answer, site: str) -> None:
    """The card of a proposed site."""
    plan = found.plan
    row = plan.sites.loc[site]
    name = _name(desk, plan, site)
    with st.container(border=True):
        st.markdown(f"**{row['order']}. {plain(name)}** · {plain(label(row['kind'], desk.lang))}")
        why = reasons(found, site)
        if why is None:
            st.caption(desk.say("why_none"))
        else:
            _told(desk, plan, why)
        one, two, three = st.columns(3)
        one.button(desk.say("do_required"), on_click=doing(partial(require, desk, site, name)), width="stretch",
                   disabled=site in desk.scenario.siting.required)  # fmt: skip
        two.button(desk.say("do_forbidden"), on_click=doing(partial(_forbid, desk, site, name)), width="stretch")
        if why is not None and three.button(desk.say("price_it"), width="stretch", help=desk.say("price_help")):
            _priced(desk, plan, without(found, site))


def reasons(found: Answer, site: str) -> Why | None:
    """Why a site was chosen; of a maximal cover in one step only, as the other models gain in other terms."""
    plan, option = found.plan, _option(found.plan, site)
    problem = plan.problem
    if problem is None or option is None or plan.siting.model != "max_cover" or plan.years:
        return None
    return extra(found, f"why {site}", lambda: explain(problem, plan.siting, option, seed=plan.scenario.seed))


def without(found: Answer, site: str) -> Priced | None:
    """The best plan without a site."""
    plan, option = found.plan, _option(found.plan, site)
    problem = plan.problem
    if problem is None or option is None:
        return None
    return extra(
        found, f"without {site}", lambda: price(problem, plan.siting, forbid=[option], seed=plan.scenario.seed)
    )


def _option(plan: Plan, site: str) -> str | None:
    """The option that was chosen at a place."""
    at = list(plan.sites.index).index(site)
    return plan.siting.chosen[at] if at < len(plan.siting.chosen) else None


def _name(desk: Desk, plan: Plan, site: str) -> str:
    place = site.split("/", maxsplit=1)[0]
    if place not in plan.candidates.index:
        return site
    row = plan.candidates.loc[place]
    return str(row["name"] or label(row["kind"], desk.lang))


def _told(desk: Desk, plan: Plan, why: Why) -> None:
    st.markdown(f":violet-badge[{desk.say(f'verdict_{why.verdict}')}] {desk.say(f'verdict_{why.verdict}_long')}")
    st.markdown(desk.say("why_gains", gained=why.gained, only=why.only_it, groups=groups_told(desk, why.groups)))
    if why.walk_before_m is not None:
        st.markdown(desk.say("why_walk", before=why.walk_before_m, after=why.walk_after_m))
    else:
        st.markdown(desk.say("why_walk_none", after=why.walk_after_m))
    if why.next_best is not None:
        other = _name(desk, plan, why.next_best)
        st.markdown(desk.say("why_next", name=plain(other), n=why.switch_costs))
    st.markdown(desk.say("why_without", n=why.loss))


def _priced(desk: Desk, plan: Plan, priced: Priced | None) -> None:
    if priced is None:
        return
    new = [s for s in priced.plan.chosen if s not in plan.siting.chosen]
    names = desk.say("and_so").join(plain(_name(desk, plan, s)) for s in new) or desk.say("none")
    st.info(desk.say("priced", n=priced.loss, names=names))


def _forbid(desk: Desk, site: str, name: str) -> None:
    asked = desk.scenario.siting
    new = {
        "forbidden": [*[s for s in asked.forbidden if s != site], site],
        "required": [s for s in asked.required if s != site],
    }
    commit(desk, desk.scenario.revise(siting=new), desk.say("why_forbidden", name=name))
