"""From an OpenStreetMap extract to a network, beside osmnx on the same extract. `python tests/bench streets`."""

import sys
import tempfile
from pathlib import Path

from harness import measure, report, table, timed

HARBIN = Path(__file__).parents[3] / "shared" / "real" / "harbin" / "harbin.osm.pbf"


def rows() -> None:
    """Ours and osmnx, in a process each; skipped, and said, where the extract is not there."""
    if not HARBIN.exists():
        print("streets: skipped, real test data are not here (../shared/real)")
        return
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder) / "harbin.osm"
        _as_xml(HARBIN, xml)
        ours, osmnx = measure("streets.py", "ours", HARBIN), measure("streets.py", "osmnx", xml)
    for row in (ours, osmnx):
        row["times_ours"] = row["seconds"] / ours["seconds"]
        row["memory_times_ours"] = row["grown_mb"] / ours["grown_mb"]
    table("Harbin: extract to walking network", [{"tool": "walkshed .osm.pbf", **ours}, {"tool": "osmnx XML", **osmnx}])


def _as_xml(source: Path, target: Path) -> None:
    """osmnx reads XML only, and no way that lacks a node: those the extract cuts are left out."""
    import osmium

    nodes = {item.id for item in osmium.FileProcessor(str(source), osmium.osm.NODE)}
    with osmium.SimpleWriter(str(target)) as out:
        for item in osmium.FileProcessor(str(source)):
            if not item.is_way() or all(node.ref in nodes for node in item.nodes):
                out.add(item)


def _rss_mb() -> float:
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def _grown(call) -> None:
    import resource

    before = _rss_mb()
    seconds, junctions = timed(call, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report(seconds=seconds, junctions=junctions, grown_mb=round(peak - before))


def ours(path: str) -> None:
    from walkshed.network import WalkNetwork
    from walkshed.sources import osm

    _grown(lambda: len(WalkNetwork.build(osm.read_ways(Path(path), "EPSG:4551")).xy))


def osmnx(path: str) -> None:
    import osmnx as ox

    _grown(lambda: len(ox.simplify_graph(ox.graph_from_xml(path, bidirectional=True, simplify=False))))


if __name__ == "__main__":
    {"ours": ours, "osmnx": osmnx}[sys.argv[1]](sys.argv[2])
