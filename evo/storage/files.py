"""Files of arrays and of text: no pickle, checked before they are read, written whole or not at all.

A file is written to a temporary name, flushed to the disk and renamed, so a file under its own name is always whole.
Arrays are stored as an .npz, deflated but for large arrays of floats, that `np.load(path, allow_pickle=False)` reads
too. Nothing read is trusted, as files may come from strangers and from failing disks: sizes are checked before memory
is allocated, checksums before anything is returned.
"""

import errno
import math
import os
import stat
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from evo.errors import EvoError, one_line
from evo.grammar import parse_toml
from evo.storage.memory import check_bytes
from evo.storage.zips import BLOCK, open_member, open_zip

MEMBERS = 10_000
TEMPORARY = ".evo-*.tmp"  # what a killed writer may leave behind
_KINDS = "biufU"  # bool, int, uint, float, fixed-width text
_LARGEST_CHARACTER = 0x10FFFF
_ADVICE = {
    errno.ENOSPC: "free some space, then try again (a run goes on with `evo resume RUN`)",
    errno.EDQUOT: "free some space, then try again (a run goes on with `evo resume RUN`)",
    errno.EFBIG: "raise the limit on file sizes (`ulimit -f`), then try again (a run goes on with `evo resume RUN`)",
    errno.EACCES: "choose a folder you may write to",
    errno.EPERM: "choose a folder you may write to",
    errno.EROFS: "choose a folder you may write to",
    errno.ENOTDIR: "choose a path whose folders are folders",
    errno.ENOENT: "make its folder first",
    errno.ELOOP: "it is a link, and evo writes through none: put a file of its own there",
}


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays as one .npz file; the same arrays give the same bytes. Names may contain "/".

    Raises TypeError for a dtype that is not bool, int, uint, float or fixed-width text, ValueError for a name that is
    empty or holds a NUL (both mistakes in the program, found before anything is written), and EvoError when the disk
    refuses; then whatever stood at `path` is untouched.
    """
    _check_arrays(arrays)
    with replacing(path) as file:
        _write_archive(file, arrays)


def _check_arrays(arrays: Mapping[str, NDArray[Any]]) -> None:
    for name, array in arrays.items():
        if array.dtype.kind not in _KINDS:
            raise TypeError(f"array {name!r} is {array.dtype}: only bool, int, uint, float and text can be written")
        if not name or "\0" in name:
            raise ValueError(f"array name {name!r}: must be non-empty and without NUL")
    if len(arrays) > MEMBERS:
        raise ValueError(f"{len(arrays)} arrays: at most {MEMBERS} fit into one file")


def _write_archive(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    with zipfile.ZipFile(file, "w", compresslevel=1) as archive:
        for name, array in arrays.items():
            # large float arrays hardly compress, and deflating 72 MB takes 2 s, which would delay Ctrl-C
            stored = array.dtype.kind == "f" and array.nbytes >= BLOCK
            archive.compression = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            # Opened by name, a member carries the fixed date 1980-01-01.
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, np.asarray(array), allow_pickle=False)


def read_arrays(path: Path, limit: int = 2**30) -> dict[str, NDArray[Any]]:
    """Read the named arrays of an .npz file, bit for bit as written, as fresh writable arrays.

    Memory stays within `limit` bytes of array data, whatever the file claims. Raises EvoError when the file is missing,
    cut off, damaged, larger than `limit`, or holds anything but plain arrays (pickled objects are never opened).
    """
    with reading(path, limit + MEMBERS * 1024) as file:
        return read_arrays_of(file, str(path), limit)


def read_arrays_of(file: BinaryIO, source: str, limit: int = 2**30) -> dict[str, NDArray[Any]]:
    """Read the named arrays of an open .npz file, as `read_arrays` does. Raises EvoError naming `source`."""
    try:
        return _read_archive(file, limit)
    except Exception as error:  # forged bytes make zipfile, zlib and NumPy's header parser raise almost anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise EvoError(f"cannot read {source}: {reason}; use an undamaged .npz file that evo wrote") from error


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8. Raises EvoError as `write_arrays` does, and for text that UTF-8 cannot hold."""
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise EvoError(
            f"cannot write {path}: {error.object[error.start]!r} is not a character; leave it out"
        ) from error
    write_bytes(path, data)


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes. Raises EvoError as `write_arrays` does."""
    with replacing(path) as file:
        file.write(data)


def read_text(path: Path, limit: int = 2**24) -> str:
    """Read a UTF-8 text file. Raises EvoError when it is missing, longer than `limit` bytes, or not UTF-8."""
    with reading(path, limit) as file:
        try:
            # `read` allocates the size asked for, however small the file is
            return file.read(min(limit, os.fstat(file.fileno()).st_size) + 1).decode()
        except UnicodeDecodeError as error:
            raise EvoError(f"cannot read {path}: byte {error.start} is not UTF-8 text; save it as UTF-8") from error


def read_toml(text: str, source: str, trust: bool = False) -> dict[str, Any]:
    """Parse the TOML text of a file. Raises EvoError naming `source`.

    trust: whether modules that the text names may be imported; otherwise only those trusted elsewhere may.
    """
    from evo.envs import reference  # imported late: it brings in Gymnasium, which few readers need

    try:
        tree = parse_toml(text)
        reference.note_names(tree, reference.trust if trust else reference.distrust)
    except (ValueError, RecursionError) as error:
        raise EvoError(f"{source} is not a TOML file: {one_line(error)}") from error
    return tree


def append_text(path: Path, text: str) -> None:
    """Append `text` to an existing file: all of it or, raising EvoError, none."""
    data = text.encode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        try:
            size = os.fstat(descriptor).st_size
            try:
                written = 0
                while written < len(data):
                    written += os.write(descriptor, data[written:])
            except BaseException:
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
    except OSError as error:
        raise cannot_write(path, error) from error


def make_folder(path: Path) -> None:
    """Create a folder and its parents if missing. Raises EvoError where that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise EvoError(f"{path} exists and is not a folder; choose another folder as out") from error
    except OSError as error:
        raise cannot_write(path, error) from error
    except ValueError as error:  # a NUL in the path
        raise EvoError(f"cannot write {str(path)!r}: {error}; choose another folder as out") from error


