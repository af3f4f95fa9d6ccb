"""What the bits of a score depend on."""

import functools
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from evo.envs.engine.numpy_order import FOUND

_PACKAGES = ("mujoco", "gymnasium", "numpy", "numba", "llvmlite")


@functools.cache
def platform_facts() -> Mapping[str, str]:
    """Return what a score's bits depend on: versions, the processor's features, the arithmetic of libraries."""
    import llvmlite.binding

    features = llvmlite.binding.get_host_cpu_features()
    vectors = sorted(name for name, present in features.items() if present and name.startswith(("avx", "fma", "sse4")))
    facts = {name: version(name) for name in _PACKAGES}
    return facts | {
        "machine": platform.machine(),
        "vectors": " ".join(vectors),
        "libc": " ".join(platform.libc_ver()),  # sines and powers differ between libraries
        "arithmetic": ", ".join(f"{name} {variant}" for name, variant in FOUND.items()),
    }


def processor_name() -> str:
    """Return the name of this machine's processor, or else its architecture. Times depend on it, bits do not."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
