"""The server of a live page: known paths, this machine, the page's own origin, and nothing else."""

import http.client
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.errors import EvoError
from evo.runs import page_server
from evo.runs.page_server import Answer, PageServer, serve

TOKEN = "secret-token"
ANSWERS = {"": Answer("text/html", b"<p>page"), "news": Answer("application/json", b"{}"),
           "part/0a": Answer("application/json", b"[1]")}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    with PageServer(0, TOKEN) as running:
        running.answers = ANSWERS
        running.start()
        yield running
        running.shutdown()


def ask(server: PageServer, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host="Host" in sent, skip_accept_encoding=True)
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def test_known_paths_below_the_token_are_answered(server: PageServer) -> None:
    assert server.address == f"http://127.0.0.1:{server.server_address[1]}/{TOKEN}/"
    for path, (kind, content) in ANSWERS.items():
        status, body, headers = ask(server, f"/{TOKEN}/{path}")
        assert (status, body) == (200, content) and headers["content-type"] == f"{kind}; charset=utf-8"
    assert ask(server, f"/{TOKEN}/news?some=words")[:2] == (200, b"{}")
    server.asked.clear()
    ask(server, "/favicon.ico")
    assert not server.asked.is_set()
    ask(server, f"/{TOKEN}/news")
    assert server.asked.is_set()


OUTSIDE = ["/", f"/{TOKEN}", f"/{TOKEN}/../../etc/passwd", f"/{TOKEN}//etc/passwd", f"/{TOKEN}/%2e%2e/config.toml",
           "/other-token/", f"/{TOKEN}/part/", f"/x/{TOKEN}/news", "*"]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_else_is_served(server: PageServer, path: str) -> None:
    status, body, headers = ask(server, path)
    assert status == 404 and body == b"there is nothing here\n"
    assert headers["x-content-type-options"] == "nosniff"


@given(st.binary(max_size=60).filter(lambda data: b"\n" not in data))
def test_forged_requests_get_no_content_and_end_nothing(server: PageServer, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=20) as connection:
        connection.sendall(b"GET /" + data + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert b"<p>page" not in answer and b"[1]" not in answer
    assert ask(server, f"/{TOKEN}/news")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_only_questions_are_answered(server: PageServer, method: str) -> None:
    status, body, _ = ask(server, f"/{TOKEN}/news", method)
    assert status == 405 and (method == "HEAD" or body == b"only GET of the page is answered\n")


def test_other_origins_and_other_names_are_refused(server: PageServer) -> None:
    port, page = server.server_address[1], f"/{TOKEN}/"
    own = {"Host": f"127.0.0.1:{port}"}
    assert ask(server, page, **own, Origin=f"http://127.0.0.1:{port}", Sec_Fetch_Site="same-origin")[0] == 200
    assert ask(server, page, Host=f"localhost:{port}")[0] == 200
    assert ask(server, page, **own, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200  # a link to it
    for refused in (
        {"Host": "evil.example"},  # a name that was made to lead here
        {"Host": f"127.0.0.1.evil.example:{port}"},
        {"Host": "[::1"},
        {"Host": ""},
        {**own, "Origin": "http://evil.example"},
        {**own, "Origin": "null"},
        {**own, "Origin": f"http://127.0.0.1:{port + 1}"},
        {**own, "Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
        {**own, "Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors"},  # another server of this machine
    ):
        status, body, _ = ask(server, page, **refused)
        assert status == 403 and b"page<" not in body, refused


def test_headers_forbid_framing_and_reading_by_others(server: PageServer) -> None:
    headers = ask(server, f"/{TOKEN}/")[2]
    assert headers["cross-origin-resource-policy"] == headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY" and headers["content-security-policy"] == "frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer" and headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers and "Python" not in headers["server"]


def test_it_listens_on_this_machine_alone(server: PageServer) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_a_port_in_use_is_said_in_a_line(server: PageServer, tmp_path: Path) -> None:
    port = server.server_address[1]
    with pytest.raises(EvoError, match=rf"cannot serve a page on port {port}: it is in use; choose another by --port"):
        serve(tmp_path, port)
    with pytest.raises(EvoError, match=r"port must lie between 0 and 65,535, got 70000"):
        serve(tmp_path, 70_000)


def test_the_first_free_port_is_taken(server: PageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with PageServer(0, "") as other:
        free, taken = other.server_address[1], server.server_address[1]
    monkeypatch.setattr(page_server, "PORTS", (taken, free))
    with serve(tmp_path, None)[0] as found:
        assert found.server_address[1] == free
    monkeypatch.setattr(page_server, "PORTS", (taken,))
    with pytest.raises(EvoError, match="are all in use; choose another by --port"):
        serve(tmp_path, None)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(page_server, "cache_folder", lambda: tmp_path)
    return tmp_path


def test_the_address_stays_for_a_run_and_a_port(cache: Path) -> None:
    def address(run: str, port: int) -> tuple[str, bool]:
        server, kept = serve(cache / run, port)
        with server:
            return server.address, kept

    with PageServer(0, "") as other:
        port = other.server_address[1]
    first = address("one", port)
    assert first == address("one", port) and first[1]
    assert first[0] != address("two", port)[0]
    assert not address("one", 0)[1]
    assert (cache / "watch.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["short", "readable", "link", "folder"])
def test_a_key_that_others_may_know_is_not_used(cache: Path, damage: str) -> None:
    key = cache / "watch.key"
    if damage == "folder":
        key.mkdir()
    elif damage == "link":
        (cache / "other").write_bytes(bytes(32))
        os.chmod(cache / "other", 0o600)
        key.symlink_to(cache / "other")
    else:
        key.write_bytes(bytes(32 if damage == "readable" else 7))
        os.chmod(key, 0o644 if damage == "readable" else 0o600)
    (one, kept), (two, _) = page_server._key(), page_server._key()
    assert not kept and one != two and len(one) == 32 and bytes(32) not in (one, two)
