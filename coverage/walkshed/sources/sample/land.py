"""The ground: units as weighted Voronoi polygons, river, lakes, railways, and where the built-up core lies."""

from dataclasses import dataclass
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike
from pyproj import Transformer
from scipy.interpolate import CubicSpline
from shapely.geometry.base import BaseGeometry

from walkshed.area import Area
from walkshed.contracts import FloatArray, IntArray
from walkshed.sources.sample.facts import CORE, Facts, read
from walkshed.sources.sample.shapes import Names, dots

CRS = "EPSG:4551"
ORIGIN = np.array([445_250.0, 4_861_000.0])  # near 人民广场; land is scaled about this point
STATION_KM = (445.25, 4864.1)

# Waypoints in km (EPSG:4551), by eye: enough for the schematic, not a survey.
Route = list[tuple[float, float]]
RIVERS: dict[str, Route] = {
    "伊通河": [
        (439, 4770), (441, 4800), (443, 4836), (446.2, 4847), (447.6, 4855), (448.4, 4861), (447.5, 4867),
        (449.5, 4875), (448, 4886), (441, 4900), (438.6, 4915), (440.5, 4926), (452, 4944), (468, 4962), (475, 4990),
    ],
    "饮马河": [(486, 4770), (484, 4800), (479, 4830), (477, 4858), (480, 4884), (482, 4905), (486, 4925), (476, 4955)],
}  # fmt: skip
RAILWAYS: dict[str, Route] = {
    "京哈铁路": [
        (330, 4770), (380, 4800), (404.5, 4822.2), (425, 4843), (437, 4857), (442, 4862.6), STATION_KM, (448, 4866),
        (453, 4874), (465, 4905), (473.6, 4931), (492, 4952), (515, 4990), (520, 5020),
    ],
    "长图铁路": [STATION_KM, (450, 4864.8), (461, 4868), (474, 4878), (486, 4889.3), (520, 4880), (560, 4880)],
    "长白铁路": [STATION_KM, (442.5, 4865.4), (438.5, 4871), (435, 4890), (431.3, 4920), (415, 4950), (400, 4990)],
}  # fmt: skip
LAKES = {  # name: centre km, half axes km, turned by degrees
    "南湖": ((443.4, 4857.0), (0.85, 0.35), 35),
    "净月潭": ((458.6, 4850.2), (2.3, 0.55), 20),
    "新立城水库": ((442.6, 4836.5), (3.6, 1.5), 75),
    "北湖": ((450.9, 4874.2), (1.1, 0.5), 80),
}
CORE_RADIUS_KM = [(0, 11.5), (40, 11), (80, 11.5), (110, 11), (150, 10.5), (190, 12), (225, 14), (270, 14), (310, 15)]
"""Reach of the built-up core by bearing (degrees from east, counterclockwise): it grew south, towards 净月 and 汽开."""
CORE_BORDERS_KM = [  # between the five core districts, by eye
    [(444.9, 4862.3), (441, 4865), (432, 4869), (405, 4871)],
    [(444.9, 4862.3), (442.8, 4859.5), (437.5, 4853), (434, 4843), (424, 4820), (424, 4790)],
    [(444.9, 4862.3), (445.25, 4859.5), (445.5, 4850), (446.5, 4838), (447, 4790)],
    [(444.9, 4862.3), (448.3, 4862.4), (448.3, 4857.0), (452, 4853), (462, 4848.5), (500, 4843)],
    [(448.3, 4862.4), (451, 4866.5), (457, 4871), (470, 4878), (490, 4890)],
]
SUPPORT_KM = {
    "220103": [(438, 4890), (447, 4888), (447, 4880), (460, 4867), (470, 4862), (476, 4856), (456, 4842), (445, 4835)],
    "220184": [(424, 4856), (426, 4842), (433, 4828), (428, 4812)],
}
"""More points round which the core (under 宽城) and 公主岭 lie: the seats alone would tilt the map."""
RIVER_HALF_M = 45.0


