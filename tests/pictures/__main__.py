"""`make pictures`: the pictures of README.md, all of the schematic city: map, page and app, each a small PNG."""

import sys
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import walkshed as ws  # noqa: E402
from conftest import found_chromium  # noqa: E402 - of the tests beside us
from test_app_browser import Reader, served  # noqa: E402

SIZE: ViewportSize = {"width": 1200, "height": 720}
MOST_BYTES = 300_000
WAIT_MS = 500_000


def main(wanted: Sequence[str]) -> None:
    """Plan once where a file is to be pictured, then take a picture of each."""
    with tempfile.TemporaryDirectory() as top, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=found_chromium(), args=["--no-sandbox", "--disable-gpu"])
        if {"map", "page"} & set(wanted):
            ws.write(ws.run(ws.Scenario.default()), Path(top))
        for name in wanted:
            keep(name, app_picture(browser, Path(top)) if name == "app" else file_picture(browser, Path(top), name))
        browser.close()


def file_picture(browser: Browser, folder: Path, name: str) -> bytes:
    """A page of ours as it opens with no network."""
    context = browser.new_context(viewport=SIZE)
    context.set_offline(True)
    page = context.new_page()
    page.goto((folder / f"{name}.html").as_uri())
    page.wait_for_timeout(2_000)
    return page.screenshot()


def app_picture(browser: Browser, folder: Path) -> bytes:
    """The app with its proposals, once nothing is being computed."""
    start = folder / "scenario.toml"
    start.write_text(ws.Scenario.default().to_toml(), encoding="utf-8")
    with served(folder / "space", start) as address:
        reader = Reader(browser, address)
        reader.page.set_viewport_size(SIZE)
        reader.page.set_default_timeout(WAIT_MS)
        reader.page.goto(f"{address}/?lang=zh&view=propose")
        for _ in range(2):
            reader.settle()
            reader.page.wait_for_timeout(4_000)
        return reader.page.screenshot()


def keep(name: str, png: bytes) -> None:
    """Write the picture with as many colours as fit into `MOST_BYTES`."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    for colours in (256, 128, 64, 32):
        file = BytesIO()
        picture.quantize(colours, kmeans=2, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        if file.tell() <= MOST_BYTES:
            break
    (HERE / f"{name}.png").write_bytes(file.getvalue())
    print(f"{HERE.name}/{name}.png {file.tell():,} bytes, {colours} colours")  # noqa: T201 - a command's answer


main(sys.argv[1:] or ["map", "page", "app"])
