"""Data that users bring: read as meant, or refused in one line that names the place."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import evo
from evo.datasets import Dataset, arrays
from evo.errors import EvoError
from evo.storage.files import write_arrays


def written(folder: Path, text: str, name: str = "own.csv") -> str:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return str(folder / name)


def csv_of(rows: int = 20, **columns: Callable[[int], Any]) -> str:
    """A table of columns by name, each a function of the row."""
    lines = [",".join(str(cell(row)) for cell in columns.values()) for row in range(rows)]
    return "\n".join([",".join(columns), *lines]) + "\n"


HOUSES = csv_of(area=lambda row: 50 + row, town=lambda row: "AB"[row % 2] + "-ville", price=lambda row: 2.5 * row)


def same(left: Dataset, right: Dataset) -> bool:
    pairs = zip(left.splits, right.splits, strict=True)
    equal = all(np.array_equal(a.inputs, b.inputs) and np.array_equal(a.targets, b.targets) for a, b in pairs)
    return equal and left.digest == right.digest


def test_a_table_of_quantities(tmp_path: Path) -> None:
    found = evo.dataset(written(tmp_path, HOUSES))
    assert (found.name, found.shape, found.loss, found.outputs, found.unit) == (
        "table",
        (3,),
        "squared error",
        1,
        "price",
    )
    assert tuple(map(len, found.splits)) == (14, 2, 4)
    inputs = np.concatenate([split.inputs[:, 0] for split in found.splits]).astype(float)
    prices = np.concatenate([split.targets.ravel() for split in found.splits]) * found.scale + found.offset
    np.testing.assert_allclose(np.sort(prices), 2.5 * np.arange(20), atol=1e-5)
    np.testing.assert_allclose(inputs[:14, 0].mean(), 0, atol=1e-6)
    np.testing.assert_allclose(inputs[:14, 0].std(), 1, atol=1e-6)
    rows = np.round(prices / 2.5).astype(int)
    np.testing.assert_array_equal(inputs[:, 1:], np.eye(2)[rows % 2])
    assert same(found, evo.dataset(found.name, **found.options))
    assert not same(found, evo.dataset(str(tmp_path / "own.csv"), seed=1))


def test_a_table_of_classes(tmp_path: Path) -> None:
    file = written(tmp_path, HOUSES)
    found = evo.dataset(file, target="town")
    assert (found.labels, found.shape, found.loss, found.unit) == (("A-ville", "B-ville"), (2,), "cross-entropy", "")
    whole = written(tmp_path, csv_of(x=lambda row: row, y=lambda row: 3 * (row % 4)), "whole.csv")
    assert evo.dataset(whole).labels == ("0", "3", "6", "9")
    assert evo.dataset(whole, kind="numbers").labels == ()
    assert evo.dataset(whole, target="x").labels == ()
    assert len(evo.dataset(whole, target="x", kind="classes").labels) == 20


def test_a_table_as_a_sequence(tmp_path: Path) -> None:
    file = written(tmp_path, HOUSES)
    assert (evo.dataset(file, sequence=True).steps, evo.dataset(file, sequence=True).shape) == (3, (1,))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_tables_in_several_hands(separator: str, tmp_path: Path) -> None:
    plain = evo.dataset(written(tmp_path, HOUSES))
    quoted = HOUSES.replace("A-ville", '"A-ville"').replace(",", separator).replace("B-ville", " B-ville")
    text = "\ufeff" + quoted.replace("\n", "\r\n\r\n")
    assert same(plain, evo.dataset(written(tmp_path, text, "other.csv")))


TABLES: list[tuple[str, dict[str, Any], str]] = [
    ("", {}, "it has no rows"),
    ("a,b\n", {}, "it has no rows below its header"),
    ("a\n1\n", {}, "has the one column 'a'"),
    (HOUSES, {"target": "prize"}, "has no column 'prize'; did you mean 'price'"),
    (HOUSES, {"kind": "words"}, "kind='words'"),
    (HOUSES, {"target": "town", "kind": "numbers"}, "column 'town' holds words, not numbers, as in 'A-ville'"),
    (HOUSES.replace("52,A-ville", "52,"), {}, r"own.csv, line 4, column 'town': the cell is empty"),
    (HOUSES.replace("52,A-ville", "nan,A-ville"), {}, r"own.csv, line 4, column 'area': 'nan' is not a number"),
    (HOUSES.replace("52,A-ville", "1e400,A-ville"), {}, r"own.csv, line 4, column 'area': '1e400' is not a number"),
    (HOUSES.replace("52,A-ville", "n/a,A-ville"), {}, r"own.csv, line 4, column 'area': 'n/a' is a word in a column"),
    (HOUSES.replace("52,A-ville", "52,A-ville,1"), {}, "line 4 has 4 cells, the header 3"),
    (HOUSES.replace("52,A-ville,", "52,"), {}, "line 4 has 2 cells, the header 3"),
    (HOUSES.replace("52,A-ville", '52,"A-ville'), {}, "line 21: unexpected end of data"),
    (HOUSES.replace("area", "price"), {}, "line 1: two columns are called 'price'"),
    (HOUSES.replace("area", ""), {}, "line 1: column 1 has no name"),
    ("1,2\n3,4\n", {}, "line 1 holds numbers only: the first row must name the columns"),
    (csv_of(a=lambda row: 3, b=lambda row: row), {}, "column 'a' holds '3' in every row"),
    (csv_of(a=lambda row: "3." + "0" * row, b=lambda row: row), {}, "column 'a' holds 3 in every row"),
    (csv_of(a=lambda row: row, b=lambda row: "same"), {}, "column 'b' holds 'same' in every row"),
    (csv_of(5, a=lambda row: row, b=lambda row: row), {}, "own.csv: 5 examples are too few"),
    (csv_of(120, a=lambda row: f"w{row}", b=lambda row: row), {}, "column 'a' holds 120 different words, as in 'w0'"),
    (csv_of(1500, a=lambda row: row, b=lambda row: f"w{row}"), {}, "column 'b' holds 1,500 classes"),
    (csv_of(20, a=lambda row: f"{row} €", b=lambda row: row), {}, "column 'a': '0 €' is no number, and 20 different"),
    (csv_of(20, a=lambda row: row, b=lambda row: f"${row}"), {}, "column 'b': '.0' is no number.*write numbers alone"),
    ("a;b\n" + "".join(f"{row},250;{row}\n" for row in range(1, 20)), {}, "'a': '1,250' may be 1.250 or 1250: write"),
    (
        csv_of(20, **{"5.1": lambda row: row + 0.5, "setosa": lambda row: "ab"[row % 2]}),
        {},
        "first row .5.1, setosa. looks",
    ),
    (
        csv_of(20, **{"5": lambda row: row, "b": lambda row: "ab"[row % 2]}),
        {},
        "must name the columns; put their names",
    ),
    ("a,b\n" + "x" * 200_000 + ",1\n", {}, "line 2: field larger than field limit"),
]


@pytest.mark.parametrize(("text", "options", "words"), TABLES, ids=[words for _, _, words in TABLES])
def test_tables_that_cannot_be_used(text: str, options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(EvoError, match=words) as error:
        evo.dataset(written(tmp_path, text), **options)
    assert "\n" not in str(error.value)


def test_numbers_as_people_write_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plain = csv_of(30, size=lambda row: 1000 + 1.5 * row, share=lambda row: row / 8, price=lambda row: 12.25 * row + 1)
    wanted = evo.dataset(written(tmp_path, plain))

    def as_in(name: str, write: Callable[[str], str], separator: str) -> str:
        head, *rows = plain.splitlines()
        lines = [separator.join(map(write, row.split(","))) for row in rows]
        return written(tmp_path, "\n".join([head.replace(",", separator), *lines]), name)

    def german(cell: str) -> str:
        return f"{float(cell):,}".translate(str.maketrans(",.", ".,"))

    def french(cell: str) -> str:
        return german(cell).replace(".", "\u202f")

    def english(cell: str) -> str:
        return f'"{float(cell):,}"'

    for name, write, separator, words in (
        (
            "decimal.csv",
            lambda cell: cell.replace(".", ","),
            ";",
            "decimal commas (1000,0 is read as 1000), and ';' sep",
        ),
        ("german.csv", german, ";", "decimal commas (1.000,0 is read as 1000), and ';' separates its columns"),
        ("french.csv", french, "\t", "decimal commas (1\u202f000,0 is read as 1000), and a tab separates its columns"),
        ("english.csv", english, ",", "separators of thousands (1,000.0 is read as 1000), and ',' separates"),
    ):
        caplog.clear()
        with caplog.at_level("INFO", logger="evo"):
            assert same(wanted, evo.dataset(as_in(name, write, separator)))
        assert words in caplog.text
        assert len(caplog.records) == 1


def test_spellings_and_large_ids_stay_apart(tmp_path: Path) -> None:
    def labels(*words: str) -> tuple[str, ...]:
        text = csv_of(24, x=lambda row: row, id=lambda row: words[row % len(words)])
        return evo.dataset(written(tmp_path, text)).labels

    assert labels("9007199254740992", "9007199254740993") == ("9007199254740992", "9007199254740993")
    assert labels("007", "7") == ("007", "7")
    assert labels("1e5", "100000", "2") == ("100000", "1e5", "2")
    assert labels("1.0", "1", "2") == ("1", "2")  # one number, as programs write it
    assert labels("01", "02") == ("1", "2")


def test_the_separator_is_what_every_line_has(tmp_path: Path) -> None:
    rows = "".join(f"{row};{row % 2}\n" for row in range(20))
    assert evo.dataset(written(tmp_path, '"a, b, c, d";y\n' + rows)).shape == (1,)
    assert evo.dataset(written(tmp_path, "area, in m²;price, in €\n" + rows)).shape == (1,)
    decimal = "".join(f"{row},5;{row % 2},2\n" for row in range(20))  # as many commas as the names have
    found = evo.dataset(written(tmp_path, "area, in m²;price, in €\n" + decimal), kind="numbers")
    assert (found.shape, found.outputs) == ((1,), 1)


def test_a_header_may_be_a_scale_and_longer_than_what_is_looked_at(tmp_path: Path) -> None:
    names = [f"{1100 + 2.5 * place:.1f}" for place in range(12)]
    rows = [[f"{(row + place) % 7}" for place in range(12)] + ["ab"[row % 2]] for row in range(20)]
    assert evo.dataset(written(tmp_path, "\n".join(map(",".join, [[*names, "kind"], *rows])))).shape == (12,)
    long = [f"{'x' * 20_000}{place}" for place in range(12)]
    assert evo.dataset(written(tmp_path, "\n".join(map(";".join, [[*long, "kind"], *rows])))).shape == (12,)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for name in ("gone.csv", "gone.npz"):
        with pytest.raises(EvoError, match=name):
            evo.dataset(str(tmp_path / name))
    (tmp_path / "latin.csv").write_bytes("a,b\n1,ü\n".encode("latin-1"))
    with pytest.raises(EvoError, match="byte 6 is not UTF-8"):
        evo.dataset(str(tmp_path / "latin.csv"))
    for name, words in (("table", "needs its file"), ("npz", "need their file"), ("folder", "need their folder")):
        with pytest.raises(EvoError, match=words):
            evo.dataset(name)


CELLS = st.one_of(
    st.floats().map(str), st.integers().map(str), st.text(max_size=4), st.sampled_from(["", '"', "1e308"])
)


@settings(max_examples=150)
@given(
    table=st.lists(st.lists(CELLS, min_size=2, max_size=3), max_size=25),
    separator=st.sampled_from([",", ";"]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_no_table_is_a_traceback(
    table: list[list[str]], separator: str, ending: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(ending.join(separator.join(row) for row in [["a", "b"], *table]), "utf-8", newline="")
    try:
        assert isinstance(evo.dataset(str(path)), Dataset)
    except EvoError as error:
        assert "any.csv" in str(error)


@settings(max_examples=60)
@given(columns=st.lists(st.lists(st.floats(-1e30, 1e30), min_size=12, max_size=12), min_size=2, max_size=3))
def test_any_numbers_make_a_table(columns: list[list[float]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "numbers.csv"
    rows = [",".join(map(repr, row)) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([",".join("abc"[: len(columns)]), *rows]), "utf-8")
    try:
        found = evo.dataset(str(path), kind="numbers")
    except EvoError as error:
        assert any(words in str(error) for words in ("in every row", "float32"))
    else:
        targets = np.concatenate([split.targets.ravel() for split in found.splits]) * found.scale + found.offset
        size = max(map(abs, columns[-1]))
        np.testing.assert_allclose(np.sort(targets), np.sort(columns[-1]), atol=1e-5 * size)


def test_arrays_in_memory() -> None:
    random = np.random.default_rng(0)
    features, pictures = random.normal(size=(30, 4)), random.integers(0, 256, (30, 6, 5), dtype=np.uint8)
    found = arrays(features, np.arange(30) % 3)
    assert (found.shape, found.steps, found.labels, found.predictions) == ((4,), 1, ("0", "1", "2"), 1)
    assert arrays(pictures, np.arange(30) % 3, labels=("a", "b", "c")).shape == (6, 5, 1)
    assert arrays(pictures, random.normal(size=30), sequence=True).shape == (5,)
    assert arrays(features, np.array(["no", "yes"] * 15)).labels == ("no", "yes")
    assert arrays(features, np.arange(30) % 2 == 0).outputs == 2
    wide = arrays(features, random.normal(size=(30, 7)))
    assert (wide.outputs, wide.loss, wide.predictions) == (7, "squared error", 1)
    frames = arrays(np.zeros((30, 3, 8, 8, 2)), np.ones((30, 3), int) * [0, 1, 2], sequence=True)
    assert (frames.shape, frames.steps, frames.predictions) == ((8, 8, 2), 3, 3)
    signal = arrays(random.normal(size=(30, 9)), random.normal(size=(30, 9, 2)), sequence=True)
    assert (signal.shape, signal.steps, signal.predictions, signal.outputs) == ((1,), 9, 9, 2)
    assert same(arrays(features, features, seed=2), arrays(features, features, seed=2))
    assert not same(arrays(features, features, seed=2), arrays(features, features, seed=3))
    every = np.concatenate([split.inputs[:, 0] for split in found.splits])
    np.testing.assert_array_equal(np.sort(every, axis=0), np.sort(features.astype(np.float32), axis=0))
    features[:] = 0  # what was given is the giver's
    assert found.train.inputs.any()


GOOD = np.zeros((20, 3))
HALF = np.arange(20) % 2
NAN = np.where(np.arange(20) == 7, np.nan, 0.0)
ARRAYS: list[tuple[Any, Any, dict[str, Any], str]] = [
    (GOOD, HALF[:19], {}, "20 inputs and 19 targets"),
    (GOOD[:5], HALF[:5], {}, "5 examples are too few"),
    (GOOD + NAN[:, None], HALF, {}, r"inputs of example 7 .* are not finite"),
    (GOOD, NAN, {}, r"targets of example 7 .* are not finite"),
    (GOOD, NAN, {"labels": ("a", "b")}, "classes must be whole numbers, got nan"),
    (GOOD, HALF + 0.5, {"labels": ("a", "b")}, "classes must be whole numbers, got 0.5"),
    (GOOD, np.full(20, np.inf), {"labels": ("a", "b")}, "whole numbers, got inf"),
    (GOOD, HALF - 1, {}, "classes are numbered from 0, got -1"),
    (GOOD, HALF * 5, {"labels": ("a", "b")}, "class 5 has no label: there are 2"),
    (GOOD, HALF * 10**6, {}, "class 1000000: at most 10,000 classes"),
    (GOOD, HALF * 0, {}, "the targets are of 1 class"),
    (GOOD, ["only"] * 20, {}, "the targets are of 1 class"),
    (GOOD, ["a", "b"] * 10, {"labels": ("a", "b")}, "leave the labels out"),
    (GOOD, [None] * 20, {}, "targets are object: they must be numbers or words"),
    (GOOD.astype(str), HALF, {}, "inputs are <U32: they must be numbers"),
    (GOOD[:, 0], HALF, {}, r"inputs are \(20,\): they must be \(examples, features\)"),
    (GOOD[:, :0], HALF, {}, r"inputs are \(20, 0\)"),
    (np.zeros((20, 2, 2, 2, 2)), HALF, {}, r"inputs are \(20, 2, 2, 2, 2\)"),
    (np.float64(1), HALF, {}, "inputs must have an axis of examples"),
    (GOOD, np.float64(1), {}, "targets must have an axis of examples"),
    (GOOD, np.tile([0, 1], (20, 1)), {}, r"targets are \(20, 2\): classes must be \(examples,\)$"),
    (GOOD, np.tile([0, 1], (20, 1)), {"sequence": True}, r"classes must be \(examples,\) or \(examples, 3\)"),
    (GOOD, np.zeros((20, 2, 2)), {}, r"quantities must be \(examples,\) or \(examples, width\)$"),
    (GOOD, np.zeros((20, 0)), {}, r"targets are \(20, 0\)"),
    (GOOD, np.zeros((20, 0), int), {}, "there are no targets"),
    (GOOD + 1e300, HALF, {}, "inputs must be finite numbers that float32 can hold"),
    (GOOD, HALF, {"seed": -1}, "seed=-1"),
]


@pytest.mark.parametrize(("inputs", "targets", "options", "words"), ARRAYS, ids=[words for *_, words in ARRAYS])
def test_arrays_that_cannot_be_used(inputs: Any, targets: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        arrays(inputs, targets, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("houses", {}),
        ("digits", {"sequence": True}),
        ("signs", {"examples": 50}),
        ("xor", {}),
        ("text", {"length": 40}),
        ("text", {"sequence": False}),
        ("memory", {"delay": 3}),
        ("adding", {"length": 9}),
    ],
)
def test_what_is_saved_is_read_back(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    saved = evo.dataset(name, **options)
    saved.save(tmp_path / "saved.npz")
    found = evo.dataset(str(tmp_path / "saved.npz"), seed=9)
    assert same(saved, found)
    for fact in ("shape", "steps", "predictions", "labels", "symbols", "unit", "scale", "offset", "loss", "score"):
        assert getattr(found, fact) == getattr(saved, fact)


def test_arrays_in_a_file_of_numpys(tmp_path: Path) -> None:
    inputs, targets = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 4
    np.savez(tmp_path / "own.npz", inputs=inputs, targets=targets)
    assert same(evo.dataset(str(tmp_path / "own.npz"), seed=3), arrays(inputs, targets, seed=3))
    np.savez_compressed(tmp_path / "own.npz", inputs=inputs, targets=targets)
    assert same(evo.dataset(str(tmp_path / "own.npz"), sequence=True), arrays(inputs, targets, sequence=True))


ARCHIVES: list[tuple[dict[str, Any], str]] = [
    ({}, "it holds nothing: inputs and targets are needed"),
    ({"inputs": GOOD}, "it holds inputs: inputs and targets are needed"),
    ({"inputs": GOOD, "targets": HALF, "part": np.zeros(20, int)}, "no example is to choose by"),
    ({"inputs": GOOD, "targets": HALF, "part": np.zeros(5, int)}, "'part' must be 0, 1 or 2 for each of the 20"),
    ({"inputs": GOOD, "targets": HALF, "part": np.full(20, 3)}, "'part' must be 0, 1 or 2"),
    ({"inputs": GOOD, "targets": HALF, "part": np.zeros((20, 1))}, "'part' in it is float64"),
    ({"inputs": GOOD, "targets": HALF / 2, "scale": np.array(-1.0)}, "scale=-1.0"),
    ({"inputs": GOOD, "targets": HALF / 2, "offset": np.array(np.nan)}, "offset=nan"),
    ({"inputs": GOOD - 1, "targets": HALF, "symbols": np.array(3)}, "symbols must be whole numbers from 0 to 2"),
    ({"inputs": GOOD + np.nan, "targets": HALF}, "inputs of example 0"),
]


@pytest.mark.parametrize(("content", "words"), ARCHIVES, ids=[words for _, words in ARCHIVES])
def test_archives_that_cannot_be_used(content: dict[str, Any], words: str, tmp_path: Path) -> None:
    write_arrays(tmp_path / "own.npz", content)
    with pytest.raises(EvoError, match=words) as error:
        evo.dataset(str(tmp_path / "own.npz"))
    assert "own.npz" in str(error.value) and "\n" not in str(error.value)


def test_hostile_archives(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", inputs=np.array([{}] * 20), targets=HALF)
    with pytest.raises(EvoError, match="never objects"):
        evo.dataset(str(tmp_path / "own.npz"))
    (tmp_path / "own.npz").write_bytes(b"PK\3\4 and so on")
    with pytest.raises(EvoError, match="cannot read"):
        evo.dataset(str(tmp_path / "own.npz"))
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("../evil.py", "")
    with pytest.raises(EvoError, match="is not an array"):
        evo.dataset(str(tmp_path / "own.npz"))


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A dozen pictures each of red and of blue, of several sizes and formats."""
    for name, colour in (("blue", (0, 0, 200)), ("red", (200, 0, 0))):
        (tmp_path / name).mkdir()
        for index in range(12):
            ending = ("png", "jpg", "bmp", "gif", "webp", "ppm")[index % 6]
            Image.new("RGB", (40 + index, 30 + 2 * index), colour).save(tmp_path / name / f"{index:02d}.{ending}")
    (tmp_path / "red" / ".hidden.png").write_bytes(b"no picture")
    (tmp_path / "red" / "notes.txt").write_text("none either")
    (tmp_path / ".cache").mkdir()
    return tmp_path


