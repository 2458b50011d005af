"""Which coordinate system a table is in, judged by laying its points on the streets; undecided rather than wrong."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer
from scipy.special import gammaln

from walkshed.contracts import FloatArray, IntArray, check_metric
from walkshed.errors import Fault
from walkshed.sources.coordinates import SYSTEMS, in_gcj02, to_wgs84
from walkshed.ways import Ways

Streets: TypeAlias = Ways | gpd.GeoSeries | gpd.GeoDataFrame
"""What points are laid on: ways, or lines in a metric CRS."""

SHIFTS = 300
"""Copies of the table, each shifted elsewhere, that every reading is compared with."""

NEAREST_M, FARTHEST_M = 60.0, 1000.0
"""How far the copies are shifted: beyond what a street is wide, within what a neighbourhood is like."""

FAR_M = 150.0
"""A point farther than this from every street says nothing: the streets are not mapped there."""

FINE_M = 3.0
"""Nearer than this is on the street: survey and digitising are no better."""

MAX_POINTS = 250
"""More points than this add time and no certainty; every k-th is taken."""

EVIDENCE, ODDS = 100.0, 200.0
"""What it takes to decide: this much against chance (1 in 100 by Markov's inequality), and against the next reading."""

RARE = 0.01
"""Share of the shifted copies that may fit as well as the reading that is decided for."""

SHARP, STRAY = 0.2, 0.2  # points on streets rank among the nearest (density u^-0.8); one in five is somewhere else
BINS, PRIOR = 6, 0.7  # or they keep some other typical distance from streets: a histogram, learned from them

_ALIKE = 30.0  # metres within which a point counts as at a street, in the words for people only


@dataclass(frozen=True)
class Reading:
    """How a table lies on the streets if it is in one system.

    offset_m : median distance to the nearest street; near : share of points within 30 m of one
    evidence : how many times likelier such distances are than those of a table laid anywhere (an e-value)
    """

    crs: str
    offset_m: float
    near: float
    evidence: float


@dataclass(frozen=True)
class Diagnosis:
    """The reading that fits, if one does beyond doubt.

    best : 'wgs84', 'gcj02', 'bd09', or None where the streets cannot tell; odds : of the best against the next
    swapped : longitude stands in the latitude column; points : how many were laid on streets
    """

    best: str | None
    odds: float
    swapped: bool
    points: int
    readings: tuple[Reading, ...]

    def told(self, where: str) -> list[Fault]:
        """What was found, reading by reading, and what to write."""
        lines = [
            Fault("coordinates.reading", where, {"crs": r.crs, "offset_m": r.offset_m, "near": r.near})
            for r in self.readings
        ]
        if self.swapped:
            lines.append(Fault("coordinates.swapped", where))
        if self.best is None:
            return [*lines, Fault("coordinates.undecided", where, {"points": self.points})]
        return [*lines, Fault("coordinates.fits", where, {"crs": self.best, "odds": self.odds, "points": self.points})]


@dataclass(frozen=True)
class Evidence:
    """Per reading and point, how the point ranks among its shifted copies; subsets of points judge for themselves.

    on : (readings, points, 1 + shifts), log density of the rank if points lie on streets; place 0 is the point itself
    bin : same shape, which sixth of the ranks it falls in; -1 where no street is near
    distance_m : (readings, points); row : (points,) of the table
    """

    on: FloatArray
    bin: IntArray
    distance_m: FloatArray
    row: IntArray
    swapped: bool

    def take(self, rows: IntArray) -> "Evidence":
        """The evidence of some rows of the table; those that lie off the streets have none to give."""
        points = np.flatnonzero(np.isin(self.row, rows))
        return replace(
            self,
            on=self.on[:, points],
            bin=self.bin[:, points],
            distance_m=self.distance_m[:, points],
            row=self.row[points],
        )

    def verdict(self) -> Diagnosis:
        """Decide for the best reading if it beats chance, the other readings, and its own shifted copies.

        Every factor is a density over ranks that are uniform for a table laid anywhere, so their product is an e-value
        (Vovk and Wang 2021): it exceeds x by chance with probability at most 1 / x. Rigidly shifted copies hold it to
        account where points are not independent, as along one street.
        """
        counts = (self.bin[..., None] == np.arange(BINS)).sum(axis=1)
        log = np.logaddexp(self.on.sum(axis=1), _histogram(counts)) - np.log(2)
        own = log[:, 0]
        order = np.argsort(-own, kind="stable")
        best, gap = int(order[0]), float(own[order[0]] - own[order[1]])
        rare = (log[best, 1:] >= own[best]).mean() <= RARE
        sure = own[best] >= np.log(EVIDENCE) and gap >= np.log(ODDS) and rare
        readings = tuple(
            Reading(crs, float(np.median(d)) if len(d) else np.inf, float((d <= _ALIKE).mean()) if len(d) else 0.0, e)
            for crs, d, e in zip(SYSTEMS, self.distance_m, np.exp(np.minimum(own, 600)).tolist(), strict=True)
        )
        odds = float(np.exp(min(gap, np.log(1e6))))
        return Diagnosis(SYSTEMS[best] if sure else None, odds, self.swapped, self.on.shape[1], readings)


def diagnose(lon: FloatArray, lat: FloatArray, streets: Streets) -> Diagnosis:
    """Judge which system coordinates are in by laying them on streets under each reading.

    Parameters
    ----------
    lon, lat : (n,)
        As the table has them; NaN is passed over. Swapped columns are recognised.
    streets : Ways, or lines in a metric CRS

    Raises
    ------
    InputError
        If the streets are not in metres.
    """
    return gather(lon, lat, streets).verdict()


def gather(lon: FloatArray, lat: FloatArray, streets: Streets) -> Evidence:
    """Lay points on streets under each reading; see `Evidence`."""
    lines, crs = _lines(streets)
    known = np.isfinite(lon) & np.isfinite(lat)
    lon, lat = lon[known], lat[known]
    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    straight = [_laid(lon, lat, system, to_metres) for system in SYSTEMS]
    exchanged = [_laid(lat, lon, system, to_metres) for system in SYSTEMS]
    box = shapely.total_bounds(lines) + np.array([-1, -1, 1, 1]) * FARTHEST_M
    swapped = _within(exchanged[0], box).sum() > _within(straight[0], box).sum()
    laid = np.stack(exchanged if swapped else straight)
    told = np.flatnonzero(np.all([_within(xy, box) for xy in laid], axis=0))
    east, north = (lat, lon) if swapped else (lon, lat)
    told = told[in_gcj02(east[told], north[told])]  # elsewhere the three readings are one
    told = told[:: max(1, -(-len(told) // MAX_POINTS))]
    laid = laid[:, told]
    places = laid[:, :, None, :] + np.vstack([[0.0, 0.0], _shifts()])
    tree = shapely.STRtree(lines)
    on, sixth = _ranked(_near(places.reshape(-1, 2), tree).reshape(places.shape[:3]))
    own = np.asarray(shapely.points(laid.reshape(-1, 2)), dtype=object)
    offset = shapely.distance(own, lines[tree.nearest(own)]).reshape(laid.shape[:2])
    return Evidence(on, sixth, offset, np.flatnonzero(known)[told], bool(swapped))


def _lines(streets: Streets) -> tuple[FloatArray, CRS]:
    """Streets cut into straight segments, which a tree finds faster, and their CRS."""
    if isinstance(streets, Ways):
        xy, way, crs = streets.xy, np.repeat(np.arange(len(streets.ptr) - 1), np.diff(streets.ptr)), streets.crs
    else:
        crs = check_metric(streets.crs, "streets")
        xy, way = shapely.get_coordinates(streets.geometry.array, return_index=True)
    on = way[1:] == way[:-1]
    return np.asarray(shapely.linestrings(np.stack([xy[:-1][on], xy[1:][on]], axis=1))), crs


def _laid(lon: FloatArray, lat: FloatArray, system: str, to_metres: Transformer) -> FloatArray:
    on_earth = (np.abs(lat) <= 90) & (np.abs(lon) <= 180)  # noqa: PLR2004 - the poles, the date line
    east, north = to_wgs84(np.where(on_earth, lon, np.nan), np.where(on_earth, lat, np.nan), system)
    return np.column_stack(to_metres.transform(east, north)).astype(float).reshape(-1, 2)


def _within(xy: FloatArray, box: FloatArray) -> FloatArray:
    return np.asarray((xy >= box[:2]).all(axis=1) & (xy <= box[2:]).all(axis=1))


def _shifts() -> FloatArray:
    """Shifts spread evenly over a ring (Vogel's spiral): no chance in them, no direction preferred."""
    step = np.arange(SHIFTS)
    radius = np.sqrt(NEAREST_M**2 + (FARTHEST_M**2 - NEAREST_M**2) * (step + 0.5) / SHIFTS)
    angle = step * np.pi * (3 - np.sqrt(5))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def _near(xy: FloatArray, tree: shapely.STRtree) -> FloatArray:
    """Distance to the nearest street, infinite beyond `FAR_M`."""
    points = np.asarray(shapely.points(xy), dtype=object)
    (found, _), metres = tree.query_nearest(points, max_distance=FAR_M, return_distance=True, all_matches=False)
    distance = np.full(len(xy), np.inf)
    distance[found] = metres
    return distance


def _ranked(distance: FloatArray) -> tuple[FloatArray, IntArray]:
    """Log density of every place's rank among its own shifted copies, and which part of the near ranks it falls in."""
    from scipy.stats import rankdata  # noqa: PLC0415  half a second to import; only undeclared coordinates need it

    coarse = np.round(np.maximum(distance, FINE_M))
    count = distance.shape[-1]
    low, high = rankdata(coarse, axis=-1, method="min") - 1, rankdata(coarse, axis=-1, method="max")
    share = [(1 - STRAY) * (rank / count) ** SHARP + STRAY * rank / count for rank in (low, high)]
    on = np.log((share[1] - share[0]) / ((high - low) / count))  # ties share what they take up together
    near = np.isfinite(coarse)
    known = near.sum(axis=-1, keepdims=True)
    bins = np.minimum(((low + high) / 2 / np.maximum(known, 1) * BINS).astype(np.int64), BINS - 1)
    return on, np.where(near & (known > count * STRAY), bins, -1)


def _histogram(counts: IntArray) -> FloatArray:
    """Log odds of counts in bins under an unknown histogram against even chances (Dirichlet-multinomial)."""
    total = counts.sum(axis=-1)
    learned = gammaln(BINS * PRIOR) - gammaln(total + BINS * PRIOR)
    learned = learned + (gammaln(counts + PRIOR) - gammaln(PRIOR)).sum(axis=-1)
    return np.asarray(learned + total * np.log(BINS))
