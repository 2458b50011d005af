"""Who can walk where: the one table every later question reads."""

import json
import math
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array

from walkshed._kernels import FAR, place_rows, rows_within
from walkshed.anchors import Anchored, anchor, pointers
from walkshed.contracts import NM, BoolArray, FloatArray, Index32, IntArray, Progress, refuse, row_numbers
from walkshed.errors import Fault, InputError, MissingInputError
from walkshed.network import WalkNetwork

if TYPE_CHECKING:
    from scipy.sparse import sparray

BESIDE = b"walkshed"  # of a Parquet schema: what the rows cannot hold, ids in no pair and the limit
BLOCK = 256  # sites a thread takes at a time: long enough to drown the call, short enough to share the work evenly


@dataclass(frozen=True, eq=False)
class Reach:
    """For each site the demand within the limit and how far it is; unreachable pairs are absent.

    Attributes
    ----------
    site_ids, demand_ids : Index of all sites and all demand points asked about, reached or not
    ptr : int64 (sites + 1,); the pairs of site `j` are `ptr[j]:ptr[j + 1]`
    demand : int32 (pairs,); positions in `demand_ids`
    distance_m : float64 (pairs,); 0 <= distance_m <= limit_m
    limit_m : the limit, inclusive
    """

    site_ids: pd.Index
    demand_ids: pd.Index
    ptr: IntArray
    demand: Index32
    distance_m: FloatArray
    limit_m: float

    def within(self, limit_m: float) -> "Reach":
        """Keep the pairs within a shorter limit, inclusive."""
        keep = self.distance_m <= limit_m
        ptr = np.concatenate([[0], np.cumsum(keep)])[self.ptr].astype(np.int64)
        return replace(self, ptr=ptr, demand=self.demand[keep], distance_m=self.distance_m[keep], limit_m=limit_m)

    def take(self, site_ids: Iterable[object]) -> "Reach":
        """Rows of the given sites, in the order given.

        Raises
        ------
        KeyError
            If a site is not in this table.
        """
        wanted = pd.Index(list(site_ids))
        at = self.site_ids.get_indexer(wanted)
        if (at < 0).any():
            raise KeyError(wanted[at < 0].tolist())
        length = np.diff(self.ptr)[at]
        ptr = pointers(length)
        pairs = np.repeat(self.ptr[at] - ptr[:-1], length) + np.arange(ptr[-1])
        return replace(self, site_ids=wanted, ptr=ptr, demand=self.demand[pairs], distance_m=self.distance_m[pairs])

    def served(self) -> BoolArray:
        """True for demand that any site reaches; bool (demand,)."""
        found = np.zeros(len(self.demand_ids), dtype=bool)
        found[self.demand] = True
        return found

    def to_frame(self) -> pd.DataFrame:
        """Pairs as a tidy table `from_id` (demand), `to_id` (site), `distance_m`, by site and then by demand."""
        site = np.repeat(np.arange(len(self.site_ids)), np.diff(self.ptr))
        order = np.lexsort((self.demand, site))
        return pd.DataFrame(
            {
                "from_id": self.demand_ids.to_numpy()[self.demand[order]],
                "to_id": self.site_ids.to_numpy()[site[order]],
                "distance_m": self.distance_m[order],
            }
        )

    def to_scipy(self) -> "csr_array":
        """Distances as a sparse array (sites, demand); a distance of 0 m is stored, an unreachable pair is not."""
        return csr_array((self.distance_m, self.demand, self.ptr), shape=(len(self.site_ids), len(self.demand_ids)))

    @classmethod
    def from_scipy(
        cls, array: "sparray", *, demand_ids: Iterable[object], site_ids: Iterable[object], limit_m: float
    ) -> "Reach":
        """Read a sparse array of distances (sites, demand): what is not stored cannot be walked, a stored 0 is 0 m.

        Raises
        ------
        InputError
            If its shape is not that of the ids; as `from_frame` otherwise.

        Examples
        --------
        >>> found = Reach.from_scipy(coo_array(([300.0], ([0], [1]))), demand_ids="hi", site_ids=["L"], limit_m=500)
        >>> found.to_frame().to_dict("records")
        [{'from_id': 'i', 'to_id': 'L', 'distance_m': 300.0}]
        """
        demand, sites = pd.Index(list(demand_ids)), pd.Index(list(site_ids))
        pairs = coo_array(array)
        if pairs.shape != (len(sites), len(demand)):
            rows, columns = pairs.shape
            values = {"rows": rows, "columns": columns, "sites": len(sites), "demand": len(demand)}
            refuse([Fault("reach.shape", "distances", values)])
        site, point = pairs.coords
        frame = pd.DataFrame({"from_id": demand[point], "to_id": sites[site], "distance_m": pairs.data})
        return cls.from_frame(frame, demand_ids=demand, site_ids=sites, limit_m=limit_m)

    def to_parquet(self, path: str | Path) -> None:
        """Write `to_frame` as a file that any tool reads; the limit and all ids stand beside it in its schema.

        Ids must be text or whole numbers.
        """
        import pyarrow as pa  # noqa: PLC0415 - only who asks for Parquet waits for it
        import pyarrow.parquet as pq  # noqa: PLC0415

        table = pa.Table.from_pandas(self.to_frame(), preserve_index=False)
        beside = {"limit_m": self.limit_m, "demand_ids": self.demand_ids.tolist(), "site_ids": self.site_ids.tolist()}
        pq.write_table(table.replace_schema_metadata({BESIDE: json.dumps(beside, ensure_ascii=False)}), path)

    @classmethod
    def from_parquet(cls, path: str | Path) -> "Reach":
        """Read what `to_parquet` wrote.

        Raises
        ------
        MissingInputError
            If there is no such file.
        InputError
            If it is another Parquet file, or none at all.
        """
        import pyarrow as pa  # noqa: PLC0415 - only who asks for Parquet waits for it
        import pyarrow.parquet as pq  # noqa: PLC0415

        file = Path(path)
        if not file.is_file():
            raise MissingInputError(Fault("reach.missing", file.name))
        try:
            table = pq.read_table(file)
        except pa.ArrowInvalid:
            raise InputError(Fault("reach.not_reach", file.name)) from None
        beside = (table.schema.metadata or {}).get(BESIDE)
        if beside is None:
            raise InputError(Fault("reach.not_reach", file.name))
        return cls.from_frame(table.to_pandas(), **json.loads(beside))

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, demand_ids: Iterable[object], site_ids: Iterable[object], limit_m: float
    ) -> "Reach":
        """Read distances found elsewhere: `from_id` (demand), `to_id` (site), `distance_m`; no pair, no way.

        Raises
        ------
        InputError
            With the rows of every unknown id, duplicate pair, missing or negative distance.

        Examples
        --------
        >>> table = pd.DataFrame({"from_id": ["h"], "to_id": ["L"], "distance_m": [300.0]})
        >>> Reach.from_frame(table, demand_ids=["h", "i"], site_ids=["L"], limit_m=500).served().tolist()
        [True, False]
        """
        demand, sites = pd.Index(list(demand_ids)), pd.Index(list(site_ids))
        refuse(_table_faults(frame, demand, sites))
        near = frame[frame["distance_m"] <= limit_m]
        to, at = sites.get_indexer(pd.Index(near["to_id"])), demand.get_indexer(pd.Index(near["from_id"]))
        order = np.lexsort((at, to))
        ptr = pointers(np.bincount(to, minlength=len(sites)))
        distance_m = near["distance_m"].to_numpy(dtype=float)[order]
        return cls(sites, demand, ptr, at[order].astype(np.int32), distance_m, limit_m)