@dataclass(frozen=True)
class Land:
    """Ground in EPSG:4551, metres, land scaled about `ORIGIN` by `stretch` (square root of the scale).

    seats : one point per unit, in the order of `area.units`.
    rivers, railways : lines by name; lakes : polygons by name.
    water : lakes and rivers with their width. core : built-up core.
    """

    area: Area
    seats: FloatArray
    rivers: dict[str, shapely.LineString]
    railways: dict[str, shapely.LineString]
    lakes: dict[str, shapely.Polygon]
    water: BaseGeometry
    core: BaseGeometry
    stretch: float

    def place(self, km: ArrayLike) -> FloatArray:
        """Put waypoints in km (EPSG:4551) on the scaled land, in metres."""
        return _place(np.asarray(km, dtype=float) * 1000.0, self.stretch)

    def unit_at(self, xy: FloatArray) -> Names:
        """Unit id of each point, as `Area.unit_of` but quick for many points."""
        geometry = self.area.units.geometry
        found = np.full(len(xy), -1)
        for k, shape in enumerate(geometry):
            shapely.prepare(shape)
            rows = np.flatnonzero(found < 0)
            found[rows[shapely.contains_xy(shape, *xy[rows].T)]] = k
        lost = np.flatnonzero(found < 0)
        found[lost] = shapely.STRtree(geometry.to_numpy()).nearest(dots(xy[lost]))
        return np.asarray(geometry.index.to_numpy(dtype=object)[found])

    def barriers(self) -> gpd.GeoDataFrame:
        """Rivers, lakes and railways as the map and the naming of gaps want them."""
        rows: list[tuple[str, str, BaseGeometry]]
        rows = [(name, "river", line.buffer(RIVER_HALF_M)) for name, line in self.rivers.items()]
        rows += [(name, "lake", lake) for name, lake in self.lakes.items()]
        rows += [(name, "railway", line) for name, line in self.railways.items()]
        frame = gpd.GeoDataFrame(rows, columns=["name", "kind", "geometry"], geometry="geometry", crs=CRS)
        return frame.clip(self.area.units.union_all()).sort_index()


def _place(xy_m: FloatArray, stretch: float) -> FloatArray:
    return np.asarray(ORIGIN + (xy_m - ORIGIN) * stretch)


def survey(facts: Facts) -> Land:
    """Lay out the ground for the facts' scale.

    Units are cells of a power diagram (Aurenhammer 1987) round their seat, inner point and box centre, its weights
    set so that each area comes near the published one; borders are then bent a little, all by the same warp.
    """
    stretch = float(np.sqrt(facts.scale))
    units = facts.units
    seat, cells = _full_size()
    rivers = {name: _curve(km, stretch, sway_m=350.0) for name, km in RIVERS.items()}
    railways = {name: _curve(km, stretch, sway_m=0.0) for name, km in RAILWAYS.items()}
    lakes = {name: _ellipse(*shape, stretch) for name, shape in LAKES.items()}
    placed = shapely.transform(cells, lambda xy: _place(xy, stretch))
    frame = gpd.GeoDataFrame({"label": units["label"].to_numpy()}, geometry=placed, index=units.index, crs=CRS)
    water = shapely.union_all([*lakes.values(), *(line.buffer(RIVER_HALF_M) for line in rivers.values())])
    home = shapely.union_all(placed[units.index.isin(CORE)]).buffer(-200 * stretch)
    core = shapely.intersection(_core(stretch), home)
    return Land(Area(frame), _place(seat, stretch), rivers, railways, lakes, water, core, stretch)


