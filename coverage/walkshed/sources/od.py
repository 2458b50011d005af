"""Distances found elsewhere (r5py, ArcGIS, spopt): an origin-destination table in place of our own walks."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from walkshed.errors import Fault, InputError
from walkshed.scenario import Scenario
from walkshed.sources.vector import read_csv


def read_od(path: Path, scenario: Scenario) -> pd.DataFrame:
    """Read a CSV or Parquet table `from_id` (demand), `to_id` (site) and `distance_m`, or `minutes`; ids are text.

    Minutes are turned into metres by the scenario's own standard, which must then be in minutes: its limit in minutes
    is its limit in metres.

    Raises
    ------
    InputError
        If it cannot be read, or has minutes where the standard has none.
    """
    if path.suffix.lower() in (".parquet", ".pq"):
        try:
            table: pd.DataFrame = pq.read_table(path).to_pandas()
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(
                Fault("vector.unreadable", path.name, {"reason": str(error).splitlines()[0][:200]})
            ) from None
    else:
        table = read_csv(path)
    if "distance_m" not in table and "minutes" in table:
        if scenario.standard.minutes is None:
            raise InputError(Fault("reach.minutes", path.name))
        pace = scenario.limit_m / scenario.standard.minutes
        table = table.assign(distance_m=pd.to_numeric(table["minutes"], errors="coerce") * pace)
    ids = {c: table[c].astype(str) for c in ("from_id", "to_id") if c in table}
    return table.assign(**ids)