def reach(
    network: WalkNetwork,
    demand: gpd.GeoDataFrame | Anchored,
    sites: gpd.GeoDataFrame | Anchored,
    *,
    limit_m: float,
    max_access_m: float = 500.0,
    progress: Progress | None = None,
) -> Reach:
    """Walk from every site to all demand within `limit_m` (inclusive), along the streets, on all cores.

    Distance = access leg + along the street to either end + shortest path + the same at the other side; two points on
    one street walk along it directly. Memory is proportional to the pairs found.

    Parameters
    ----------
    demand, sites : tables of points in the network's CRS (their index are the ids), or what `anchor` made of them
    max_access_m : farther from any street than this (inclusive) is off the network and in no pair
    progress : told now and then which share of the sites is done

    Raises
    ------
    InputError
        If points are in another CRS than the network.

    Examples
    --------
    >>> from shapely import LineString, Point
    >>> from walkshed.ways import Ways
    >>> street = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (900, 0)])], crs="EPSG:4551")
    >>> network = WalkNetwork.build(Ways.from_lines(street))
    >>> home = gpd.GeoDataFrame(index=["h"], geometry=[Point(300, 20)], crs="EPSG:4551")
    >>> library = gpd.GeoDataFrame(index=["L"], geometry=[Point(0, 0)], crs="EPSG:4551")
    >>> reach(network, home, library, limit_m=320).to_frame().to_dict("records")
    [{'from_id': 'h', 'to_id': 'L', 'distance_m': 320.0}]

    See Also
    --------
    walkshed.nearest.nearest : the one closest site, without a limit.
    """
    people = demand if isinstance(demand, Anchored) else anchor(network, demand, max_access_m=max_access_m)
    places = sites if isinstance(sites, Anchored) else anchor(network, sites, max_access_m=max_access_m)
    limit_nm = math.floor(limit_m * NM)
    order = np.argsort(places.at.edge, kind="stable")  # neighbours in turn find their surroundings still in the cache
    seeds, away_nm = places.ends
    direct_ptr, direct_leaf, direct_nm = people.on_the_streets_of(places)
    blocks = [order[i : i + BLOCK] for i in range(0, len(order), BLOCK)]
    scratch = _idle_scratch(min(len(blocks), os.cpu_count() or 1), len(network.xy), len(people.ids))

    def walk(block: IntArray) -> tuple[IntArray, Index32, IntArray]:
        real = seeds[block] >= 0
        length = np.diff(direct_ptr)[block]
        ptr = pointers(length)
        direct = np.repeat(direct_ptr[block] - ptr[:-1], length) + np.arange(ptr[-1])
        lent = scratch.get()
        found: tuple[IntArray, Index32, IntArray] = rows_within(
            network.ptr, network.adj, network.adj_nm,
            pointers(real.sum(axis=1)), seeds[block][real], away_nm[block][real],
            ptr, direct_leaf[direct], direct_nm[direct], *people.leaves, limit_nm, *lent,
        )  # fmt: skip
        scratch.put(lent)
        return found

    parts = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, part in enumerate(pool.map(walk, blocks), start=1):
            parts.append(part)
            if progress:
                progress("reach", done / len(blocks))
    return _assemble(places, people, order, parts, limit_m)


