"""A picture as a data set: pixels and colours, files that are refused, and the painting of what was learned."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import evo
from evo.datasets.picture import pixels, size_of
from evo.errors import EvoError
from evo.visualize.painting import paint
from tests.support.forks import command


def _gradient(path: Path, width: int = 12, height: int = 8, mode: str = "RGB") -> Path:
    """Write a picture whose red grows to the right and whose green grows downwards."""
    red = np.broadcast_to(np.linspace(0, 255, width), (height, width))
    green = np.broadcast_to(np.linspace(0, 255, height)[:, None], (height, width))
    colours = np.stack([red, green, np.full((height, width), 51)], axis=-1).round().astype(np.uint8)
    Image.fromarray(colours).convert(mode).save(path)
    return path


def test_pixels_are_where_they_are_at_any_resolution() -> None:
    np.testing.assert_allclose(pixels(2, 1), [[-0.5, 0, 0.5], [0.5, 0, 0.5]])
    small, large = pixels(3, 2).reshape(2, 3, 3), pixels(9, 6).reshape(6, 9, 3)
    np.testing.assert_allclose(large[1::3, 1::3], small, atol=1e-15)  # the middle of three is where the one was
    assert np.abs(pixels(40, 30)).max() < 1.25
    np.testing.assert_array_equal(pixels(5, 5)[12], [0, 0, 0])


@given(st.integers(1, 40), st.integers(1, 40))
def test_the_size_of_a_picture_is_seen_from_its_pixels(width: int, height: int) -> None:
    order = np.random.default_rng(0).permutation(width * height)
    assert size_of(pixels(width, height)[order].astype(np.float32)) == (width, height)


def test_every_pixel_has_its_colour_in_every_split(tmp_path: Path) -> None:
    data = evo.dataset(f"picture:{_gradient(tmp_path / 'g.png')}")
    assert (data.shape, data.outputs, data.loss, len(data.train)) == ((3,), 3, "squared error", 96)
    for split in data.splits:
        x, y = split.inputs[:, 0, 0], split.inputs[:, 0, 1]
        np.testing.assert_allclose(split.targets[:, 0, 0], (x * 12 / 11 + 1) / 2, atol=0.003)
        np.testing.assert_allclose(split.targets[:, 0, 1], (y * 12 / 7 + 1) / 2, atol=0.003)
        np.testing.assert_allclose(split.targets[:, 0, 2], 0.2, atol=1e-6)
        np.testing.assert_allclose(split.inputs[:, 0, 2], np.hypot(x, y), rtol=1e-6)
    assert evo.dataset(data.name, **data.options).digest == data.digest
    assert evo.dataset(data.name, **{**data.options, "seed": 1}).digest != data.digest


def test_a_picture_is_shrunk_and_turned_grey(tmp_path: Path) -> None:
    path = _gradient(tmp_path / "g.png", 40, 20)
    data = evo.dataset(path, size=10, grey=True)
    assert size_of(data.test.inputs[:, 0]) == (10, 5) and data.outputs == 1
    assert data.options["file"] == str(path)
    alone = evo.dataset(_gradient(tmp_path / "l.png", mode="LA"))
    assert alone.outputs == 3 and np.ptp(alone.train.targets, axis=2).max() == 0


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("picture", {}, "a picture needs its file, as in picture:photo.png"),
        ("picture:none.png", {}, "cannot read .*none.png: .*No such file"),
        ("picture:g.txt", {}, "a picture's name ends in .bmp"),
        ("picture:text.png", {}, "cannot read .*text.png: cannot identify"),
        ("picture:one.png", {}, "1 × 1 pixels are no picture"),
        ("picture:g.png", {"size": 1}, "size=1: must be"),
        ("picture:g.png", {"size": 513}, "size=513: must be"),
        ("picture:g.png", {"sizes": 5}, "takes no option 'sizes'"),
    ],
)
def test_what_is_no_picture_is_one_line(
    name: str, options: dict[str, int], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _gradient(tmp_path / "g.png")
    _gradient(tmp_path / "one.png", 1, 1)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(EvoError, match=why) as error:
        evo.dataset(name, **options)
    assert "\n" not in str(error.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.data())
def test_damaged_files_are_refused_or_read(tmp_path: Path, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"]))
    file = io.BytesIO()
    Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3)).save(file, kind)
    damaged = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / f"damaged.{kind.lower()}"
    path.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    try:
        found = evo.dataset(path)
    except EvoError as error:
        assert "\n" not in str(error) and path.name in str(error)
    else:
        assert 0 <= found.train.targets.min() and found.train.targets.max() <= 1


def test_a_run_learns_a_picture_and_paints_it_at_any_resolution(tmp_path: Path) -> None:
    run = evo.run(f"picture:{_gradient(tmp_path / 'g.png')}", network="mlp:8", epochs=600, out=tmp_path / "run")
    assert -run.champion.score < 0.02
    again = evo.resume(run.path, epochs=601)
    painted = paint(again.champion.supervised, again.champion.params, 120)
    assert painted.shape == (80, 120, 3) and painted.dtype == np.uint8
    x, y = np.meshgrid(np.linspace(0, 255, 120), np.linspace(0, 255, 80))
    wanted = np.stack([x, y, np.full_like(x, 51)], axis=-1)
    assert np.abs(painted - wanted)[10:-10, 10:-10].mean() < 8  # of 255
    for name in ("answers", "painting", "learning"):
        with Image.open(run.directory.plots / f"{name}.png") as drawn:
            assert drawn.width >= 640
    grown = evo.replay(run, tmp_path / "large.png", width=300)
    with Image.open(grown) as drawn:
        assert drawn.size == (300, 200)
    for out, width, why in (("large.svg", 300, "must be .png"), ("no.png", 10**6, "pixels; paint 1 to")):
        with pytest.raises(EvoError, match=why):
            evo.replay(run, tmp_path / out, width=width)


def test_the_command_line_takes_a_picture(tmp_path: Path) -> None:
    _gradient(tmp_path / "g.png", 60, 40)
    words = ("run", "picture:g.png", "--network", "mlp:4", "--epochs", "1", "--out", "run", "--no-video")
    told = command(*words, folder=tmp_path)
    assert told.returncode == 0 and "60 × 40 pixels, learned as 32 × 21" in told.stdout + told.stderr
    assert (tmp_path / "run" / "plots" / "painting.png").exists()


def test_neat_grows_a_picture_of_the_functions_of_patterns(tmp_path: Path) -> None:
    path = _gradient(tmp_path / "g.png")
    run = evo.run(
        f"picture:{path}", method="neat", generations=3, settings={"method.population_size": 20}, out=tmp_path / "run"
    )
    assert run.config["method.activations"].startswith("sine,gaussian") and run.config["network.layers"] == "graph"
    assert run.metrics["best"][-1] >= run.metrics["best"][0]
    assert paint(run.champion.supervised, run.champion.params, 6).shape == (4, 6, 3)
