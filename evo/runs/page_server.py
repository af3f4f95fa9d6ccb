"""A page's server: it listens on this machine alone, answers questions for a few known paths, and writes nothing.

Its address holds a token that other users and other pages cannot know. A page of another origin can neither read an
answer nor show the page within itself, and a name that leads here without being this machine's is refused.
"""

import base64
import errno
import hashlib
import hmac
import os
import secrets
import socketserver
import stat
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from evo.envs.engine.compile import cache_folder
from evo.errors import EvoError, one_line

HOST = "127.0.0.1"
PORTS = range(8471, 8491)  # of which the first free one is taken, where the user names none
_NAMES = {HOST, "localhost"}
_KEY_BYTES = 32
_PATIENCE = 10  # seconds for a request to arrive
_CONNECTIONS = 64  # at once
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Answer(NamedTuple):
    """What is said for a path: the type of the content, and its bytes."""

    kind: str
    content: bytes


class PageServer(socketserver.ThreadingTCPServer):
    """Server of `answers`, path → Answer below the token's folder, which may be replaced at any time; "" is the page.

    `asked` is set whenever somebody asks. Raises EvoError where the port is not free.
    """

    daemon_threads = True
    allow_reuse_address = True  # a port whose last connections are still closing is free

    def __init__(self, port: int, token: str) -> None:
        self.token = token
        self.answers: Mapping[str, Answer] = {}
        self.asked = threading.Event()
        self._room = threading.BoundedSemaphore(_CONNECTIONS)
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            why = "it is in use" if error.errno == errno.EADDRINUSE else one_line(error)
            raise EvoError(
                f"cannot serve a page on port {port}: {why}; choose another by --port, or 0 for any"
            ) from error

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_address[1]}/{self.token}/"

    def start(self) -> None:
        """Answer from now on, in threads that end with the process."""
        threading.Thread(target=self.serve_forever, name="evo-page", daemon=True).start()

    def process_request_thread(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        """Answer a request, or close the connection where too many are open."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing where a viewer leaves in the middle of an answer."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE
    server: PageServer
    server_version, sys_version = "evo", ""

    def do_GET(self) -> None:
        if not self._is_of_this_page():
            self._say(403, Answer("text/plain", b"this page answers its own origin alone\n"))
            return
        path = self._path_below_the_token()
        if path is not None:
            self.server.asked.set()
        found = None if path is None else self.server.answers.get(path)
        self._say(200, found) if found else self._say(404, Answer("text/plain", b"there is nothing here\n"))

    def _path_below_the_token(self) -> str | None:
        with suppress(ValueError):  # a path that is none
            start, token, path = urlsplit(self.path).path.split("/", 2)
            if not start and hmac.compare_digest(token.encode(), self.server.token.encode()):
                return path
        return None

    def _is_of_this_page(self) -> bool:
        """Return whether a request is the page's own, or its reader's: no other page's, and for no other name."""
        host = self.headers.get("Host", "")
        with suppress(ValueError):  # a host that is none
            if urlsplit(f"//{host}").hostname not in _NAMES:
                return False
            origin = self.headers.get("Origin")
            fetched = self.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
            led_here = self.headers.get("Sec-Fetch-Mode") == "navigate"
            return origin in (None, f"http://{host}") and (fetched or led_here)
        return False

    def _say(self, status: int, answer: Answer) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{answer.kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no question for a page, with the same headers."""
        self.close_connection = True
        code = 405 if code == 501 else code  # the standard library's word for a method that it does not know
        self._say(code, Answer("text/plain", b"only GET of the page is answered\n"))

    def log_message(self, *_: object) -> None:
        """Print nothing for each request."""


def serve(path: Path, port: int | None) -> tuple[PageServer, bool]:
    """Return a server for the page of a run, and whether it keeps its address when it is started again.

    port: of this machine; None for the first free one of PORTS, 0 for any. Raises EvoError where none is free.
    """
    if port is not None and not 0 <= port <= 65_535:
        raise EvoError(f"port must lie between 0 and 65,535, got {port}")
    key, kept = _key()
    error = None
    for each in PORTS if port is None else (port,):
        try:
            server = PageServer(each, "")
        except EvoError as refused:
            error = error or refused
            continue
        server.token = _token(key, path, server.server_address[1])
        return server, kept and port != 0
    assert error is not None
    if port is not None:
        raise error
    raise EvoError(f"the ports {PORTS[0]} to {PORTS[-1]} are all in use; choose another by --port, or 0 for any")


def _token(key: bytes, path: Path, port: int) -> str:
    """Return the token of a run's page on a port, which nobody without the key can tell."""
    said = hmac.new(key, os.fsencode(path.resolve()) + f"\0{port}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(said[:18]).decode()


def _key() -> tuple[bytes, bool]:
    """Return this user's secret key, made at first use, and whether it is kept. One that others may read is not."""
    place, fresh = cache_folder() / "watch.key", secrets.token_bytes(_KEY_BYTES)
    with suppress(OSError):
        with (
            suppress(FileExistsError),
            open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file,
        ):
            file.write(fresh)
        with open(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
            found = file.read(_KEY_BYTES) if own else b""
        if len(found) == _KEY_BYTES:
            return found, True
    return fresh, False
