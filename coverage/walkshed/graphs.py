"""Street graphs of networkx and osmnx: read as ways, and made of junctions and edges."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from walkshed.area import metric_crs
from walkshed.contracts import FloatArray, Index32, IntArray, check_metric, refuse
from walkshed.errors import Fault
from walkshed.walkable import walk_filter
from walkshed.ways import LEVELS, Ways

if TYPE_CHECKING:
    import networkx as nx


def ways_of(graph: "nx.MultiDiGraph | nx.MultiGraph", crs: object = None, *, where: str = "graph") -> Ways:
    """Streets of an osmnx graph (networkx MultiDiGraph, simplified or not), or of what `graph_of` gave.

    Edges that are each other's way back become one street, walkable both ways; one-way edges are walkable both ways
    too. The edge's own `length` is kept as `length_m`.

    crs : metric CRS to work in; None: the graph's own if it is metric, else the one that suits the place

    Raises
    ------
    InputError
        If the graph states no CRS, has no edge, or its nodes have no x and y.
    """
    source = graph.graph.get("crs")
    lost = [node for node, data in graph.nodes(data=True) if not {"x", "y"} <= data.keys()]
    faults = [Fault("table.no_crs", where)] if source is None else []
    faults += [Fault("streets.no_edges", where)] if graph.number_of_edges() == 0 else []
    faults += [Fault("streets.no_xy", where, {"n": len(lost), "example": lost[0]})] if lost else []
    refuse(faults)
    metric = check_metric(_suited(graph) if crs is None else crs, "crs")
    edges = _edges(graph)
    xy, row = shapely.get_coordinates(edges["line"].to_numpy(), return_index=True)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(edges)))]).astype(np.int64)
    frame = edges[["name", "level", "bridge", "tunnel", "length_m"]].reset_index(drop=True)
    to_metres = Transformer.from_crs(source, metric, always_xy=True)
    projected = np.column_stack(to_metres.transform(xy[:, 0], xy[:, 1]))
    return Ways(metric, ptr, _graph_nodes(edges, ptr), projected, frame)


def graph_of(xy: FloatArray, start: Index32, end: Index32, streets: gpd.GeoDataFrame) -> "nx.MultiGraph":
    """Undirected graph of junctions, numbered from 0, and the streets between them: `name, level, length_m`, lines."""
    import networkx as nx  # noqa: PLC0415 - only who asks for a graph waits for it

    graph = nx.MultiGraph(crs=streets.crs.to_string())
    graph.add_nodes_from((u, {"x": x, "y": y}) for u, (x, y) in enumerate(xy.tolist()))
    held = {"length": "length_m", "geometry": "geometry", "name": "name", "level": "level"}
    columns = [streets[column].tolist() for column in held.values()]
    graph.add_edges_from(
        (u, v, dict(zip(held, values, strict=True)))
        for u, v, *values in zip(start.tolist(), end.tolist(), *columns, strict=True)
    )
    return graph


def _suited(graph: "nx.MultiDiGraph | nx.MultiGraph") -> object:
    """A metric CRS for the graph: its own, or the one of the place."""
    crs = graph.graph["crs"]
    if CRS.from_user_input(crs).is_projected:
        return crs
    xy = np.array([(data["x"], data["y"]) for _, data in graph.nodes(data=True)])
    return metric_crs(gpd.GeoSeries(gpd.points_from_xy(*xy.T), crs=crs))


def _edges(graph: "nx.MultiDiGraph | nx.MultiGraph") -> pd.DataFrame:
    """One row per street, sorted: ends, line, and what is known of it; ways back are dropped."""
    nodes = graph.nodes
    number = {node: i for i, node in enumerate(sorted(nodes, key=lambda node: (str(type(node)), node)))}
    rows = [
        {
            "u": number[u],
            "v": number[v],
            "line": data.get("geometry") or shapely.LineString([(nodes[n]["x"], nodes[n]["y"]) for n in (u, v)]),
            "length_m": float(data.get("length", np.nan)),
            "name": _first(data.get("name")),
            "level": _level(data),
            "bridge": _first(data.get("bridge"), "no") != "no",
            "tunnel": _first(data.get("tunnel"), "no") != "no",
        }
        for u, v, data in graph.edges(data=True)
    ]
    table = pd.DataFrame(rows).sort_values(["u", "v", "length_m"], kind="stable")
    shape = shapely.to_wkb(shapely.normalize(table["line"].to_numpy()))
    ends = np.sort(table[["u", "v"]].to_numpy(), axis=1)
    return table[~pd.DataFrame({"a": ends[:, 0], "b": ends[:, 1], "shape": shape}).duplicated().to_numpy()]


def _level(data: Mapping[str, object]) -> str:
    """How prominent an edge is: its own level, else that of its `highway`."""
    known = data.get("level") in LEVELS
    return str(data["level"]) if known else walk_filter().level({"highway": _first(data.get("highway"))}) or "street"


def _first(value: object, default: str = "") -> str:
    """One text of what osmnx may give as nothing, a text or, where it merged edges, several."""
    if isinstance(value, list | tuple | set):
        return min(map(str, value)) if value else default
    return default if value is None or value != value else str(value)  # noqa: PLR0124 - NaN is not itself


def _graph_nodes(edges: pd.DataFrame, ptr: IntArray) -> IntArray:
    """Only the ends of edges join: the graph says what meets, not its drawn shapes."""
    key = np.arange(ptr[-1], dtype=np.int64) + int(edges[["u", "v"]].to_numpy().max()) + 1
    key[ptr[:-1]], key[ptr[1:] - 1] = edges["u"].to_numpy(), edges["v"].to_numpy()
    return key
