"""This process's connection to a Ray cluster: there is one at most, and the user's own program may have opened it."""

import os
import signal
import socket
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from evo.errors import EvoError, one_line

PATIENCE = 5.0  # seconds that a cluster has to take a connection
_FOREVER = "1000000"  # seconds: Ray ends a process that has lost its cluster for longer; a run goes on without one
_NO_RAY = "workers on a cluster need Ray: pip install 'evo-creatures[ray]'"
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"  # how HTTP/2 begins: RFC 9113, 3.4
_SETTINGS = 4  # type of the frame with which a server answers: RFC 9113, 6.5


class Connection:
    """Ray, connected to the cluster at an address; None: the program's own, RAY_ADDRESS's or this machine's.

    A connection that the program opened is used, and never closed. Raises EvoError where Ray or the cluster is missing,
    and where the program is connected to another one.
    """

    def __init__(self, address: str | None) -> None:
        try:
            import ray
            import ray.exceptions
        except ImportError as error:
            raise EvoError(_NO_RAY) from error
        self.ray: Any = ray
        self.own = not ray.is_initialized()
        if self.own:
            os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", _FOREVER)
            _join(ray, address or os.environ.get("RAY_ADDRESS") or "auto")
        self.address: str = ray.get_runtime_context().gcs_address
        """Where the cluster is, as HOST:PORT."""
        if not self.own and address is not None and not self._is_to(*_parts(address)):
            raise EvoError(
                f"this program is connected to the Ray cluster at {self.address}, not at {address}: call "
                "ray.shutdown() first, or give workers as 'ray'"
            )
        self._job = ray.get_runtime_context().get_job_id()

    @property
    def open(self) -> bool:
        """Whether it is still there: the program may close it, and open another."""
        if not self.ray.is_initialized():
            return False
        context = self.ray.get_runtime_context()
        return (context.gcs_address, context.get_job_id()) == (self.address, self._job)

    def _is_to(self, host: str, port: int) -> bool:
        there, at = _parts(self.address)
        try:
            found = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        except OSError:
            found = set()
        here = self.ray.util.get_node_ip_address() == there  # the head's own address, for which localhost stands
        return port == at and (there in {host, *found} or (here and not found.isdisjoint({"127.0.0.1", "::1"})))

    def close(self) -> None:
        if self.own and self.open:
            self.ray.shutdown()


def _join(ray: Any, address: str) -> None:
    """Connect to the cluster at an address, or this machine's for `auto`; signals stay as they are. Raises EvoError."""
    where = "on this machine" if address == "auto" else f"at {address}"
    with tempfile.TemporaryFile() as log:
        try:
            with _errors_into(log):
                found = _address_here() if address == "auto" else address
                knock(found)
        except OSError as error:
            raise _no_cluster(where, one_line(error)) from error
        try:
            with _own_signals(), _errors_into(log), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ray.init(address=found, log_to_driver=False, logging_level="ERROR", configure_logging=False)
        except Exception as error:
            why = one_line(error.__cause__ or error)
            if "ersion mismatch" in why:
                raise EvoError(
                    f"the Ray cluster {where} has other versions ({why}): install the same Python and Ray everywhere"
                ) from error
            raise EvoError(
                f"the Ray cluster {where} does not take this process ({_last(log) or why}): run evo on a machine of "
                "the cluster, with its RAY_AUTH_TOKEN if it has one"
            ) from error
        _silence(ray)
        log.seek(0)
        sys.stderr.write(log.read().decode(errors="replace"))


def _address_here() -> str:
    """Return where this machine's cluster is. It may be gone: Ray notes it in a file. Raises ConnectionError."""
    from ray._private.services import canonicalize_bootstrap_address  # there is no other way: `ray.init` waits for it

    found = canonicalize_bootstrap_address("auto")
    if not found:
        raise ConnectionError("there is none")
    return str(found)


def _silence(ray: Any) -> None:
    """Keep off standard output the paragraph that Ray prints for each worker it loses: `changes` tells of nodes."""
    if hasattr(ray._private.worker, "print_to_stdstream"):  # it has no setting for this
        ray._private.worker.print_to_stdstream = lambda data, ignore_prefix: None


def _no_cluster(where: str, why: str) -> EvoError:
    return EvoError(
        f"no Ray cluster answers {where} ({why}): start one with `ray start --head`, or name its address "
        "(--workers ray:HOST:6379)"
    )


def _parts(address: str) -> tuple[str, int]:
    """Return host and port of an address. Raises EvoError for what is none."""
    host, _, port = address.rpartition(":")
    if "//" in address:
        raise EvoError(f"Ray's client ({address}) is not used: run evo on a machine of the cluster, with ray:HOST:PORT")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise EvoError(f"the address of a Ray cluster is HOST:PORT, as in 192.0.2.1:6379, got {address!r}")
    return host.strip("[]"), int(port)


def knock(address: str) -> None:
    """Raise OSError where nobody that could be Ray listens: Ray itself would wait for minutes. Raises EvoError."""
    with socket.create_connection(_parts(address), PATIENCE) as connection:
        if os.environ.get("RAY_USE_TLS", "0") not in ("1", "true"):
            connection.sendall(_HELLO)
            if connection.recv(4)[3:] != bytes([_SETTINGS]):
                raise OSError("something else listens there")


def _last(log: IO[bytes]) -> str:
    """Return the last thing that was logged, as in `[time W 12 12] file.cc:210: what happened`; empty for nothing."""
    log.seek(0)
    lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].rpartition("] ")[2].partition(": ")[2] if lines else ""


@contextmanager
def _errors_into(log: IO[bytes]) -> Iterator[None]:
    """Write to a file what this process writes to standard error, also where Python does not write it."""
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep this process's handlers of signals, which Ray replaces."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
