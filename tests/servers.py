"""Services on the loopback that answer like the real ones, and misbehave on demand."""

import gzip
import json
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Behaviour = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Each request takes the next behaviour of the script; the last one stays."""

    protocol_version = "HTTP/1.1"
    script: list[Behaviour]
    asked: list[dict[str, str]]

    def do_GET(self) -> None:
        self.asked.append(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query)))
        behave = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        try:
            behave(self)
        except OSError:  # whoever asked has gone
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


@contextmanager
def serving(*script: Behaviour) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Address of a server that follows a script, and what it was asked."""
    asked: list[dict[str, str]] = []
    handler = type("Scripted", (Handler,), {"script": list(script), "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api", asked
    finally:
        server.shutdown()
        server.server_close()


def gives(answer: Any, *, packed: bool = False) -> Behaviour:
    """Answer whole, as JSON, packed or not."""

    def behave(handler: Handler) -> None:
        body = json.dumps(answer).encode()
        more = {"Content_Encoding": "gzip"} if packed else {}
        body = gzip.compress(body) if packed else body
        handler.head(200, Content_Type="application/json; charset=utf-8", Content_Length=str(len(body)), **more)
        handler.wfile.write(body)

    return behave


def refuses(status: int, **headers: str) -> Behaviour:
    return lambda handler: handler.head(status, Content_Length="0", **headers)


def breaks_off(answer: Any, share: float = 0.5, *, length: bool = True) -> Behaviour:
    """Close the connection in the middle of the body."""

    def behave(handler: Handler) -> None:
        body = json.dumps(answer).encode()
        told = {"Content_Length": str(len(body))} if length else {"Connection": "close"}
        handler.head(200, Content_Type="application/json", **told)
        handler.wfile.write(body[: int(len(body) * share)])
        handler.close_connection = True

    return behave


def page(handler: Handler) -> None:
    """A login page of a proxy, with status 200."""
    body = b"<html>please log in</html>"
    handler.head(200, Content_Type="text/html", Content_Length=str(len(body)))
    handler.wfile.write(body)


def drips(handler: Handler) -> None:
    """A byte now and then, for ever: no time limit of a socket ends this."""
    handler.head(200, Content_Type="application/json", Content_Length="1000000")
    for _ in range(600):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def drips_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for i in range(600):
        handler.wfile.write(f"X-{i}: y\r\n".encode())
        handler.wfile.flush()
        time.sleep(0.05)


def hangs(handler: Handler) -> None:
    time.sleep(30)


def moves_to(url: str) -> Behaviour:
    def behave(handler: Handler) -> None:
        query = urllib.parse.urlsplit(handler.path).query
        handler.head(302, Location=f"{url}?{query}", Content_Length="0")

    return behave


def moves_in_circles(handler: Handler) -> None:
    handler.head(302, Location=handler.path, Content_Length="0")
