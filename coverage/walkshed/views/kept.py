"""Results kept for everybody on the server: made once for each key, the oldest let go, work done behind the page."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Kept(Generic[Thing]):
    """At most `most` results by key. What failed is not kept: it may be asked for again.

    >>> kept: Kept[int] = Kept(1)
    >>> kept.get("a", lambda: 1), kept.get("a", lambda: 2), kept.get("b", lambda: 3), kept.get("a", lambda: 4)
    (1, 1, 3, 4)
    """

    def __init__(self, most: int, workers: int = 0) -> None:
        self._most = most
        self._lock = Lock()
        self._made: OrderedDict[str, Future[Thing]] = OrderedDict()
        self._pool = ThreadPoolExecutor(workers, "walkshed") if workers else None

    def __contains__(self, key: str) -> bool:
        """Whether it is made already, so that `get` takes no time."""
        with self._lock:
            made = self._made.get(key)
        return made is not None and made.done()

    def get(self, key: str, make: Callable[[], Thing]) -> Thing:
        """The result, made here if nobody has made it or is making it."""
        made, mine = self._of(key)
        if mine:
            self._fill(key, made, make)
        return made.result()

    def later(self, key: str, make: Callable[[], Thing]) -> "Future[Thing]":
        """The result to be, made by a worker of its own."""
        made, mine = self._of(key)
        if mine and self._pool:
            self._pool.submit(self._fill, key, made, make)
        return made

    def settle(self) -> None:
        """Wait until nothing is being made."""
        with self._lock:
            making = list(self._made.values())
        wait(making)

    def _of(self, key: str) -> "tuple[Future[Thing], bool]":
        with self._lock:
            made = self._made.get(key)
            if made is not None:
                self._made.move_to_end(key)
                return made, False
            made = self._made[key] = Future()
            while len(self._made) > self._most:
                self._made.popitem(last=False)
            return made, True

    def _fill(self, key: str, made: "Future[Thing]", make: Callable[[], Thing]) -> None:
        try:
            made.set_result(make())
        except BaseException as error:  # noqa: BLE001  whoever waits is told, whatever it is
            with self._lock:
                if self._made.get(key) is made:
                    del self._made[key]
            made.set_exception(error)