def check_writable(path: Path) -> None:
    """Create the folder of a file that is to be written. Raises EvoError where the file cannot be.

    It is asked before long work whose result the file is to hold.
    """
    make_folder(path.parent)
    temporary = temporary_beside(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        temporary.touch(exist_ok=False)
        temporary.unlink()
    except OSError as error:
        raise cannot_write(path, error) from error


def refuse_link(path: Path) -> None:
    """Raise EvoError for a symbolic link, whose maker would choose what is written and removed where it leads."""
    if path.is_symlink():
        raise cannot_write(path, OSError(errno.ELOOP, os.strerror(errno.ELOOP)))


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder, sorted; none when it cannot be listed."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def temporary_beside(path: Path) -> Path:
    """Return an unused name in the same folder that matches TEMPORARY."""
    return path.parent / f".evo-{uuid.uuid4().hex}.tmp"


def sync_file(path: Path) -> None:
    """Flush a file to the disk if it exists. Raises OSError."""
    with suppress(FileNotFoundError), open(path, "rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems cannot, and need not
            raise
    finally:
        os.close(descriptor)


def cannot_write(path: Path, error: OSError) -> EvoError:
    """Return the error for a refused write: path, reason, advice."""
    advice = _ADVICE.get(error.errno or 0)
    return EvoError(f"cannot write {path}: {_reason(error)}" + (f"; {advice}" if advice else ""))


def _reason(error: OSError) -> str:
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file to write; it replaces `path` only once it is whole and on the disk."""
    temporary = temporary_beside(path)
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def reading(path: Path, largest: int) -> Iterator[BinaryIO]:
    """Open a regular file of at most `largest` bytes."""
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise EvoError(f"cannot read {path}: it is not a regular file; name one")
            if status.st_size > largest:
                raise EvoError(f"cannot read {path}: {status.st_size} bytes are more than the {largest} allowed")
            yield file
    except OSError as error:
        raise EvoError(f"cannot read {path}: {_reason(error)}; check the path") from error
    except ValueError as error:  # a NUL in the path
        raise EvoError(f"cannot read {str(path)!r}: {error}; check the path") from error


def open_without_waiting(path: str, flags: int) -> int:
    """Open without blocking: opening a pipe would otherwise wait for its writer."""
    return os.open(path, flags | os.O_NONBLOCK)


def _read_archive(file: BinaryIO, limit: int) -> dict[str, NDArray[Any]]:
    """Read all members once the archive's directory is checked. Raises nearly any Exception on damage."""
    with open_zip(file, MEMBERS, "an .npz file", "arrays") as (archive, members):
        for member in members:
            if not member.filename.endswith(".npy") or len(member.filename) == len(".npy"):
                raise ValueError(f"{member.filename[:60]!r} in it is not an array")
        if (total := sum(member.file_size for member in members)) > limit:
            raise ValueError(f"it inflates to {total} bytes, more than the {limit} allowed")
        check_bytes("its arrays", total, "it is damaged, or comes from a larger machine")
        return {member.filename.removesuffix(".npy"): _read_member(archive, member) for member in members}


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    name = repr(member.filename[:60])
    with open_member(archive, member) as stream:
        version = npy.read_magic(stream)
        if version == (1, 0):
            shape, fortran_order, dtype = npy.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, fortran_order, dtype = npy.read_array_header_2_0(stream)
        else:
            raise ValueError(f"{name} has the unknown format {version}")
        if dtype.kind not in _KINDS or dtype.itemsize == 0:
            raise ValueError(f"{name} holds {dtype}: only bool, int, uint, float and text are read, never objects")
        count = math.prod(shape)
        if min(shape, default=0) < 0 or stream.tell() + count * dtype.itemsize != member.file_size:
            raise ValueError(f"{name} says shape {shape} of {dtype} but declares {member.file_size} bytes")
        flat = np.empty(count, dtype)  # untouched memory costs nothing, should the stream turn out shorter
        target = flat.view(np.uint8)
        filled = 0
        while filled < target.size:
            block = stream.read(min(BLOCK, target.size - filled))
            if not block:
                raise ValueError(f"{name} is shorter than it declares")
            target[filled : filled + len(block)] = np.frombuffer(block, np.uint8)
            filled += len(block)
        if stream.read(1):  # reaching the end also compares the checksum
            raise ValueError(f"{name} inflates to more than it declares")
    if flat.size and dtype.kind == "b" and target.max() > 1:
        raise ValueError(f"{name} holds truth values other than 0 and 1")
    if flat.size and dtype.kind == "U":
        characters = flat.view(np.dtype(np.uint32).newbyteorder(dtype.byteorder))
        if characters.max() > _LARGEST_CHARACTER:
            raise ValueError(f"{name} holds characters that do not exist")
    return flat.reshape(shape, order="F" if fortran_order else "C")
