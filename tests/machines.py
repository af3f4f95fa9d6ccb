"""Other processors, as far as this one can stand in for them: what OpenBLAS, NumPy and Numba would do there."""

from typing import Any

import numpy as np

_FEATURES: dict[str, Any] = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
_BEYOND_BASELINE: list[str] = np.show_config(mode="dicts")["SIMD Extensions"]["found"]  # type: ignore[call-overload]

# processor of OpenBLAS's → the feature that it needs of this one
_CORES = {
    "Prescott": "SSE3",
    "Nehalem": "SSE42",
    "Sandybridge": "AVX",
    "Haswell": "AVX2",
    "Zen": "AVX2",
    "SkylakeX": "AVX512_SKX",
}
CORES = [core for core, feature in _CORES.items() if _FEATURES.get(feature)]

# processor → environment variables
_MACHINES = {
    "SSE2 alone": {
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": " ".join(_BEYOND_BASELINE),
        "NUMBA_CPU_NAME": "x86-64",
    },
    "AVX2": {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": " ".join(
            name for name in _BEYOND_BASELINE if name not in ("X86_V3", "AVX2", "FMA3")
        ),
        "NUMBA_CPU_NAME": "haswell",
    },
    "AVX-512": {"OPENBLAS_CORETYPE": "SkylakeX", "NUMBA_CPU_NAME": "skylake-avx512"},
}
MACHINES = {name: machine for name, machine in _MACHINES.items() if machine["OPENBLAS_CORETYPE"] in CORES}
