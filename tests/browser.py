"""Open a page in the Chromium that is there, with no network, and tell what happened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

LOCAL = ("data:", "file:", "blob:")
Act = Callable[[Page], Any]


@dataclass
class Visit:
    """What a page asked for over the network, what went wrong in it, the dialogs it opened, and what `act` returned."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    result: Any = None


@contextmanager
def launched(chromium: str) -> Iterator[Browser]:
    """Start Chromium once for many visits: starting takes longer than most pages."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def visit(browser: Browser, page_file: Path, act: Act | None = None, *, size: tuple[int, int] = (1280, 720),
          hash_: str = "", picture: Path | None = None, settle_ms: int = 300) -> Visit:  # fmt: skip
    """Open a file in a fresh, offline context, let `act` use the page, take a picture."""
    seen = Visit()
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, has_touch=size[0] < 760)
    context.set_offline(True)
    page = context.new_page()
    page.on("request", lambda r: seen.requests.append(r.url) if not r.url.startswith(LOCAL) else None)
    page.on("console", lambda m: seen.errors.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda e: seen.errors.append(str(e)))
    page.on("dialog", lambda d: (seen.dialogs.append(d.message), d.dismiss()))
    page.goto(page_file.resolve().as_uri() + hash_)
    page.wait_for_timeout(settle_ms)
    if act:
        seen.result = act(page)
    if picture:
        page.wait_for_timeout(settle_ms)
        page.screenshot(path=picture)
    context.close()
    return seen
