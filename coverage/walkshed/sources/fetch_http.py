"""A polite client for services of others: one request at a time, bounded in time, cached, complete or not at all."""

import email.message
import email.utils
import hashlib
import http.client
import json
import queue
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
        self._opener = urllib.request.build_opener()  # proxies by the usual environment variables
        self.asked = 0

    def json(self, url: str, query: Mapping[str, str], *, fault_of: Callable[[Any], str] = lambda _: "") -> Any:  # noqa: ANN401  JSON is of any kind
        """Answer of a service to a query, from the folder if it is there.

        fault_of : tells of an answer that came whole what is wrong with it, as a service may report its own failure

        Raises
        ------
        UnavailableError
            If it did not come whole after all tries, is no JSON, or is refused.
        """
        address = f"{url}?{urllib.parse.urlencode(query)}"
        where = urllib.parse.urlsplit(url).netloc or url[:80]
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise UnavailableError(Fault("fetch.address", where, {"url": url[:200]}))
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
        request = urllib.request.Request(  # noqa: S310  the scheme is looked at above
            address, headers={"User-Agent": AGENT, "Accept": "application/json", "Accept-Encoding": "gzip"}
        )
        try:
            with self._opener.open(request, timeout=self._patience.connect_s) as response:
                _refuse_other(response, where)
                return self._body(response, where)
        except urllib.error.HTTPError as error:
            with error:
                fault = Fault("fetch.status", where, {"status": error.code, "reason": str(error.reason)[:80]})
                if error.code in BUSY:
                    raise _Later(fault, _retry_after(error.headers)) from None
            raise UnavailableError(fault) from None
        except UnavailableError:  # a ConnectionError itself
            raise
        except (OSError, http.client.HTTPException, zlib.error) as error:
            reason = str(getattr(error, "reason", "") or error)[:120] or type(error).__name__
            raise _Later(Fault("fetch.broken", where, {"reason": reason})) from None

    def _body(self, response: http.client.HTTPResponse, where: str) -> bytes:
        """Read to the end, as it comes: a service that drips may not hold us for ever."""
        patience, end = self._patience, time.monotonic() + self._patience.whole_s
        packed = response.headers.get("Content-Encoding", "").lower() == "gzip"
        unpack = zlib.decompressobj(wbits=31) if packed else None
        content, taken = bytearray(), 0
        while part := response.read1(1 << 16):
            taken += len(part)
            content += part if unpack is None else unpack.decompress(part, patience.bytes)
            if time.monotonic() > end:
                raise _Later(Fault("fetch.slow", where, {"seconds": patience.whole_s}))
            if len(content) >= patience.bytes:
                raise UnavailableError(Fault("fetch.large", where, {"mb": patience.bytes >> 20}))
        told = response.headers.get("Content-Length", "")
        if (told.isdecimal() and taken < int(told)) or (unpack is not None and not unpack.eof):
            raise _Later(Fault("fetch.truncated", where))
        return bytes(content)


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


def _refuse_other(response: http.client.HTTPResponse, where: str) -> None:
    """Pages of proxies and login screens come with status 200 too."""
    kind = response.headers.get("Content-Type", "")
    if "json" not in kind.lower():
        raise UnavailableError(Fault("fetch.not_data", where, {"kind": kind[:80] or "?"}))


def _parsed(content: bytes, where: str, fault_of: Callable[[Any], str]) -> Any:  # noqa: ANN401  JSON is of any kind
    try:
        answer = json.loads(content)
    except ValueError:
        raise _Later(Fault("fetch.truncated", where)) from None
    if reason := fault_of(answer):
        raise _Later(Fault("fetch.broken", where, {"reason": reason[:200]}))
    return answer


def _retry_after(headers: email.message.Message) -> float | None:
    """Seconds a service asks us to stay away: a number or a date (RFC 9110, 10.2.3); None if it does not say."""
    told = (headers.get("Retry-After") or "").strip()
    if told.isdecimal():
        return float(told)
    try:
        when = email.utils.parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
