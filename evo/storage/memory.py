"""Available memory, checked before allocation."""

import math
import resource
from pathlib import Path

from evo.errors import EvoError

MOST = 2**40  # bytes: nothing here is meant to be this large, whatever the machine
_SURE = 2**27  # bytes too few to be worth a check
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def check_bytes(what: str, needed: float, remedy: str) -> None:
    """Raise EvoError, its line ending in the remedy, where `what` needs more bytes than are available."""
    if needed <= _SURE:
        return
    if needed > MOST:
        raise EvoError(f"{what}: that needs {size_text(needed)} of memory; {remedy}")
    free = available()
    if needed > free:
        raise EvoError(f"{what}: that needs {size_text(needed)} of memory, and {size_text(free)} are free; {remedy}")


def size_text(count: float) -> str:
    """Format a number of bytes, in powers of ten: `36.7 GB`."""
    power = 0 if count < 1000 else min(int(math.log10(count)) // 3, len(_UNITS) - 1)
    return f"{count / 1000**power:.3g} {_UNITS[power]}"


def available() -> float:
    """Return the bytes this process may still allocate: the least of what machine, control group and process allow."""
    return max(0.0, min(_of_the_machine(), _of_the_group(), _of_the_process()))


def _of_the_machine() -> float:
    found = _number(Path("/proc/meminfo"), "MemAvailable:")
    return math.inf if found is None else 1024 * found


def _of_the_group() -> float:
    """Return the bytes left to the control group (version 2 or 1, as a container sees its own); inf without a limit."""
    group = Path("/sys/fs/cgroup")
    for most, now, statistics, inactive in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
    ):
        limit, used = _number(group / most), _number(group / now)
        if limit is not None and used is not None:
            # the page cache counts as used, but is freed on demand
            return limit - used + (_number(group / statistics, inactive) or 0.0)
    return math.inf


def _of_the_process() -> float:
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    taken = _number(Path("/proc/self/statm"))
    return math.inf if soft == resource.RLIM_INFINITY or taken is None else soft - taken * resource.getpagesize()


def _number(path: Path, after: str = "") -> float | None:
    """Return the first whole number in a system file, after the word `after`; None where there is none."""
    try:
        words = path.read_text().partition(after)[2].split() if after else path.read_text().split()
        return float(int(words[0]))
    except (OSError, ValueError, IndexError):
        return None
