"""To other tools and back: osmnx and networkx graphs, sparse arrays, Parquet."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS
from scipy.sparse import coo_array

from walkshed.area import metric_crs
from walkshed.contracts import NM, refuse
from walkshed.errors import Fault, InputError, MissingInputError
from walkshed.network import ISLAND_M, LEVELS, WalkNetwork
from walkshed.reach import Reach
from walkshed.sources import streets

if TYPE_CHECKING:
    from scipy.sparse import sparray

_KEY = b"walkshed"  # of the part of a Parquet schema that holds what the rows cannot: ids in no pair, and the limit


def from_osmnx(
    graph: "nx.MultiDiGraph | nx.MultiGraph", crs: object = None, *, island_m: float = ISLAND_M
) -> WalkNetwork:
    """Network of an osmnx graph (simplified or not), or of what `to_networkx` gave.

    Edges that are each other's way back become one street; all are walkable both ways, with their own `length`.

    Parameters
    ----------
    crs : metric CRS to work in; None: the graph's own if it is metric, else the one that suits the place
    island_m : components with less street than this are islands

    Raises
    ------
    InputError
        If the graph states no CRS, has no edge, or its nodes have no x and y.

    Examples
    --------
    >>> graph = nx.MultiDiGraph(crs="EPSG:4326")
    >>> graph.add_nodes_from([(1, {"x": 125.30, "y": 43.88}), (2, {"x": 125.31, "y": 43.88})])
    >>> _ = graph.add_edge(1, 2, length=804.0)
    >>> network = from_osmnx(graph)
    >>> network.crs.to_epsg(), (network.edge_nm / NM).tolist()
    (4551, [804.0])
    """
    return WalkNetwork.build(streets.from_osmnx(graph, _suited(graph) if crs is None else crs), island_m=island_m)


def to_networkx(network: WalkNetwork) -> nx.MultiGraph:
    """Network as a networkx graph: undirected, since every street is walked both ways.

    Nodes are numbered from 0 and carry `x`, `y` (metres); edges `length` (metres), `geometry` (LineString, from `u` to
    `v` as `edge_from` and `edge_to` have it), `name`, `level`. The graph carries `crs`, so that osmnx can draw
    ``nx.MultiDiGraph(graph)``.

    >>> from shapely import LineString
    >>> from walkshed.network import Ways
    >>> street = gpd.GeoDataFrame({"name": ["同志街"]}, geometry=[LineString([(0, 0), (90, 0)])], crs="EPSG:4551")
    >>> graph = to_networkx(WalkNetwork.build(Ways.from_lines(street)))
    >>> [(d["name"], d["length"]) for _, _, d in graph.edges(data=True)]
    [('同志街', 90.0)]
    """
    graph = nx.MultiGraph(crs=network.crs.to_string())
    graph.add_nodes_from((u, {"x": x, "y": y}) for u, (x, y) in enumerate(network.xy.tolist()))
    columns = (
        network.edge_from.tolist(),
        network.edge_to.tolist(),
        (network.edge_nm / NM).tolist(),
        network.lines.tolist(),
        np.array(network.names, dtype=object)[network.edge_name].tolist(),
        np.array(LEVELS, dtype=object)[network.edge_level].tolist(),
    )
    graph.add_edges_from(
        (u, v, {"length": length, "geometry": line, "name": name, "level": level})
        for u, v, length, line, name, level in zip(*columns, strict=True)
    )
    return graph


def from_scipy(array: "sparray", *, demand_ids: Iterable[object], site_ids: Iterable[object], limit_m: float) -> Reach:
    """Reach of a sparse array of distances (sites, demand); what is not stored cannot be walked, a stored 0 is 0 m.

    Raises
    ------
    InputError
        If its shape is not that of the ids; as `Reach.from_frame` otherwise.

    Examples
    --------
    >>> found = from_scipy(coo_array(([300.0], ([0], [1]))), demand_ids=["h", "i"], site_ids=["L"], limit_m=500)
    >>> found.to_frame().to_dict("records")
    [{'from_id': 'i', 'to_id': 'L', 'distance_m': 300.0}]
    """
    demand, sites = pd.Index(list(demand_ids)), pd.Index(list(site_ids))
    pairs = coo_array(array)
    if pairs.shape != (len(sites), len(demand)):
        rows, columns = pairs.shape
        values = {"rows": rows, "columns": columns, "sites": len(sites), "demand": len(demand)}
        refuse([Fault("interop.shape", "distances", values)])
    site, point = pairs.coords
    frame = pd.DataFrame({"from_id": demand[point], "to_id": sites[site], "distance_m": pairs.data})
    return Reach.from_frame(frame, demand_ids=demand, site_ids=sites, limit_m=limit_m)


def to_parquet(reach: Reach, path: str | Path) -> None:
    """Write a reach as a table `from_id, to_id, distance_m` that any tool reads; the limit and all ids stand beside it.

    Ids must be text or whole numbers.
    """
    table = pa.Table.from_pandas(reach.to_frame(), preserve_index=False)
    beside = {"limit_m": reach.limit_m, "demand_ids": reach.demand_ids.tolist(), "site_ids": reach.site_ids.tolist()}
    pq.write_table(table.replace_schema_metadata({_KEY: json.dumps(beside, ensure_ascii=False)}), path)


def from_parquet(path: str | Path) -> Reach:
    """Read what `to_parquet` wrote.

    Raises
    ------
    MissingInputError
        If there is no such file.
    InputError
        If it is another Parquet file, or none at all.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingInputError(Fault("interop.missing", file.name))
    try:
        table = pq.read_table(file)
    except pa.ArrowInvalid:
        raise InputError(Fault("interop.not_reach", file.name)) from None
    beside = (table.schema.metadata or {}).get(_KEY)
    if beside is None:
        raise InputError(Fault("interop.not_reach", file.name))
    return Reach.from_frame(table.to_pandas(), **json.loads(beside))


def _suited(graph: "nx.MultiDiGraph | nx.MultiGraph") -> object:
    """A metric CRS for the graph: its own, or the one of the place; any, for a graph that is refused anyway."""
    crs = graph.graph.get("crs")
    if crs is not None and CRS.from_user_input(crs).is_projected:
        return crs
    xy = [(data["x"], data["y"]) for _, data in graph.nodes(data=True) if {"x", "y"} <= data.keys()]
    if crs is None or not xy:
        return "EPSG:4551"
    return metric_crs(gpd.GeoSeries(gpd.points_from_xy(*np.array(xy).T), crs=crs))