def test_a_folder_of_pictures(album: Path) -> None:
    found = evo.dataset(str(album), size=8)
    assert (found.shape, found.labels, tuple(map(len, found.splits))) == ((8, 8, 3), ("blue", "red"), (17, 2, 5))
    for split in found.splits:
        middle = split.inputs.reshape(-1, 8, 8, 3).mean(axis=(1, 2))
        np.testing.assert_allclose(middle[:, 0], split.targets.ravel() * 200 / 255, atol=0.02)
        np.testing.assert_allclose(middle[:, 2], (1 - split.targets.ravel()) * 200 / 255, atol=0.02)
    grey = evo.dataset(str(album), size=8, grey=True)
    assert grey.shape == (8, 8, 1) and evo.dataset(str(album), sequence=True).shape == (96,)
    assert same(found, evo.dataset(found.name, **found.options))


def test_pictures_are_upright_whole_in_the_middle_and_on_white(album: Path) -> None:
    for path in (album / "red").iterdir():
        path.unlink()
    wide = Image.new("RGB", (60, 20), (0, 255, 0))  # its middle is cut out
    wide.paste((255, 0, 0), (20, 0, 40, 20))
    lying = Image.new("RGB", (20, 20), (255, 0, 0))  # turned by a quarter, what is left of it lies on top
    lying.paste((0, 0, 0), (0, 0, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    wide.save(album / "red" / "wide.png")
    lying.save(album / "red" / "lying.png", exif=exif)
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(album / "red" / "clear.png")
    found = evo.dataset(str(album), size=10)
    inputs = np.concatenate([split.inputs for split in found.splits]).reshape(-1, 10, 10, 3)
    classes = np.concatenate([split.targets.ravel() for split in found.splits])
    pictures = [np.round(picture, 1) for picture in inputs[classes == 1]]

    def among(colour: list[int], rows: slice) -> bool:  # at the cut, what lay beyond it shines through
        return any(np.abs(picture[rows, 1:9] - colour).max() < 0.1 for picture in pictures)

    assert among([1, 1, 1], slice(0, 10))
    assert among([1, 0, 0], slice(0, 10))
    assert among([0, 0, 0], slice(0, 4)) and among([1, 0, 0], slice(6, 10))


def test_pictures_of_sixteen_bits_are_scaled_by_their_own_depth(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 20 * 20).reshape(20, 20)
    deep, half = np.round(ramp * 65535).astype(np.uint16), np.round(ramp * 4095).astype(">u2")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray((ramp * 255).round().astype(np.uint8)).save(tmp_path / name / "0.png")
        Image.fromarray(deep).save(tmp_path / name / "1.png")
        Image.fromarray(deep).save(tmp_path / name / "2.tiff")
        Image.fromarray(ramp.astype(np.float32)).save(tmp_path / name / "3.tif")
        (tmp_path / name / "4.pgm").write_bytes(b"P5 20 20 65535\n" + deep.astype(">u2").tobytes())
        (tmp_path / name / "5.pgm").write_bytes(b"P5 20 20 4095\n" + half.tobytes())
        save_tiff(tmp_path / name / "6.tif", 65535 - deep, white_is_zero=True)
        save_tiff(tmp_path / name / "7.tif", np.round(ramp * 4095).astype(np.uint16), bits=12)
    found = evo.dataset(str(tmp_path), size=20, grey=True)
    inputs = np.concatenate([split.inputs.reshape(-1, 20, 20) for split in found.splits])
    assert len(inputs) == 16
    assert np.abs(inputs - ramp).max() < 1.5 / 255
    Image.fromarray(ramp.astype(np.float32) * 9).save(tmp_path / "a" / "3.tif")
    with pytest.raises(EvoError, match=r"numbers in 3\.tif go from 0 to 9, those of 0\.png have a depth: bring all"):
        evo.dataset(str(tmp_path))


@pytest.mark.parametrize(
    ("dtype", "white"), [(np.float32, 9.0), (np.int32, 200_000), (np.int32, 60_000), (np.uint32, 4e9)]
)
def test_numbers_without_a_depth_have_one_scale_in_all_pictures(dtype: Any, white: float, tmp_path: Path) -> None:
    """The brightest of one picture may be dark in another."""
    ramp = np.linspace(0, 1, 20 * 20).reshape(20, 20)
    shares = {"a": (1.0, 0.3, 0.1, 0.1, 0.1), "b": (0.5, 0.02, 0.2, 0.2, 0.2)}
    for name, factors in shares.items():
        (tmp_path / name).mkdir()
        for index, factor in enumerate(factors):
            save_tiff(tmp_path / name / f"{index}.tif", (ramp * factor * white).astype(dtype))
    found = evo.dataset(str(tmp_path), size=20, grey=True)
    inputs = np.concatenate([split.inputs.reshape(-1, 20, 20) for split in found.splits])
    most = sorted(factor for factors in shares.values() for factor in factors)
    np.testing.assert_allclose(np.sort(inputs.max(axis=(1, 2))), most, atol=1 / 255)
    order = np.argsort(inputs.max(axis=(1, 2)), kind="stable")
    assert all(np.abs(inputs[row] - ramp * factor).max() < 1.5 / 255 for row, factor in zip(order, most, strict=True))
    save_tiff(tmp_path / "a" / "0.tif", np.full((4, 4), np.nan, np.float32))
    with pytest.raises(EvoError, match=r"cannot read .*0\.tif: some of its numbers are not finite"):
        evo.dataset(str(tmp_path))


@pytest.mark.parametrize("number", [3.0, 1e30])
def test_pictures_of_one_number_alone_are_black(number: float, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        for index in range(5):
            save_tiff(tmp_path / name / f"{index}.tif", np.full((4, 4), number, np.float32), white_is_zero=name == "b")
    found = evo.dataset(str(tmp_path), size=8)
    shades = {found.labels[int(target)]: row for row, target in zip(*_examples(found), strict=True)}
    assert {name: np.unique(row).tolist() for name, row in shades.items()} == {"a": [0.0], "b": [1.0]}


def _examples(found: Any) -> tuple[np.ndarray, np.ndarray]:
    return found.train.inputs.reshape(len(found.train.inputs), -1), found.train.targets.ravel()


def save_tiff(path: Path, numbers: np.ndarray, bits: int = 0, white_is_zero: bool = False) -> None:
    """Little-endian, not compressed, with the tags that say of which kind the numbers are; Pillow writes no uint32."""
    height, width = numbers.shape
    kind = {"u": 1, "i": 2, "f": 3}[numbers.dtype.kind]
    data = numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()
    if bits == 12:  # two numbers in three bytes
        first, second = numbers.ravel()[::2], numbers.ravel()[1::2]
        data = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], 1).astype(np.uint8).tobytes()
    bits = bits or 8 * numbers.dtype.itemsize
    tags = [
        (256, width),
        (257, height),
        (258, bits),
        (259, 1),
        (262, 0 if white_is_zero else 1),
        (273, 8),
        (277, 1),
        (278, height),
    ]
    tags += [(279, len(data)), (339, kind)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    path.write_bytes(
        b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)
    )


def _bomb() -> bytes:
    """A small PNG that says it has four billion pixels."""
    data = io.BytesIO()
    Image.new("L", (4, 4)).save(data, "PNG")
    content = bytearray(data.getvalue())
    content[16:24] = struct.pack(">II", 65535, 65535)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    return bytes(content)


def _written(place: str, content: bytes) -> Callable[[Path], Any]:
    return lambda album: (album / place).write_bytes(content)


def _emptied(album: Path) -> None:
    for path in (album / "red").iterdir():
        path.unlink()


def _one_class(album: Path) -> None:
    _emptied(album)
    (album / "red").rmdir()


ALBUMS: dict[str, tuple[Callable[[Path], Any], dict[str, Any], str]] = {
    "damaged": (_written("red/00.png", b"\x89PNG nothing"), {}, "cannot read .*red/00.png: cannot identify image"),
    "cut off": (lambda album: _cut(album / "red" / "01.jpg"), {}, "cannot read .*red/01.jpg: .*truncated"),
    "empty file": (_written("blue/x.png", b""), {}, "cannot read .*blue/x.png"),
    "bomb": (_written("blue/x.png", _bomb()), {}, "cannot read .*blue/x.png: "),
    "another format": (_written("blue/x.png", b"%!PS-Adobe-3.0 EPSF-3.0\n"), {}, "cannot read .*blue/x.png"),
    "empty class": (_emptied, {}, "red holds no pictures"),
    "one class": (_one_class, {}, "has 1 sub-folders"),
    "size": (lambda album: None, {"size": 0}, "size=0"),
    "large": (lambda album: None, {"size": 513}, "size=513"),
}


def _cut(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:2000])


@pytest.mark.parametrize("name", ALBUMS)
def test_folders_that_cannot_be_used(name: str, album: Path) -> None:
    damage, options, words = ALBUMS[name]
    damage(album)
    with pytest.raises(EvoError, match=words) as error:
        evo.dataset(str(album), **options)
    assert "\n" not in str(error.value)


def test_folders_that_are_not_there_or_too_small(tmp_path: Path) -> None:
    with pytest.raises(EvoError, match=r"there is no folder .*gone"):
        evo.dataset("folder", folder=str(tmp_path / "gone"))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / name / "x.png")
    with pytest.raises(EvoError, match="2 examples are too few") as error:
        evo.dataset(str(tmp_path))
    assert str(tmp_path) in str(error.value)
