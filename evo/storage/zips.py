"""Zip archives that may come from strangers: the directory is checked before anything is inflated.

Damage raises ValueError, or what zipfile and zlib raise for forged bytes, which is almost anything: callers turn all of
it into one line.
"""

import copy
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

BLOCK = 2**20


@contextmanager
def open_zip(
    file: BinaryIO, most: int, what: str, things: str
) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """Open an archive of at most `most` members, all plain files, stored or deflated, of different names.

    what, things: what the archive and its members are, for errors, as in `an .npz file` and `arrays`.
    """
    entries = _entries_announced(file, what)
    # zipfile builds an object for every directory entry before one can count them: 46 bytes of file each, 1 KB of
    # memory. So count their signatures first.
    _count_entries(file, most, things)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        # zipfile skips bytes before the first member, and ignores the announced count; cut in the right place, an
        # archive stored inside another one would pass for it.
        if len(members) != entries or (members and members[0].header_offset != 0):
            raise ValueError("its directory is damaged")
        for member in members:
            _check_member(member)
        if len({member.filename for member in members}) != len(members):
            raise ValueError(f"two {things} have the same name")
        yield archive, members


def open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    """Open a member to be read to its end: one that inflates to more than it declares gives a byte more, or fails.

    zipfile stops silently at the declared size: with one byte more, a stream that inflates to more either gives it or
    fails its checksum.
    """
    longer = copy.copy(member)
    longer.file_size += 1
    return archive.open(longer)


def _entries_announced(file: BinaryIO, what: str) -> int:
    """Return the number of members in the end record, which must be the last 22 bytes (APPNOTE.TXT 4.3.16)."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 22, 0))
    end = file.read(22)
    file.seek(0)
    if file.read(4) not in (b"PK\3\4", b"PK\5\6"):
        raise ValueError(f"it is not {what}")
    if len(end) != 22 or not end.startswith(b"PK\5\6"):
        raise ValueError("it is cut off, or something was appended to it")
    entries: int = struct.unpack("<H", end[10:12])[0]
    return entries


def _count_entries(file: BinaryIO, most: int, things: str) -> None:
    file.seek(0)
    count, carried = 0, b""
    while block := file.read(BLOCK):
        block = carried + block
        count += block.count(b"PK\1\2")
        carried = block[-3:]
        if count > most:
            raise ValueError(f"it holds more than {most} {things}")


def _check_member(member: zipfile.ZipInfo) -> None:
    name = repr(member.filename[:60])
    # Other methods can ask for gigabytes of dictionary; encrypted members ask for a password.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 1:
        raise ValueError(f"{name} is packed in a way that evo never writes")
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise ValueError(f"{name} is a link, or no file at all")
