"""The picture for slides: its size, its words with a Chinese font and without, and what it shows where."""

import io

import numpy as np
import pytest
from PIL import Image

from publish_world import TownPlan, town
from walkshed.publish.picture import NEW, chinese_font, map_png

HOSTILE = "<b>$\\frac$ \u202e\x00" + "长" * 10_000


@pytest.fixture(scope="module")
def plan() -> TownPlan:
    return town()


def pixels(packed: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(packed)).convert("RGB")).astype(int)


def share_of(picture: np.ndarray, colour: str, *, within: int = 6) -> float:
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return float((np.abs(picture - wanted).max(axis=2) <= within).mean())


def test_it_fills_a_slide_at_300_dots_per_inch(plan: TownPlan) -> None:
    image = Image.open(io.BytesIO(map_png(plan)))

    assert image.width / 300 == pytest.approx(10, abs=0.01)
    assert image.width / image.height == pytest.approx(16 / 9, abs=0.01)
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_the_same_plan_gives_the_same_picture(plan: TownPlan) -> None:
    assert map_png(plan, font=None) == map_png(plan, font=None)


def test_proposals_are_marked_and_gone_where_there_are_none(plan: TownPlan) -> None:
    nothing = town(sites=plan.sites.head(0))

    assert share_of(pixels(map_png(plan, font=None)), NEW) > 0.0002
    assert share_of(pixels(map_png(nothing, font=None)), NEW) == 0


def test_without_a_chinese_font_it_is_another_picture_and_no_warning(plan: TownPlan) -> None:
    if chinese_font() is None:
        pytest.skip("no font with Chinese glyphs on this machine")

    assert map_png(plan) != map_png(plan, font=None)


def test_made_up_data_are_stamped_in_red(plan: TownPlan) -> None:
    stamped, real = (pixels(map_png(town(schematic=s), font=None)) for s in (True, False))

    assert share_of(stamped, "#b3261e") > 0.0005
    assert share_of(real, "#b3261e") == 0


def test_names_of_any_kind_are_drawn_as_they_are() -> None:
    assert map_png(town(hostile=HOSTILE))
