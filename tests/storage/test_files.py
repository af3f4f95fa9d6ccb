"""Arrays and text on disk: exact, whole or absent, and safe to read from a stranger."""

import io
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import textwrap
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from numpy.typing import NDArray

from evo.errors import EvoError, nearest, one_line, printable
from evo.grammar import parse_toml
from evo.storage.files import TEMPORARY, append_text, check_writable, read_arrays, read_text, write_arrays, write_text

DTYPES = st.one_of(
    arrays_of.boolean_dtypes(),
    arrays_of.integer_dtypes(endianness="?"),
    arrays_of.unsigned_integer_dtypes(endianness="?"),
    arrays_of.floating_dtypes(endianness="?"),
    arrays_of.unicode_string_dtypes(endianness="?", min_len=1, max_len=5),
)
ARRAYS = arrays_of.arrays(DTYPES, arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
quick = settings(max_examples=25)

EXAMPLE: dict[str, Any] = {
    "learner/params": np.arange(40, dtype=np.float32).reshape(5, 8) * np.float32(0.1),
    "steps": np.array(12345, dtype=np.int64),
    "words": np.array(["ga", "ärs"]),
    "noise": np.random.default_rng(0).integers(0, 256, 300, dtype=np.uint8),
}


@pytest.fixture(autouse=True, scope="module")
def impatient() -> Iterator[None]:
    """Waiting for the disk is half a minute of these tests, and no test can see it (child processes do wait)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


def same(left: NDArray[Any], right: NDArray[Any]) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def equal(left: dict[str, NDArray[Any]], right: dict[str, NDArray[Any]]) -> bool:
    return list(left) == list(right) and all(same(left[name], right[name]) for name in left)


def refused(path: Path, limit: int = 2**30) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(EvoError) as caught:
        read_arrays(path, limit)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def never_wrong(path: Path, expected: dict[str, NDArray[Any]]) -> bool:
    """Whether the file was refused; otherwise it must read as `expected`."""
    try:
        found = read_arrays(path)
    except EvoError:
        return True
    assert equal(found, expected)
    return False


def npy_bytes(array: NDArray[Any], allow_pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def put(path: Path, data: bytes) -> None:
    """Without waiting for the disk, as ext4 does when a file is cut and written again."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def python(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


# Round trips


@quick
@given(st.dictionaries(NAMES, ARRAYS, max_size=4))
def test_arrays_come_back_bit_for_bit(arrays: dict[str, NDArray[Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.npz"
        write_arrays(path, arrays)
        found = read_arrays(path)
        first = path.read_bytes()
        write_arrays(path, found)
        assert path.read_bytes() == first
        assert os.listdir(folder) == ["state.npz"]
    assert equal(found, arrays)
    assert all(array.flags.writeable for array in found.values())


@quick
@given(arrays_of.arrays(np.uint64, 6), st.sampled_from(["<f2", "<f4", "<f8", ">f8"]))
def test_nan_payloads_survive(bits: NDArray[np.uint64], dtype: str) -> None:
    array = bits.view(dtype)
    with tempfile.TemporaryDirectory() as folder:
        write_arrays(Path(folder) / "a.npz", {"a": array})
        assert same(read_arrays(Path(folder) / "a.npz")["a"], array)


def test_memory_order_survives_and_numpy_reads_it(tmp_path: Path) -> None:
    grid = np.arange(12.0).reshape(3, 4)
    arrays = {"c": grid, "learner/f": np.asfortranarray(grid), "sparse": grid[::2, ::3], "none": grid[:0]}
    write_arrays(tmp_path / "a.npz", arrays)
    found = read_arrays(tmp_path / "a.npz")
    assert found["learner/f"].flags.f_contiguous
    assert not found["learner/f"].flags.c_contiguous
    with np.load(tmp_path / "a.npz", allow_pickle=False) as loaded:
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            np.testing.assert_array_equal(loaded[name], array)


def test_the_same_arrays_give_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.npz", EXAMPLE)
    write_arrays(tmp_path / "b.npz", EXAMPLE)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_files_of_numpy_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", **EXAMPLE)
    np.savez_compressed(tmp_path / "deflated.npz", **EXAMPLE)
    assert equal(read_arrays(tmp_path / "plain.npz"), EXAMPLE)
    assert equal(read_arrays(tmp_path / "deflated.npz"), EXAMPLE)


def test_mistakes_of_the_program_are_found_before_writing(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    for array in (np.array([None]), np.zeros(2, complex), np.zeros(1, "M8[s]"), np.zeros(1, "i4,f8"), np.array([b"x"])):
        with pytest.raises(TypeError, match="only bool, int"):
            write_arrays(path, {"fine": np.zeros(2), "a": array})
    for name in ("", "a\0b"):
        with pytest.raises(ValueError, match="array name"):
            write_arrays(path, {name: np.zeros(2)})
    assert not path.exists()


# Damage


def test_cut_off_anywhere_it_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.npz"
    write_arrays(whole, EXAMPLE)
    data = whole.read_bytes()
    cut = tmp_path / "cut.npz"
    for size in range(len(data)):
        put(cut, data[:size])
        refused(cut)


def test_an_archive_inside_an_archive_does_not_pass_for_it_when_cut(tmp_path: Path) -> None:
    # Random bytes are stored as they are, so a prefix of the outer file ends exactly like the inner one.
    inner = tmp_path / "inner.npz"
    np.savez(inner, a=np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8))
    data = inner.read_bytes()
    outer = tmp_path / "outer.npz"
    np.savez(outer, archive=np.frombuffer(data, np.uint8))
    whole = outer.read_bytes()
    end = whole.index(data) + len(data)
    outer.write_bytes(whole[:end])
    assert zipfile.is_zipfile(outer)
    assert "damaged" in refused(outer)


def test_one_flipped_bit_is_refused_or_harmless(tmp_path: Path) -> None:
    whole = tmp_path / "whole.npz"
    write_arrays(whole, {"steps": EXAMPLE["steps"], "wörds": EXAMPLE["words"]})
    expected = read_arrays(whole)
    data = whole.read_bytes()
    damaged = tmp_path / "damaged.npz"
    refusals = 0
    for position in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            put(damaged, bytes(flipped))
            refusals += never_wrong(damaged, expected)
    assert refusals > 0.6 * 8 * len(data)  # the rest: dates, versions, unused fields


@quick
@given(st.data())
def test_random_damage_is_refused_or_harmless(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.npz"
        write_arrays(path, EXAMPLE)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            start = data.draw(st.integers(0, len(content) - 1))
            junk = data.draw(st.binary(min_size=1, max_size=8))
            content[start : start + data.draw(st.integers(0, 8))] = junk
        path.write_bytes(content)
        never_wrong(path, EXAMPLE)


@quick
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_refused(junk: bytes, inside: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.npz"
        if inside:
            zipped(path, {"a.npy": junk})
        else:
            path.write_bytes(junk)
        refused(path)


def test_appended_bytes_and_other_kinds_of_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, EXAMPLE)
    path.write_bytes(path.read_bytes() + b"x")
    assert "appended" in refused(path)
    assert "no such file" in refused(tmp_path / "missing.npz")
    assert "is a directory" in refused(tmp_path)
    assert "not a directory" in refused(path / "below")
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refused(tmp_path / "pipe")
    refused(Path("/dev/zero"))
    with pytest.raises(EvoError, match="null"):
        read_arrays(Path("a\0b"))


# Malice


class Malice:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


def test_forged_pickles_are_never_opened(tmp_path: Path) -> None:
    target = tmp_path / "created"
    objects = np.array([Malice(target)], dtype=object)
    path = tmp_path / "a.npz"
    np.savez(path, a=objects)
    assert "never objects" in refused(path)
    for name in ("a.npy", "a.pkl", "a"):
        refused(zipped(path, {name: pickle.dumps(Malice(target))}))
    path.write_bytes(pickle.dumps(Malice(target)))
    assert "not an .npz file" in refused(path)
    np.save(tmp_path / "a.npy", objects)
    refused(tmp_path / "a.npy")
    disguised = npy_bytes(np.zeros(1)).replace(b"'<f8'", b"'|O' ")
    refused(zipped(path, {"a.npy": disguised}))
    assert not target.exists()
    pickle.loads(pickle.dumps(Malice(target)))
    assert target.exists()  # the trap itself works


@pytest.mark.parametrize("descr", ["'|V8'", "[('a', '<f8')]", "('<f8', (3,))", "'<M8[s]'", "'<c8'", "'|S4'", "'<U0'"])
def test_other_dtypes_are_refused(tmp_path: Path, descr: str) -> None:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}".encode().ljust(117) + b"\n"
    data = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(8)
    assert "never objects" in refused(zipped(tmp_path / "a.npz", {"a.npy": data}))


@pytest.mark.parametrize(
    "shape",
    ["(10**9,)", "(3,)", "(-2,)", "(-1, -1)", "(2**62, 4)", "(0, 2**70)", "1", "(True, 2)", "[" * 150],
)
def test_headers_that_lie_are_refused(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(247) + b"\n"
    data = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(8)
    refused(zipped(tmp_path / "a.npz", {"a.npy": data}))


def test_impossible_values_are_refused(tmp_path: Path) -> None:
    truth = npy_bytes(np.array([True, False]))[:-2] + b"\1\2"
    assert "truth values" in refused(zipped(tmp_path / "a.npz", {"a.npy": truth}))
    for order in "<>":
        character = npy_bytes(np.array(["x"], f"{order}U1"))[:-4] + struct.pack(f"{order}I", 0x110000)
        assert "characters" in refused(zipped(tmp_path / "a.npz", {"a.npy": character}))


def bomb(path: Path, size: int, declared: int | None = None) -> Path:
    """An archive whose member inflates to `size` zeros after its header; `declared` forges its directory."""
    header = npy_bytes(np.zeros(0, np.uint8)).replace(b"(0,), }          ", f"({size},), }}".ljust(17).encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("a.npy", "w", force_zip64=True) as member:
            member.write(header)
            block = bytes(2**22)
            for start in range(0, size, len(block)):
                member.write(block[: size - start])
        if declared is not None:
            archive.infolist()[0].file_size = declared
    return path


def test_bombs_are_refused_within_bounded_memory(tmp_path: Path) -> None:
    assert equal(read_arrays(bomb(tmp_path / "fine.npz", 5000)), {"a": np.zeros(5000, np.uint8)})
    size = 2**26
    honest = bomb(tmp_path / "honest.npz", size)
    lying = bomb(tmp_path / "lying.npz", size, declared=2**20)
    assert honest.stat().st_size < size / 500
    # Declared and shaped small, inflating to more; the checksum forged to fit as much as a reader may have seen.
    small = npy_bytes(np.zeros(1000, np.uint8))
    longer = small + bytes(2**24)
    hiding = zipped(tmp_path / "hiding.npz", {"a.npy": longer})
    content = hiding.read_bytes().replace(struct.pack("<I", len(longer)), struct.pack("<I", len(small)))
    forged = []
    for seen in (len(longer), len(small), len(small) + 1):
        checksums = struct.pack("<I", zlib.crc32(longer)), struct.pack("<I", zlib.crc32(longer[:seen]))
        forged.append(tmp_path / f"forged{seen}.npz")
        forged[-1].write_bytes(content.replace(*checksums))
    del longer
    tracemalloc.start()
    try:
        assert "more than" in refused(honest, limit=2**22)
        assert "declares" in refused(lying)
        assert "CRC" in refused(forged[0])
        assert "CRC" in refused(forged[1])
        assert "inflates to more" in refused(forged[2])
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


def test_many_small_members_count_together(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, {str(index): np.zeros(1000, np.uint8) for index in range(10)})
    assert len(read_arrays(path, limit=12_000)) == 10
    assert "more than the 11000 allowed" in refused(path, limit=11_000)


def test_more_members_than_allowed_are_refused_before_they_cost_memory(tmp_path: Path) -> None:
    entry = b"PK\1\2" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a"
    entries = 2**17
    end = b"PK\5\6" + bytes(4) + struct.pack("<HHIIH", 65535, 65535, entries * len(entry), 4, 0)
    path = tmp_path / "a.npz"
    path.write_bytes(b"PK\3\4" + entry * entries + end)
    tracemalloc.start()
    try:
        assert "more than 10000 arrays" in refused(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24  # zipfile by itself would take 100 MB
    finally:
        tracemalloc.stop()


def test_strange_members_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    data = npy_bytes(np.zeros(3))
    assert "not an array" in refused(zipped(path, {"notes.txt": b"hello"}))
    assert "not an array" in refused(zipped(path, {".npy": data}))
    assert "packed" in refused(zipped(path, {"a.npy": data}, zipfile.ZIP_LZMA))
    assert "packed" in refused(zipped(path, {"a.npy": data}, zipfile.ZIP_BZIP2))
    zipped(path, {"a.npy": data, "b.npy": data})
    path.write_bytes(path.read_bytes().replace(b"b.npy", b"a.npy"))
    assert "same name" in refused(path)


# Writing goes wrong


def test_a_write_that_breaks_off_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    write_arrays(path, EXAMPLE)
    (tmp_path / "notes.txt").write_text("old")
    (tmp_path / "log.txt").write_text("old")
    script = """
        import resource, sys
        from pathlib import Path
        import numpy as np
        from evo.storage.files import append_text, write_arrays, write_text
        from evo.errors import EvoError
        folder = Path(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        noise = np.random.default_rng(0).random(100_000)
        for write, name, content in [
            (write_arrays, "state.npz", {"a": noise}),
            (write_arrays, "new.npz", {"a": np.zeros(3), "b": noise}),
            (write_text, "notes.txt", "x" * 100_000),
            (append_text, "log.txt", "x" * 100_000),
        ]:
            try:
                write(folder / name, content)
            except EvoError as error:
                print(error)
    """
    done = python(script, tmp_path)
    assert done.stderr == ""
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert all("file too large; raise the limit on file sizes" in line for line in lines)
    assert lines[0].startswith(f"cannot write {path}: ")
    assert equal(read_arrays(path), EXAMPLE)
    assert read_text(tmp_path / "notes.txt") == read_text(tmp_path / "log.txt") == "old"
    assert sorted(os.listdir(tmp_path)) == ["log.txt", "notes.txt", "state.npz"]


def test_a_full_disk_and_forbidden_places_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place, reason in [
        (tmp_path / "file" / "a.npz", "not a directory"),
        (tmp_path / "missing" / "a.npz", "make its folder first"),
        (Path("/proc/self/a.npz"), "cannot write /proc/self/a.npz: "),
    ]:
        with pytest.raises(EvoError, match=reason):
            write_arrays(place, EXAMPLE)
        with pytest.raises(EvoError, match=reason):
            write_text(place, "text")
    (tmp_path / "folder").mkdir()
    for ask in (lambda path: write_arrays(path, EXAMPLE), check_writable):
        with pytest.raises(EvoError, match=f"cannot write {tmp_path / 'folder'}: is a directory"):
            ask(tmp_path / "folder")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_what_cannot_be_written_is_known_before_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place, reason in [
        (tmp_path / "file" / "a.zip", "exists and is not a folder"),
        (Path("/proc/self/a.zip"), "cannot write /proc/self/a.zip: "),
    ]:
        with pytest.raises(EvoError, match=reason):
            check_writable(place)
    check_writable(tmp_path / "file")
    check_writable(tmp_path / "new" / "a.zip")
    assert (tmp_path / "file").read_text() == "x"
    assert os.listdir(tmp_path / "new") == []


def test_no_space_left_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    write_arrays(tmp_path / "a.npz", EXAMPLE)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EvoError, match=r"a\.npz: no space left on device; free some space, .*`evo resume RUN`"):
        write_arrays(tmp_path / "a.npz", {"a": np.zeros(3)})
    monkeypatch.undo()
    assert equal(read_arrays(tmp_path / "a.npz"), EXAMPLE)
    assert os.listdir(tmp_path) == ["a.npz"]


def test_an_interrupted_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(source: object, target: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_arrays(tmp_path / "a.npz", EXAMPLE)
    assert os.listdir(tmp_path) == []


def test_a_killed_write_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    script = """
        import itertools, sys
        from pathlib import Path
        import numpy as np
        from evo.storage.files import write_arrays
        for step in itertools.count():
            write_arrays(Path(sys.argv[1]), {"step": np.full(50_000, step)})
            if step == 0:
                print("ready", flush=True)
    """
    path = tmp_path / "state.npz"
    for round_index in range(4):
        command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.01 + 0.013 * round_index)
            process.kill()
        steps = read_arrays(path)["step"]
        assert steps.shape == (50_000,)
        assert steps.min() == steps.max()
    left = [item for item in tmp_path.iterdir() if item != path]
    assert all(item.match(TEMPORARY) for item in left)


# Text


@quick
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_comes_back(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notes.txt"
        write_text(path, text)
        assert read_text(path) == text
        append_text(path, text)
        assert read_text(path) == text + text


def test_text_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(EvoError, match="not a character"):
        write_text(path, "a\udc80")
    path.write_bytes(b"ab\xff")
    with pytest.raises(EvoError, match="byte 2 is not UTF-8"):
        read_text(path)
    with pytest.raises(EvoError, match="3 bytes are more than the 2 allowed"):
        read_text(path, limit=2)
    with pytest.raises(EvoError, match="no such file"):
        read_text(tmp_path / "b.txt")
    with pytest.raises(EvoError, match="no such file"):
        append_text(tmp_path / "b.txt", "line")


# Errors


def test_the_nearest_right_value() -> None:
    known = ["ars", "ga", "cma-es", "HalfCheetah-v5"]
    assert nearest("asr", known) == "; did you mean 'ars'?"
    assert nearest("HALFCHEETAH", known) == "; did you mean 'HalfCheetah-v5'?"
    assert nearest("zzz", known) == "; one of ars, ga, cma-es, HalfCheetah-v5"
    assert nearest("zzz", []) == ""
    assert nearest("zzz", [f"name{index}" for index in range(50)]).endswith("name11, …")


# What a stranger's texts may do


DEEP = {
    "lists": "a=" + "[" * 5000,
    "tables": "a=" + "{a=" * 5000,
    "digits": "a=" + "9" * 5000,
    "parts": ".".join("a" * 20_000) + "=1",
    "characters": "a='" + "x" * 2**18 + "'",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_toml_that_would_take_too_much_is_refused_in_one_line(text: str) -> None:
    begun = time.process_time()
    with pytest.raises(ValueError) as refusal:
        parse_toml(text)
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 200
    assert time.process_time() - begun < 1  # tomllib takes 40 s for the parts


def test_a_byte_order_mark_is_no_part_of_toml() -> None:
    assert parse_toml("\ufeffseed = 3\n") == {"seed": 3}


def test_reading_a_short_text_takes_no_room_for_a_long_one(tmp_path: Path) -> None:
    write_text(tmp_path / "metrics.csv", "steps\n")
    tracemalloc.start()
    try:
        assert read_text(tmp_path / "metrics.csv", 2**31) == "steps\n"
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_an_error_is_one_line_that_a_terminal_only_shows() -> None:
    hostile = "\x1b]0;title\x07\x1b[2J\x9b31m\r\ud7ff\udc80\u202eabc\n\tnext"
    for text in (str(EvoError(f"unknown task {hostile!s}")), one_line(ValueError(hostile)), printable(hostile)):
        assert not set(text) & set("\x1b\x07\x9b\r\n\t\udc80\u202e")
        assert "\\x1b[2J" in text and "\\udc80" in text
        text.encode()
    assert printable("ö × 机器人 … –") == "ö × 机器人 … –"
    long = str(EvoError("a" * 10_000 + "end"))
    assert len(long) < 1100 and long.endswith("end") and "9,003 more" in long


def test_nothing_is_appended_through_a_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("kept")
    (tmp_path / "metrics.csv").symlink_to(other)
    with pytest.raises(EvoError, match="it is a link"):
        append_text(tmp_path / "metrics.csv", "row")
    write_text(tmp_path / "metrics.csv", "whole")  # takes the link's place
    assert (other.read_text(), (tmp_path / "metrics.csv").is_symlink()) == ("kept", False)