def _curve(km: ArrayLike, stretch: float, *, sway_m: float) -> shapely.LineString:
    """A smooth line through waypoints; rivers sway more outside the core than in it, where they are banked."""
    way = np.asarray(km, dtype=float) * 1000.0
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
    steps = np.linspace(0.0, along[-1], max(int(along[-1] * stretch / 120.0), 40))
    xy = CubicSpline(along, way)(steps)
    normal = np.gradient(xy, axis=0)[:, ::-1] * [1, -1]
    normal /= np.hypot(*normal.T)[:, None]
    calm = 1 - np.exp(-((np.hypot(*(xy - ORIGIN).T) / 18_000) ** 4))
    bend = np.sin(steps / 900.0) + 0.6 * np.sin(steps / 2_300.0 + 1.0)
    return shapely.LineString(_place(xy + normal * (sway_m * calm * bend)[:, None], stretch))


def _ellipse(centre: tuple[float, float], half: tuple[float, float], turn: float, stretch: float) -> shapely.Polygon:
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    wobble = 1 + 0.18 * np.sin(3 * angle) + 0.08 * np.sin(7 * angle + 1)
    xy = np.column_stack([np.cos(angle) * half[0], np.sin(angle) * half[1]]) * wobble[:, None]
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    return shapely.Polygon(_place((xy @ [[c, s], [-s, c]] + centre) * 1000.0, stretch))


