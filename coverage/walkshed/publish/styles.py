"""Styles inside the GeoPackage, in the table `layer_styles` where QGIS looks for them: the map's own colours."""

import sqlite3
from contextlib import closing
from pathlib import Path

from walkshed.publish.images import RAMPS

_TIMELESS = "1970-01-01T00:00:00.000Z"
_QML = (
    "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
    '<qgis version="3.22.0" styleCategories="Symbology"><renderer-v2 type="singleSymbol" symbollevels="0">'
    '<symbols><symbol name="0" type="{kind}" alpha="1"><layer class="{layer}" enabled="1"><Option type="Map">{options}'
    "</Option></layer></symbol></symbols></renderer-v2></qgis>"
)
_OPTION = '<Option name="{name}" type="QString" value="{value}"/>'
_NEW, _INK, _GAP = "122,31,162,255", "92,96,103,255", "163,60,3,255"


def _rgb(colour: str) -> str:
    """Colour as QGIS writes it.

    >>> _rgb("#0b4478")
    '11,68,120,255'
    """
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"


def _marker(colour: str, size_mm: float) -> tuple[str, str, dict[str, str]]:
    white = {"outline_color": "255,255,255,255", "outline_width": "0.2"}
    return "marker", "SimpleMarker", {"name": "circle", "color": colour, "size": str(size_mm), **white}


def _outline(colour: str, width_mm: float, style: str) -> tuple[str, str, dict[str, str]]:
    line = {"outline_color": colour, "outline_width": str(width_mm), "outline_style": style}
    return "fill", "SimpleFill", {"style": "no", **line}


STYLES = {
    "demand": _marker(_rgb(RAMPS["unserved"][2]), 0.8),
    "gaps": _outline(_GAP, 0.4, "dash"),
    "outlets": _marker(_rgb(RAMPS["served"][3]), 2.2),
    "sites": _marker(_NEW, 4.0),
    "units": _outline(_INK, 0.4, "solid"),
}


def add_styles(path: Path) -> None:
    """Add a default style for each layer of a GeoPackage.

    Raises
    ------
    sqlite3.Error
        If it cannot be written.
    """
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(
            "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), "
            "f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), "
            "styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), "
            f"update_time DATETIME DEFAULT '{_TIMELESS}')"
        )
        base.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?)", (_TIMELESS,),
        )  # fmt: skip
        for name, (kind, layer, options) in STYLES.items():
            listed = "".join(_OPTION.format(name=key, value=value) for key, value in options.items())
            base.execute(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
                "styleName, styleQML, styleSLD, useAsDefault, description, owner) "
                "VALUES ('', '', ?, 'geom', ?, ?, '', 1, '', '')",
                (name, name, _QML.format(kind=kind, layer=layer, options=listed)),
            )