def _idle_scratch(threads: int, junctions: int, leaves: int) -> "SimpleQueue[tuple[IntArray, IntArray, Index32]]":
    """Arrays for one thread each; whoever takes them gives the first two back all FAR."""
    idle: SimpleQueue[tuple[IntArray, IntArray, Index32]] = SimpleQueue()
    for _ in range(threads):
        far = np.full(junctions, FAR, np.int64), np.full(leaves, FAR, np.int64)
        idle.put((*far, np.empty((3, junctions), np.int32)))
    return idle


def _assemble(
    places: Anchored, people: Anchored, order: IntArray, parts: list[tuple[IntArray, Index32, IntArray]], limit_m: float
) -> Reach:
    """Bring the rows, found in walking order, into the order of the sites; each part is let go once it is copied."""
    counts = np.concatenate([part[0] for part in parts]) if parts else np.empty(0, np.int64)
    length = np.zeros(len(places.ids), np.int64)
    length[order] = counts
    ptr = pointers(length)
    demand, distance_m = np.empty(ptr[-1], np.int32), np.empty(ptr[-1])
    done = 0
    for count, leaf, nm in iter(lambda: parts.pop(0) if parts else None, None):
        place_rows(count, order[done : done + len(count)], leaf, nm, ptr, demand, distance_m)
        done += len(count)
    return Reach(places.ids, people.ids, ptr, demand, distance_m, limit_m)


def _table_faults(frame: pd.DataFrame, demand_ids: pd.Index, site_ids: pd.Index) -> list[Fault]:
    missing = [c for c in ("from_id", "to_id", "distance_m") if c not in frame]
    if missing:
        found = ", ".join(map(str, frame.columns))
        return [Fault("table.missing_column", "distances", {"column": c, "found": found}) for c in missing]
    distance = pd.to_numeric(frame["distance_m"], errors="coerce").to_numpy(dtype=float)
    checks = {
        "reach.unknown_demand": ~frame["from_id"].isin(demand_ids).to_numpy(),
        "reach.unknown_site": ~frame["to_id"].isin(site_ids).to_numpy(),
        "reach.twice": frame.duplicated(["from_id", "to_id"], keep=False).to_numpy(),
        "reach.no_distance": ~np.isfinite(distance),
        "reach.negative": distance < 0,
    }
    return [Fault(key, "distances", {"rows": row_numbers(bad)}) for key, bad in checks.items() if bad.any()]
