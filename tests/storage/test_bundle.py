"""The zip of a run: the same bytes for the same files; a stranger's is checked before anything is unpacked."""

import io
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evo.errors import EvoError
from evo.storage import bundle
from evo.storage.bundle import CARD, LARGEST, PAGE, open_bundle, unpack_run, write_bundle

FILES: dict[str, bytes | Path] = {
    "metrics.csv": b"generation,best\n" * 2000,
    "config.toml": b"seed = 1\n",
    "champion.npz": bytes(range(256)) * 40,
    "videos/champion.webp": b"RIFF" + bytes(100),
    CARD: b"# card\n",
    PAGE: b"<p>page",
}


def made(folder: Path, files: dict[str, bytes | Path] | None = None) -> Path:
    path = folder / "run.evo.zip"
    write_bundle(path, FILES if files is None else files)
    return path


def raw(folder: Path, build: Callable[[zipfile.ZipFile], None]) -> Path:
    """A zip as a stranger may make it."""
    path = folder / "forged.zip"
    with zipfile.ZipFile(path, "w") as archive:
        build(archive)
    return path


def read_all(path: Path) -> dict[str, bytes]:
    with open_bundle(path) as opened:
        return {name: opened.read(name) for name in opened.sizes}


def refused(path: Path) -> str:
    with pytest.raises(EvoError) as error:
        read_all(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert read_all(made(tmp_path)) == FILES
    with open_bundle(made(tmp_path)) as opened:
        assert opened.sizes == {name: len(content) for name, content in FILES.items() if isinstance(content, bytes)}
        assert list(opened.sizes) == [name for name in LARGEST if name in FILES]
        assert opened.summary == "6 files, 42.4 kB"


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    first = made(tmp_path).read_bytes()
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        assert isinstance(content, bytes)
        (tmp_path / name).write_bytes(content)
    other = {name: tmp_path / name for name in reversed(FILES)}
    assert made(tmp_path, other).read_bytes() == first  # by order, and from files of any date
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None  # any other program reads it too
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_only_a_run_s_own_files_are_unpacked(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with open_bundle(made(tmp_path)) as opened:
        unpack_run(opened, tmp_path / "out")
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == FILES.keys() - {CARD, PAGE}
    assert (tmp_path / "out" / "metrics.csv").read_bytes() == FILES["metrics.csv"]


OUTSIDE = ["\x1b[31m", "../config.toml", "/etc/passwd", "videos/../../x", "videos\\..\\x", "config.toml/", "",
           "x" * 300, "C:\\x",
           "config.toml\0.npz", "./config.toml", "videos//champion.mp4", "CONFIG.TOML", "last.npz "]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_leads_anywhere_else(tmp_path: Path, name: str) -> None:
    wanted = name.encode() or b"\0"
    forged = io.BytesIO()
    with zipfile.ZipFile(forged, "w") as archive:
        archive.writestr("Q" * len(wanted), b"x")  # zipfile writes no such names: they are put in afterwards
    path = tmp_path / "forged.zip"
    path.write_bytes(forged.getvalue().replace(b"Q" * len(wanted), wanted))
    said = refused(path)
    assert "forged.zip" in said and "\x1b" not in said


def test_links_and_odd_files_are_refused(tmp_path: Path) -> None:
    for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR):
        about = zipfile.ZipInfo("config.toml")
        about.create_system, about.external_attr = 3, (kind | 0o777) << 16
        assert "is a link, or no file" in refused(
            raw(tmp_path, lambda archive, about=about: archive.writestr(about, b"/etc"))
        )  # type: ignore[misc]


def test_bombs_are_refused_before_anything_is_inflated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def large(archive: zipfile.ZipFile) -> None:
        archive.writestr("ended", bytes(2**20), zipfile.ZIP_DEFLATED)  # 1 KB of file

    monkeypatch.setattr(bundle.Bundle, "_blocks", lambda *_: pytest.fail("it was read"))
    assert "ended holds 1,048,576 bytes, and 65,536 are allowed" in refused(raw(tmp_path, large))
    monkeypatch.setattr(bundle, "_TOTAL", 1000)
    assert "it inflates to 32 kB, more than the 1 kB allowed" in refused(
        raw(tmp_path, lambda archive: archive.writestr("metrics.csv", bytes(32_000), zipfile.ZIP_DEFLATED))
    )


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = raw(tmp_path, lambda archive: archive.writestr("ended", bytes(50_000), zipfile.ZIP_DEFLATED))
    data = path.read_bytes()
    for size in (10, 60_000):
        path.write_bytes(data.replace(struct.pack("<I", 50_000), struct.pack("<I", size)))
        assert "forged.zip" in refused(path)


def write_twice(archive: zipfile.ZipFile) -> None:
    for _ in range(2):
        archive.writestr("ended", b"x")


def test_other_damage_is_one_line(tmp_path: Path) -> None:
    whole = made(tmp_path).read_bytes()
    path = tmp_path / "damaged.zip"
    for data, said in (
        (b"", "it is not a .zip file"),
        (b"<html>", "it is not a .zip file"),
        (whole[:-30], "cut off"),
        (whole + b"more", "cut off, or something was appended"),
        (b"more" + whole, "not a .zip file"),
    ):
        path.write_bytes(data)
        assert said in refused(path)
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = raw(tmp_path, write_twice)
    assert "two files have the same name" in refused(twice)
    packed = raw(tmp_path, lambda archive: archive.writestr("ended", b"x" * 99, zipfile.ZIP_LZMA))
    assert "packed in a way that evo never writes" in refused(packed)
    assert "no such file" in refused(tmp_path / "missing.zip")
    assert "is a directory" in refused(tmp_path)
    with pytest.raises(EvoError, match="it holds no last"), open_bundle(made(tmp_path)) as opened:
        opened.read("last.npz")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.integers(0, 10**6), st.integers(0, 255), st.integers(1, 4))
def test_any_changed_bytes_are_refused_or_harmless(tmp_path: Path, place: int, value: int, count: int) -> None:
    data = bytearray(made(tmp_path).read_bytes())
    place %= len(data)
    data[place : place + count] = bytes([value]) * len(data[place : place + count])
    path = tmp_path / "changed.zip"
    path.write_bytes(data)
    try:
        read = read_all(path)
    except EvoError as error:
        assert "\n" not in str(error)
        return
    assert all(name in LARGEST for name in read)
    assert all(read[name] == FILES[name] for name in read.keys() & FILES.keys())


def test_one_that_nobody_could_read_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(EvoError, match="ended holds 65,537 bytes, and 65,536 are allowed"):
        made(tmp_path, {"ended": bytes(2**16 + 1)})
    (tmp_path / "ended").write_bytes(bytes(2**16 + 1))
    with pytest.raises(EvoError, match="65537 bytes are more than the 65536 allowed"):
        made(tmp_path, {"ended": tmp_path / "ended"})
    assert not (tmp_path / "run.evo.zip").exists()


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(EvoError, match="has no room for"), open_bundle(made(tmp_path)) as opened:
        unpack_run(opened, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
