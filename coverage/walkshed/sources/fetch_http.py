"""A polite client for services of others: one request at a time, bounded in time, cached, complete or not at all.

requests carries it. osmnx 2.1 does not: tried against the same servers, it asks a service that stays busy (429, 504)
without end, 55 seconds apart whatever Retry-After says, waits for ever on an answer that drips, and takes an answer
that Overpass itself marks as cut short.
"""

import hashlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from walkshed.errors import Fault, UnavailableError

AGENT = "walkshed (service planning of public libraries)"
"""How we name ourselves, as the usage policies of OpenStreetMap's services ask."""

BUSY = (429, 502, 503, 504)
"""Answers that mean: come back later."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for others, in seconds, and how often to ask again.

    connect_s : for the first byte, and between any two; whole_s : for an answer from its first byte to its last
    tries : requests in all; wait_s : before the second, doubled before each further one
    longest_s : longest wait that a service may ask for; pause_s : between two requests, whatever they were
    bytes : largest answer that is taken
    """

    connect_s: float = 30.0
    whole_s: float = 300.0
    tries: int = 4
    wait_s: float = 5.0
    longest_s: float = 120.0
    pause_s: float = 1.0
    bytes: int = 1 << 30


class _Later(Exception):  # noqa: N818  no error yet
    """Worth another try. wait_s : how long the service asks us to stay away; None if it does not say."""

    def __init__(self, fault: Fault, wait_s: float | None = None) -> None:
        super().__init__(str(fault))
        self.fault, self.wait_s = fault, wait_s


class Client:
    """Asks for JSON and keeps what it got in a folder, so that a run that was ended goes on where it stood."""

    def __init__(
        self, folder: Path, *, patience: Patience | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._folder, self._patience, self._sleep = folder, patience or Patience(), sleep
        self._session = requests.Session()  # proxies by the usual environment variables
        self._session.headers.update({"User-Agent": AGENT, "Accept": "application/json", "Accept-Encoding": "gzip"})
        self.asked = 0

    def json(self, url: str, query: Mapping[str, str], *, fault_of: Callable[[Any], str] = lambda _: "") -> Any:  # noqa: ANN401  JSON is of any kind
        """Answer of a service to a query, from the folder if it is there.

        fault_of : tells of an answer that came whole what is wrong with it, as a service may report its own failure

        Raises
        ------
        UnavailableError
            If it did not come whole after all tries, is no JSON, or is refused.
        """
        address, where = _address(url, query)
        kept = self._folder / f"{hashlib.sha256(address.encode()).hexdigest()[:24]}.json"
        if kept.is_file():
            return json.loads(kept.read_bytes())
        content, answer = self._patiently(address, where, fault_of)
        self._folder.mkdir(parents=True, exist_ok=True)
        half = kept.with_suffix(".part")
        half.write_bytes(content)
        half.replace(kept)
        return answer

    def _patiently(self, address: str, where: str, fault_of: Callable[[Any], str]) -> tuple[bytes, Any]:
        patience, wait_s = self._patience, self._patience.wait_s
        for left in reversed(range(patience.tries)):
            if self.asked:
                self._sleep(patience.pause_s)
            self.asked += 1
            try:
                content = _in_time(lambda: self._get(address, where), patience.whole_s + patience.connect_s, where)
                return content, _parsed(content, where, fault_of)
            except _Later as later:
                asked_s = wait_s if later.wait_s is None else later.wait_s
                if not left:
                    raise UnavailableError(later.fault) from None
                if asked_s > patience.longest_s:
                    raise UnavailableError(Fault("fetch.stay_away", where, {"seconds": asked_s})) from None
                self._sleep(asked_s)
                wait_s *= 2
        raise AssertionError  # at least one try

    def _get(self, address: str, where: str) -> bytes:
        """One request; whatever goes wrong is either worth another try or final."""
        try:
            with self._session.get(address, timeout=self._patience.connect_s, stream=True) as response:
                _refuse_other(response, where)
                return b"".join(self._parts(response, where))
        except requests.TooManyRedirects as error:
            raise UnavailableError(_broken(error, where)) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _Later(_broken(error, where)) from None

    def _parts(self, response: requests.Response, where: str) -> Iterator[bytes]:
        """The body as it comes, unpacked: a service that drips may not hold us for ever."""
        patience, end, taken = self._patience, time.monotonic() + self._patience.whole_s, 0
        while part := response.raw.read1(1 << 16, decode_content=True):
            taken += len(part)
            if time.monotonic() > end:
                raise _Later(Fault("fetch.slow", where, {"seconds": patience.whole_s}))
            if taken > patience.bytes:
                raise UnavailableError(Fault("fetch.large", where, {"mb": patience.bytes >> 20}))
            yield part


def _address(url: str, query: Mapping[str, str]) -> tuple[str, str]:
    """The whole address, and the host it is on; refused if it is none of the web."""
    try:
        address = requests.Request("GET", url, params=query).prepare().url or ""
        if urlsplit(address).scheme in ("http", "https"):
            return address, urlsplit(address).netloc
    except ValueError:  # which requests' own errors are, too
        pass
    raise UnavailableError(Fault("fetch.address", url[:80], {"url": url[:200]}))


def _in_time(ask: Callable[[], bytes], seconds: float, where: str) -> bytes:
    """Give up on a request that hangs where no time limit of the socket helps, such as headers that drip."""
    done: queue.SimpleQueue[bytes | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            done.put(ask())
        except BaseException as error:  # noqa: BLE001  handed over to whoever asked
            done.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        outcome = done.get(timeout=seconds)
    except queue.Empty:
        raise _Later(Fault("fetch.slow", where, {"seconds": seconds})) from None
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _refuse_other(response: requests.Response, where: str) -> None:
    """Refuse what is no data: also pages of proxies and login screens, which come with status 200."""
    if not response.ok:
        fault = Fault("fetch.status", where, {"status": response.status_code, "reason": response.reason[:80]})
        if response.status_code in BUSY:
            raise _Later(fault, _retry_after(response))
        raise UnavailableError(fault)
    kind = response.headers.get("Content-Type", "")
    if "json" not in kind.lower():
        raise UnavailableError(Fault("fetch.not_data", where, {"kind": kind[:80] or "?"}))


def _retry_after(response: requests.Response) -> float | None:
    """Seconds a service asks us to stay away; None if it does not say, or not so that one could understand it."""
    try:
        return urllib3.Retry().get_retry_after(response.raw)
    except urllib3.exceptions.InvalidHeader:
        return None


def _broken(error: Exception, where: str) -> Fault:
    """What went wrong, in the words of the innermost cause: the others quote it."""
    while inner := getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, Exception)), None):
        error = inner
    return Fault("fetch.broken", where, {"reason": str(error)[:120] or type(error).__name__})


def _parsed(content: bytes, where: str, fault_of: Callable[[Any], str]) -> Any:  # noqa: ANN401  JSON is of any kind
    try:
        answer = json.loads(content)
    except ValueError:
        raise _Later(Fault("fetch.truncated", where)) from None
    if reason := fault_of(answer):
        raise _Later(Fault("fetch.broken", where, {"reason": reason[:200]}))
    return answer