def _core(stretch: float) -> shapely.Polygon:
    bearing, radius = np.asarray(CORE_RADIUS_KM, dtype=float).T
    angle = np.linspace(0, 360, 180, endpoint=False)
    reach = (
        np.interp(angle, bearing, radius, period=360)
        + 0.5 * np.sin(np.radians(angle) * 9)
        + 0.3 * np.sin(np.radians(angle) * 22 + 1)
    )
    ring = np.column_stack([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * reach[:, None] * 1000.0
    return shapely.Polygon(_place(ORIGIN + ring, stretch))


@cache
def _full_size() -> tuple[FloatArray, list[BaseGeometry]]:
    """Seats and polygons of the units at full size; the same for every scale and seed."""
    units = read(1.0).units
    to_metric = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    seat = np.column_stack(to_metric.transform(units["seat_lon"], units["seat_lat"]))
    return seat, _unit_polygons(units, seat, to_metric)


def _unit_polygons(units: pd.DataFrame, seat: FloatArray, to_metric: Transformer) -> list[BaseGeometry]:
    """Polygons of the units at full size, in the order of `units`: outer ones by power diagram, the core by sectors."""
    boxes = np.array([to_metric.transform_bounds(*b) for b in units["bbox"]])
    inner = np.column_stack(to_metric.transform(units["inner_lon"], units["inner_lat"]))
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    points = np.concatenate([seat, inner, middle, (inner + middle) / 2, (seat + inner) / 2])
    block = pd.factorize(units["control"])[0]  # the core is one block at first
    core = int(block[units.index.get_loc(CORE[0])])
    more = [(block[units.index.get_loc(unit)], km) for unit, kms in SUPPORT_KM.items() for km in kms]
    points = np.concatenate([points, np.array([km for _, km in more]) * 1_000.0])
    owner = np.concatenate([np.tile(block, 5), [b for b, _ in more]])
    areas: FloatArray = np.bincount(block, weights=units["area_km2"]).astype(float) * 1e6
    outline = _outline(boxes, units["area_km2"].to_numpy() * 1e6)
    weight = _weights(points, owner, outline, areas)
    cells = np.array([_power_cell(k, points, weight, outline) for k in range(len(points))])
    merged = [shapely.union_all(cells[owner == b]).buffer(5.0, join_style="mitre") for b in np.unique(block)]
    merged = [whole.buffer(-5.0, join_style="mitre") for whole in merged]  # closes seams between cells
    bent = shapely.transform(shapely.segmentize(merged, 1_500.0), _warp)
    rays = [shapely.LineString(np.asarray(ray) * 1_000.0) for ray in CORE_BORDERS_KM]
    sectors = shapely.get_parts(shapely.polygonize([shapely.union_all([bent[core].boundary, *rays])]))
    sectors = sectors[shapely.contains_properly(bent[core].buffer(1.0), sectors)]
    # a sliver beside the five sectors goes with the unit whose seat is nearest
    at = np.array(
        [np.argmin(shapely.distance(sectors_k, shapely.points(seat[block == core]))) for sectors_k in sectors]
    )
    mine = np.cumsum(block == core) - 1
    return [
        shapely.union_all(sectors[at == mine[u]]) if block[u] == core else bent[block[u]] for u in range(len(units))
    ]


def _warp(xy: FloatArray) -> FloatArray:
    """Bend borders by up to 2 km outside the core, one warp for all, so that neighbours still fit."""
    x, y = (xy - ORIGIN).T
    calm = 1 - np.exp(-((np.hypot(x, y) / 30_000) ** 2))
    dx = 1_500 * np.sin(y / 11_000 + 1) + 500 * np.sin(y / 3_300 + x / 9_000)
    dy = 1_500 * np.sin(x / 10_000) + 500 * np.sin(x / 3_100 + y / 8_000 + 2)
    return np.asarray(xy + np.column_stack([dx * calm, dy * calm]))


def _outline(boxes: FloatArray, area_m2: FloatArray) -> BaseGeometry:
    """The whole city: superellipses of the units' areas in the middle of their boxes, grown until the sum is right."""
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    shape = np.column_stack([np.sign(c) * np.abs(c) ** 0.8, np.sign(s) * np.abs(s) ** 0.8])
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    half *= np.sqrt(area_m2 / (half.prod(axis=1) * np.pi))[:, None]
    low, high = 0.5, 1.6
    whole: BaseGeometry = shapely.Polygon()
    for _ in range(14):
        grow = (low + high) / 2
        whole = shapely.union_all(shapely.polygons(middle[:, None] + shape[None] * half[:, None] * grow))
        whole = whole.buffer(9_000).buffer(-9_000)
        low, high = (grow, high) if whole.area < area_m2.sum() else (low, grow)
    return whole


def _weights(points: FloatArray, owner: IntArray, outline: BaseGeometry, target_m2: FloatArray) -> FloatArray:
    """Power-diagram weights (m²) by fixed-point steps on a 2 km sample of the outline."""
    west, south, east, north = outline.bounds
    grid = np.stack(np.meshgrid(np.arange(west, east, 2_000.0), np.arange(south, north, 2_000.0)), -1).reshape(-1, 2)
    grid = grid[shapely.contains_xy(outline, *grid.T)]
    square = ((grid[:, None] - points[None]) ** 2).sum(axis=2)
    weight = np.zeros(len(target_m2))
    for _ in range(150):
        nearest = owner[np.argmin(square - weight[owner], axis=1)]
        area = np.bincount(nearest, minlength=len(weight)) * (outline.area / len(grid))
        weight += 0.2 * (target_m2 - area)
    return np.asarray(weight[owner])


def _power_cell(k: int, points: FloatArray, weight: FloatArray, outline: BaseGeometry) -> BaseGeometry:
    """Where point `k` has the least squared distance less weight: an intersection of half-planes."""
    cell: BaseGeometry = shapely.box(*outline.bounds)
    for other in np.argsort(((points - points[k]) ** 2).sum(axis=1)):
        step = points[other] - points[k]
        gap = float(np.hypot(*step))
        if gap == 0.0:
            continue
        along, across = step / gap, np.array([-step[1], step[0]]) / gap
        edge = points[k] + along * (gap / 2 + (weight[k] - weight[other]) / (2 * gap))
        if (((shapely.get_coordinates(cell) - edge) @ along) <= 0).all():
            continue  # wholly on this side: most are
        far = 1e6
        corners = [edge + across * far, edge - across * far, edge - across * far - along * far]
        cell = shapely.intersection(cell, shapely.Polygon([*corners, edge + across * far - along * far]))
    return shapely.intersection(cell, outline)
