"""The connection to a Ray cluster: bad addresses are one line each, and what the program opened is left open."""

import importlib.util
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from evo.cli import main
from evo.cluster import ray_connection
from evo.cluster.named import workers_by_name
from evo.cluster.ray_connection import Connection
from evo.cluster.ray_nodes import why_lost
from evo.diagnosis import cluster
from evo.errors import EvoError
from tests.support.ray_cluster import RayCluster, begin

pytestmark = pytest.mark.ray

BAD_ADDRESSES = {
    "banana": "the address of a Ray cluster is HOST:PORT, as in 192.0.2.1:6379, got 'banana'",
    "192.0.2.1": "the address of a Ray cluster is HOST:PORT, as in 192.0.2.1:6379, got '192.0.2.1'",
    "192.0.2.1:99999": "the address of a Ray cluster is HOST:PORT, as in 192.0.2.1:6379, got '192.0.2.1:99999'",
    "//192.0.2.1:10001": "Ray's client (//192.0.2.1:10001) is not used: run evo on a machine of the cluster",
    "127.0.0.1:1": "no Ray cluster answers at 127.0.0.1:1 (",
}


def test_of_what_ray_says_the_reason_is_told() -> None:
    creation = "The actor died because of an error raised in its creation task,\n"
    said = {
        f"{creation} RuntimeError\nModuleNotFoundError: No module named 'evo'": "No module named 'evo'",
        "The actor is dead because its node has died.\nNode Id: 12": "its node has died",
        "The actor 12ab is unavailable: RPC error: Socket closed": "the connection to its worker process broke",
        "something\nelse": "something else",
    }
    assert {text: why_lost(RuntimeError(text)) for text in said} == said


if importlib.util.find_spec("ray"):
    import ray

    @pytest.fixture(scope="module")
    def clusters() -> Iterator[list[RayCluster]]:
        made = [begin(1) for _ in range(2)]
        yield made
        ray.shutdown()
        for each in made:
            each.end()

    @pytest.mark.parametrize("address", BAD_ADDRESSES)
    def test_a_bad_address_is_one_line(address: str) -> None:
        with pytest.raises(EvoError, match=re.escape(BAD_ADDRESSES[address])):
            Connection(address)

    @pytest.mark.parametrize("noted", ["127.0.0.1:1", None])
    def test_a_cluster_that_is_gone_or_never_was_on_this_machine_is_one_line(
        noted: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """noted: the address that Ray has left in a file; it would wait for what is gone."""
        monkeypatch.delenv("RAY_ADDRESS", raising=False)
        monkeypatch.setattr("ray._private.services.find_gcs_addresses", set)
        monkeypatch.setattr("ray._private.services.find_bootstrap_address", lambda *_: noted)
        with pytest.raises(
            EvoError, match=r"^no Ray cluster answers on this machine \(.+\): start one with `ray start"
        ):
            Connection(None)

    @pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
    def test_what_listens_and_is_not_ray_is_found_out(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ray itself asks it for minutes. The one with no answer stays silent."""
        monkeypatch.setattr(ray_connection, "PATIENCE", 1.0)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            taken: list[socket.socket] = []

            def serve() -> None:
                taken.append(server.accept()[0])
                taken[0].sendall(answer)

            thread = threading.Thread(target=serve)
            thread.start()
            why = "something else listens there" if answer else "timed out"
            with pytest.raises(EvoError, match=re.escape(f"no Ray cluster answers at 127.0.0.1:{port} ({why})")):
                Connection(f"127.0.0.1:{port}")
            thread.join()
            taken[0].close()

    def test_a_port_of_a_cluster_that_is_not_its_own_is_one_line(
        clusters: list[RayCluster], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("RAY_gcs_server_port_wait_time_s", "2")  # by default 20
        Connection(clusters[0].address).close()
        connection = Connection(clusters[0].address)
        port = ray.nodes()[0]["NodeManagerPort"]  # a server of Ray's too
        connection.close()
        capfd.readouterr()
        host = clusters[0].address.partition(":")[0]
        with pytest.raises(
            EvoError, match=f"the Ray cluster at {host}:{port} does not take this process \\("
        ) as raised:
            Connection(f"{host}:{port}")
        assert "RPC error" in str(raised.value)  # what Ray only logs
        assert capfd.readouterr() == ("", "")

    def test_another_version_of_ray_is_one_line(
        clusters: list[RayCluster], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        there = ray.__version__
        monkeypatch.setattr(ray, "__version__", "2.0.0")
        with pytest.raises(EvoError, match="has other versions") as raised:
            Connection(clusters[0].address)
        said = str(raised.value)
        assert (
            f"Ray: {there} " in said
            and "Ray: 2.0.0 " in said
            and said.endswith(": install the same Python and Ray everywhere")
        )
        assert capfd.readouterr() == ("", "")
        assert not ray.is_initialized()

    def test_another_address_is_another_cluster(clusters: list[RayCluster]) -> None:
        for place in (0, 1, 0):
            address = clusters[place].address
            nodes = workers_by_name(f"ray:{address}", 1)
            assert ray.get_runtime_context().gcs_address == address
            assert workers_by_name(f"ray:{address}", 1) is nodes

    def test_a_connection_that_was_closed_is_opened_again(clusters: list[RayCluster]) -> None:
        nodes = workers_by_name(f"ray:{clusters[0].address}", 1)
        ray.shutdown()
        assert workers_by_name(f"ray:{clusters[0].address}", 1) is not nodes
        assert ray.is_initialized()

    def test_what_the_program_opened_is_used_and_left_open(clusters: list[RayCluster]) -> None:
        workers_by_name(f"ray:{clusters[1].address}", 1)
        ray.shutdown()
        ray.init(address=clusters[0].address, log_to_driver=False, logging_level="ERROR")
        job = ray.get_runtime_context().get_job_id()
        port = clusters[0].address.partition(":")[2]
        for text in ("ray", f"ray:{clusters[0].address}", f"ray:localhost:{port}", "ray"):
            workers_by_name(text, 1)
            assert ray.get_runtime_context().get_job_id() == job
        with pytest.raises(EvoError, match=f"not at {clusters[1].address}: call ray.shutdown"):
            workers_by_name(f"ray:{clusters[1].address}", 1)
        assert ray.get_runtime_context().get_job_id() == job
        ray.shutdown()

    def test_the_doctor_examines_a_cluster_and_passes_over_a_node_that_hangs(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = begin(2)
        hung = int(made.do("raylets").split()[1])
        try:
            for stopped in (False, True):
                if stopped:
                    monkeypatch.setattr(cluster, "_PATIENCE", 10.0)
                    os.kill(hung, signal.SIGSTOP)
                monkeypatch.setattr(sys, "argv", ["evo", "doctor", "--workers", f"ray:{made.address}"])
                with pytest.raises(SystemExit) as ended:
                    main()
                said = capsys.readouterr().out.splitlines()
                assert said[0] == f"ok  cluster: Ray {ray.__version__} at {made.address}; nodes: 2"
                well = [line for line in said if line.startswith("ok  node ") and "; the same bits; " in line]
                wrong = [line for line in said if line.startswith("no  node ")]
                assert (len(well), len(wrong), ended.value.code) == ((1, 1, 1) if stopped else (2, 0, 0)), said
                assert all("it has not answered within 10 s" in line for line in wrong)
        finally:
            os.kill(hung, signal.SIGCONT)
            made.end()
