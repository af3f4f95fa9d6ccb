"""A run in one zip, to be sent to others: which files it may hold, writing it, and reading one that a stranger sent.

Member names come from a fixed list, so none leads out of a folder, and each has a largest size. All is checked, and
known, before anything is unpacked.
"""

import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import final

from evo.errors import EvoError, printable
from evo.storage.files import MEMBERS, make_folder, reading, replacing
from evo.storage.memory import size_text
from evo.storage.zips import BLOCK, open_member, open_zip

CARD, PAGE = "card.md", "view.html"
_MEGABYTE, _GIGABYTE = 2**20, 2**30
# What a run's own folder holds; the other members are for people alone.
RUN_FILES: Mapping[str, int] = {
    "config.toml": 16 * _MEGABYTE,
    "versions.toml": 16 * _MEGABYTE,
    "metrics.csv": _GIGABYTE,
    "champion.npz": _GIGABYTE,
    "last.npz": _GIGABYTE,
    "archive.npz": _GIGABYTE,
    "front.npz": _GIGABYTE,
    "start.npz": _GIGABYTE,
    "ended": 2**16,
    "mixed": 2**16,
    **{f"videos/{name}.{kind}": _GIGABYTE for name in ("champion", "evolution") for kind in ("mp4", "webp", "gif")},
}
LARGEST: Mapping[str, int] = {CARD: _MEGABYTE, PAGE: 256 * _MEGABYTE, **RUN_FILES}
_TOTAL = 4 * _GIGABYTE
_STORED = (".npz", ".mp4", ".webp", ".gif")  # packed already


def is_bundle(path: Path) -> bool:
    """Return whether a file is to be a run in a zip, by its suffix."""
    return path.suffix.lower() == ".zip"


def write_bundle(path: Path, members: Mapping[str, bytes | Path]) -> None:
    """Write members, name → content or file, in the order of `LARGEST`; the same members give the same bytes.

    Raises EvoError where the disk refuses, and for a member that is larger than one who reads it allows.
    """
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, largest in LARGEST.items():
            if (content := members.get(name)) is None:
                continue
            about = zipfile.ZipInfo(name)  # of the fixed date 1980-01-01
            about.create_system, about.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            about.compress_type = zipfile.ZIP_STORED if name.endswith(_STORED) else zipfile.ZIP_DEFLATED
            if isinstance(content, bytes):
                _check_size(name, len(content), largest)
                archive.writestr(about, content)
                continue
            with reading(content, largest) as source, archive.open(about, "w") as target:
                shutil.copyfileobj(source, target, BLOCK)
    with open_bundle(path):  # what cannot be read is not left behind as if it could
        pass


@final
class Bundle:
    """A run's zip, open and checked; `sizes` are the bytes of each member once unpacked."""

    def __init__(self, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
        self._archive = archive
        self._members = {member.filename: member for member in members}
        self.sizes = {name: member.file_size for name, member in self._members.items()}

    @property
    def summary(self) -> str:
        """How many files it holds, and their size: `9 files, 1.3 MB`."""
        return f"{len(self.sizes)} files, {size_text(sum(self.sizes.values()))}"

    def read(self, name: str) -> bytes:
        """Return a member's content. Raises nearly any Exception where it is missing or damaged."""
        if name not in self._members:
            raise ValueError(f"it holds no {name}")
        return b"".join(self._blocks(name))

    def unpack(self, name: str, target: Path) -> None:
        """Write a member to a file. Raises as `read` does, and EvoError where the disk refuses."""
        with replacing(target) as file:
            for block in self._blocks(name):
                file.write(block)

    def _blocks(self, name: str) -> Iterator[bytes]:
        member, done = self._members[name], 0
        with open_member(self._archive, member) as stream:
            while block := stream.read(BLOCK):
                done += len(block)
                if done > member.file_size:
                    raise ValueError(f"{name} inflates to more than it declares")
                yield block
        if done != member.file_size:
            raise ValueError(f"{name} is shorter than it declares")


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Open a run's zip, which may be a stranger's. Raises EvoError, also for all that fails while it is open."""
    with reading(path, _TOTAL + _MEGABYTE) as file:
        try:
            with open_zip(file, MEMBERS, "a .zip file", "files") as (archive, members):
                for member in members:
                    if (largest := LARGEST.get(member.orig_filename)) is None:
                        raise ValueError(f"{member.orig_filename[:60]!r} in it is no file of an exported run")
                    _check_size(member.filename, member.file_size, largest)
                bundle = Bundle(archive, members)
                if (total := sum(bundle.sizes.values())) > _TOTAL:
                    raise ValueError(f"it inflates to {size_text(total)}, more than the {size_text(_TOTAL)} allowed")
                yield bundle
        except EvoError:
            raise
        except Exception as error:  # forged bytes make zipfile and zlib raise almost anything
            reason = printable(" ".join(str(error).split())) or type(error).__name__
            raise EvoError(f"cannot read {path}: {reason}; use an undamaged zip that `evo export` wrote") from error


def unpack_run(bundle: Bundle, folder: Path) -> None:
    """Write the files of a run's own folder into `folder`, which is there. Raises as `Bundle.read` does."""
    names = [name for name in bundle.sizes if name in RUN_FILES]
    needed = sum(bundle.sizes[name] for name in names)
    with suppress(OSError):  # a file system that cannot tell
        if needed > shutil.disk_usage(folder).free:
            raise EvoError(f"{folder.parent} has no room for {size_text(needed)}: free some space, then try again")
    for name in names:
        target = folder / name
        make_folder(target.parent)
        bundle.unpack(name, target)


def _check_size(name: str, size: int, largest: int) -> None:
    if size > largest:
        raise EvoError(f"{name} holds {size:,} bytes, and {largest:,} are allowed")
