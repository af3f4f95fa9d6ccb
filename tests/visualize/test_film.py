"""Films decode to what was written, and a failure leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from evo.visualize.encoding import ENCODERS, write
from evo.visualize.strips import caption, filmstrip

Frame = NDArray[np.uint8]
COLOURS = ((200, 60, 40), (40, 160, 80), (50, 80, 190), (220, 200, 90))


def _film(height: int = 48, width: int = 64) -> list[Frame]:
    """Four flat frames with a bright square that moves."""
    frames = []
    for index, colour in enumerate(COLOURS):
        frame = np.empty((height, width, 3), np.uint8)
        frame[:] = colour
        frame[8:16, 8 + 10 * index : 16 + 10 * index] = 250
        frames.append(frame)
    return frames


def _ffmpeg(path: Path) -> tuple[bytes, str]:
    """The film's pixels, and what ffmpeg says about it. (`imageio_ffmpeg.read_frames` leaves its pipes open.)"""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    result = subprocess.run(command, capture_output=True, check=True)
    return result.stdout, result.stderr.decode()


def _decoded(path: Path) -> list[Frame]:
    if path.suffix == ".mp4":
        pixels, facts = _ffmpeg(path)
        width, height = map(int, re.findall(r"\b(\d{2,4})x(\d{2,4})\b", facts)[0])
        return list(np.frombuffer(pixels, np.uint8).reshape(-1, height, width, 3))
    with Image.open(path) as picture:
        frames = []
        for index in range(getattr(picture, "n_frames", 1)):
            picture.seek(index)
            frames.append(np.asarray(picture.convert("RGB")))
        return frames


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webp"])
def test_films_decode_to_the_frames_written(tmp_path: Path, suffix: str) -> None:
    frames = _film()
    write(iter(frames), tmp_path / f"film{suffix}", fps=25)
    decoded = _decoded(tmp_path / f"film{suffix}")
    assert [frame.shape for frame in decoded] == [frame.shape for frame in frames]
    for written, read in zip(frames, decoded, strict=True):
        assert np.abs(written[30:].mean((0, 1)) - read[30:].mean((0, 1))).max() < 8
        assert np.abs(written.astype(int) - read.astype(int)).mean() < 6
    assert [path.name for path in tmp_path.iterdir()] == [f"film{suffix}"]


