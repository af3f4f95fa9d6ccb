"""Encoding of frames as H.264, GIF, WebP or PNG, written whole or not at all."""

import contextlib
import fcntl
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Frame = NDArray[np.uint8]  # [height, width, 3], sRGB

_UNFINISHED = ".evo-film-"  # prefix of the name of a file being written
_QUALITY = 20  # x264's constant rate factor: visually lossless for flat, clean pictures
_PALETTE_FRAMES = 12  # frames of a GIF, spread over the film, from which its palette is computed


def write(frames: Iterable[Frame], path: Path, fps: int) -> None:
    """Write a film, or one picture, in the format that the file's suffix names.

    The file appears whole under its name or not at all: it is written beside it and then renamed.

    Args:
        frames: [height, width, 3] uint8 sRGB, all of one size; at least one. MP4 streams them, and drops an odd last
            row or column; GIF and WebP hold them all in memory; PNG takes the first.
        path: ends in `.mp4` (H.264), `.gif`, `.webp` or `.png`.
        fps: frames a second; GIF rounds their time to hundredths of a second.

    Raises:
        ValueError: another suffix, no frames, or frames of unequal sizes.
        OSError: the file cannot be written, or ffmpeg fails.
    """
    path = Path(path)
    encode = ENCODERS.get(path.suffix.lower())
    if encode is None:
        raise ValueError(f"cannot write {path.name!r}: the suffix must be one of {', '.join(ENCODERS)}")
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise ValueError(f"no frames to write to {path.name!r}")
    _sweep(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED, suffix=path.suffix.lower())
    unfinished = Path(name)
    try:
        with contextlib.suppress(OSError):  # not every file system has locks; there, nothing is swept
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        encode(_check(chain([first], iterator), first.shape), unfinished, fps)
        # A temporary file is private; the finished one gets the permissions that any new file would.
        mask = os.umask(0)
        os.umask(mask)
        unfinished.chmod(0o666 & ~mask)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove unfinished films of killed processes: a live process holds a lock on its file."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        with contextlib.suppress(OSError), open(path, "rb", opener=_open_no_link) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _check(frames: Iterable[Frame], shape: tuple[int, ...]) -> Iterator[Frame]:
    for frame in frames:
        if frame.shape != shape or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise ValueError(f"a frame is {frame.shape} {frame.dtype}; expected (height, width, 3) uint8 like {shape}")
        yield frame


def _write_mp4(frames: Iterator[Frame], path: Path, fps: int) -> None:
    first = next(frames)
    # yuv420p halves the colour resolution, so both sides must be even.
    height, width = first.shape[0] // 2 * 2, first.shape[1] // 2 * 2
    if height == 0 or width == 0:
        raise ValueError(f"a frame of shape {first.shape} is too small for H.264")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", str(fps), "-i", "-", "-an", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    command += ["-crf", str(_QUALITY), "-preset", "medium", "-movflags", "+faststart", str(path)]
    # Errors go to a file: a pipe that is not read while frames are written could fill up and block both processes.
    with tempfile.TemporaryFile() as complaints:
        # a separate session keeps Ctrl-C on the terminal from ffmpeg
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints, start_new_session=True
        )
        assert process.stdin is not None
        try:
            for frame in chain([first], frames):
                process.stdin.write(np.ascontiguousarray(frame[:height, :width]).data)
            process.stdin.close()
            failed = process.wait() != 0
        except BrokenPipeError:
            failed = True
        finally:
            process.kill()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
        if failed:
            complaints.seek(0)
            reason = complaints.read().decode(errors="replace").strip() or f"exit status {process.returncode}"
            raise OSError(f"ffmpeg could not write {path}: {reason}")


def _write_gif(frames: Iterator[Frame], path: Path, fps: int) -> None:
    pictures = [Image.fromarray(frame) for frame in frames]
    # One palette for the whole film, without dithering: dots that move between frames flicker and do not compress.
    chosen = np.unique(np.linspace(0, len(pictures) - 1, _PALETTE_FRAMES).round().astype(int))
    pixels = np.concatenate([np.asarray(pictures[index]).reshape(-1, 3) for index in chosen])
    # A colour's weight is the square root of its count: a small creature keeps its shades beside a wide sky.
    colours, counts = np.unique(pixels & 0xFC, axis=0, return_counts=True)
    weighted = np.repeat(colours | 0x02, np.ceil(np.sqrt(counts)).astype(int), axis=0)
    palette = Image.fromarray(weighted[None]).quantize(256, method=Image.Quantize.MEDIANCUT)
    flat = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    flat[0].save(path, save_all=True, append_images=flat[1:], duration=_milliseconds(fps), loop=0, optimize=False)


def _write_webp(frames: Iterator[Frame], path: Path, fps: int) -> None:
    pictures = [Image.fromarray(frame) for frame in frames]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=_milliseconds(fps), loop=0, quality=80, method=3
    )


def _write_png(frames: Iterator[Frame], path: Path, fps: int) -> None:
    Image.fromarray(next(frames)).save(path, optimize=True)


def _milliseconds(fps: int) -> int:
    return max(round(1000 / fps), 1)


ENCODERS: dict[str, Callable[[Iterator[Frame], Path, int], None]] = {
    ".mp4": _write_mp4,
    ".gif": _write_gif,
    ".webp": _write_webp,
    ".png": _write_png,
}
