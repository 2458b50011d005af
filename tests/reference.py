"""Slow twins: the same answers by the plainest way there is."""

import itertools

import networkx as nx
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from walkshed.network import NM, WalkNetwork


def split_graph(network: WalkNetwork, *tables: GeoDataFrame, max_access_m: float = 500.0) -> nx.Graph:
    """Streets cut at the foot of every point, each point a node on its own access leg; lengths in metres."""
    feet: dict[int, list[tuple[float, str, float]]] = {}
    usable = np.flatnonzero(~network.on_island)
    for table in tables:
        for key, point in table.geometry.items():
            away = shapely.distance(network.lines[usable], point)
            if away.min() <= max_access_m:
                edge = int(usable[np.argmin(away)])
                drawn = network.lines[edge].length
                share = network.lines[edge].project(point) / drawn if drawn else 0.0
                feet.setdefault(edge, []).append((share * network.edge_nm[edge] / NM, str(key), float(away.min())))
    graph = nx.Graph()
    graph.add_nodes_from(str(key) for table in tables for key in table.index)
    for edge, (a, b, nm) in enumerate(zip(network.edge_from, network.edge_to, network.edge_nm, strict=True)):
        stops = [(0.0, ("junction", int(a)))]
        for along, key, away in sorted(feet.get(edge, [])):
            graph.add_edge(key, ("foot", key), length=away)
            stops.append((along, ("foot", key)))
        stops.append((nm / NM, ("junction", int(b))))
        for (x, u), (y, v) in itertools.pairwise(stops):
            shorter = min(y - x, graph.edges[u, v]["length"]) if graph.has_edge(u, v) else y - x
            graph.add_edge(u, v, length=shorter)
    return graph


def reach_frame(
    network: WalkNetwork, demand: GeoDataFrame, sites: GeoDataFrame, *, limit_m: float, max_access_m: float = 500.0
) -> pd.DataFrame:
    graph = split_graph(network, demand, sites, max_access_m=max_access_m)
    rows = []
    for site in sites.index:
        away = nx.single_source_dijkstra_path_length(graph, str(site), cutoff=limit_m + 1e-6, weight="length")
        rows += [(i, site, away[str(i)]) for i in demand.index if str(i) in away]
    return pd.DataFrame(rows, columns=["from_id", "to_id", "distance_m"])