def test_mp4_streams_at_its_rate_and_cuts_odd_sizes(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write(_film(49, 65), path, fps=20)
    pixels, facts = _ffmpeg(path)
    assert len(pixels) == 4 * 64 * 48 * 3
    assert all(fact in facts for fact in ("h264", "yuv420p", "64x48", "20 fps"))
    # faststart: the index precedes the pictures, so that a browser plays before it has all.
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_png_holds_the_first_frame_exactly(tmp_path: Path) -> None:
    frames = _film()
    write(frames, tmp_path / "picture.png", fps=1)
    assert np.array_equal(_decoded(tmp_path / "picture.png")[0], frames[0])


def test_gif_keeps_still_pixels_still(tmp_path: Path) -> None:
    gradient = np.linspace(0, 255, 64).astype(np.uint8)
    still = np.broadcast_to(gradient[None, :, None], (48, 64, 3))
    frames = []
    for index in range(4):
        frame = still.copy()
        frame[8:16, 10 * index : 10 * index + 8] = COLOURS[index]
        frames.append(frame)
    write(frames, tmp_path / "film.gif", fps=10)
    decoded = _decoded(tmp_path / "film.gif")
    assert all(np.array_equal(frame[20:], decoded[0][20:]) for frame in decoded)


def test_an_unknown_suffix_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as error:
        write(_film(), tmp_path / "film.avi", fps=25)
    assert all(suffix in str(error.value) for suffix in ENCODERS)


@pytest.mark.parametrize("suffix", list(ENCODERS))
def test_no_frames_is_an_error(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ValueError, match="no frames"):
        write([], tmp_path / f"film{suffix}", fps=25)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webp"])
def test_a_failure_keeps_the_old_file_and_leaves_no_other(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film{suffix}"
    path.write_bytes(b"the old film")

    def broken() -> Iterator[Frame]:
        yield from _film()[:2]
        raise RuntimeError("the renderer failed")

    with pytest.raises(RuntimeError, match="the renderer failed"):
        write(broken(), path, fps=25)
    with pytest.raises(ValueError, match="expected"):
        write([*_film()[:1], *_film(20, 20)], path, fps=25)
    assert path.read_bytes() == b"the old film"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_broken_ffmpeg_is_an_oserror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\necho disk on fire >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(broken))
    films = tmp_path / "films"
    films.mkdir()
    with pytest.raises(OSError, match="disk on fire"):
        write(_film() * 100, films / "film.mp4", fps=25)
    assert list(films.iterdir()) == []


def test_filmstrip_tiles_with_gaps() -> None:
    frames = _film()
    strip = filmstrip(frames[:3], columns=2, gap=4, background=(1, 2, 3))
    assert strip.shape == (2 * 48 + 4, 2 * 64 + 4, 3)
    assert np.array_equal(strip[:48, 68:], frames[1])
    assert np.array_equal(strip[52:, :64], frames[2])
    assert np.all(strip[52:, 68:] == (1, 2, 3))
    assert np.all(strip[48:52] == (1, 2, 3))
    assert filmstrip(frames[:1], columns=5).shape == frames[0].shape
    with pytest.raises(ValueError, match="no size"):
        filmstrip([], columns=2)
    with pytest.raises(ValueError, match="several sizes"):
        filmstrip([frames[0], _film(20, 20)[0]], columns=2)


def test_caption_writes_legibly_in_its_corner() -> None:
    frame = np.full((360, 640, 3), 180, np.uint8)
    captioned = caption(frame, "generation 12   5.3 m")
    assert captioned.shape == frame.shape
    assert np.all(frame == 180), "the frame itself is left alone"
    changed = np.argwhere((captioned != frame).any(axis=2))
    assert changed[:, 0].min() > 300
    assert 150 < changed[:, 1].max() < 320
    assert captioned.max() > 230
    assert captioned.min() < 110


def test_what_a_killed_film_left_is_swept_and_a_live_one_is_not(tmp_path: Path) -> None:
    code = """
    import os, signal, sys
    from pathlib import Path
    import numpy as np
    from evo.visualize import encoding as encode

    def frames():
        yield np.zeros((32, 32, 3), np.uint8)
        print(*os.listdir(sys.argv[1]), flush=True)
        if sys.stdin.readline() == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        yield np.zeros((32, 32, 3), np.uint8)

    encode.write(frames(), Path(sys.argv[1]) / "film.mp4", 30)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]

    def begun() -> subprocess.Popen[str]:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def film() -> None:
        write([np.zeros((32, 32, 3), np.uint8)], tmp_path / "still.png", 30)

    with begun() as live:
        assert live.stdout is not None
        (unfinished,) = live.stdout.readline().split()
        film()
        assert sorted(os.listdir(tmp_path)) == sorted([unfinished, "still.png"])
        live.communicate("go on")
    assert live.returncode == 0
    assert sorted(os.listdir(tmp_path)) == ["film.mp4", "still.png"]
    with begun() as killed:
        assert killed.stdout is not None
        left = set(killed.stdout.readline().split()) - {"film.mp4", "still.png"}
        killed.communicate("die")
    assert killed.returncode == -signal.SIGKILL
    assert left < set(os.listdir(tmp_path))
    patience = time.monotonic() + 20  # the dead film's encoder ends on its own, and may write its file once more
    film()
    while len(os.listdir(tmp_path)) > 2 and time.monotonic() < patience:
        time.sleep(0.1)
        film()
    assert sorted(os.listdir(tmp_path)) == ["film.mp4", "still.png"]
