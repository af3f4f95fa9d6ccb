"""Available memory, checked before allocation."""

import math
import resource
from pathlib import Path

from evo.errors import EvoError

MOST = 2**40  # bytes: whatever the machine, nothing here is meant to be this large
_SURE = 2**27  # bytes that are not worth the asking
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def check_bytes(what: str, needed: float, remedy: str) -> None:
    """Raises EvoError, in a line that ends in the remedy, where `what` needs more bytes than there are."""
    if needed <= _SURE:
        return
    if needed > MOST:
        raise EvoError(f"{what}: that needs {size_text(needed)} of memory; {remedy}")
    free = available()
    if needed > free:
        raise EvoError(f"{what}: that needs {size_text(needed)} of memory, and {size_text(free)} are free; {remedy}")


def size_text(count: float) -> str:
    """`36.7 GB`, in powers of ten."""
    power = 0 if count < 1000 else min(int(math.log10(count)) // 3, len(_UNITS) - 1)
    return f"{count / 1000**power:.3g} {_UNITS[power]}"


def available() -> float:
    """Bytes that this process may still take: of the machine, of its control group, of its own limit."""
    return max(0.0, min(_of_the_machine(), _of_the_group(), _of_the_process()))


def _of_the_machine() -> float:
    found = _number(Path("/proc/meminfo"), "MemAvailable:")
    return math.inf if found is None else 1024 * found


def _of_the_group() -> float:
    """Of control groups, version 2 or 1, as a container sees its own."""
    group = Path("/sys/fs/cgroup")
    for most, now, statistics, inactive in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
    ):
        limit, used = _number(group / most), _number(group / now)
        if limit is not None and used is not None:
            # files that the system keeps in memory count as used, and go where there is need
            return limit - used + (_number(group / statistics, inactive) or 0.0)
    return math.inf


def _of_the_process() -> float:
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    taken = _number(Path("/proc/self/statm"))
    return math.inf if soft == resource.RLIM_INFINITY or taken is None else soft - taken * resource.getpagesize()


def _number(path: Path, after: str = "") -> float | None:
    """The first whole number in a file of the system's, behind a word; None where there is none."""
    try:
        words = path.read_text().partition(after)[2].split() if after else path.read_text().split()
        return float(int(words[0]))
    except (OSError, ValueError, IndexError):
        return None
