"""Other processors, as far as this one can stand in for them: OpenBLAS, NumPy and Numba do here what they do there."""

from typing import Any

import numpy as np

_FEATURES: dict[str, Any] = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
_BEYOND_BASELINE: list[str] = np.show_config(mode="dicts")["SIMD Extensions"]["found"]  # type: ignore[call-overload]

# processor → environment variables, and the feature that it needs of this one
_MACHINES: dict[str, tuple[dict[str, str], str]] = {
    "SSE2 alone": (
        {
            "OPENBLAS_CORETYPE": "Prescott",
            "NPY_DISABLE_CPU_FEATURES": " ".join(_BEYOND_BASELINE),
            "NUMBA_CPU_NAME": "x86-64",
        },
        "SSE3",
    ),
    "AVX2": (
        {
            "OPENBLAS_CORETYPE": "Haswell",
            "NPY_DISABLE_CPU_FEATURES": " ".join(set(_BEYOND_BASELINE) - {"X86_V3", "FMA3", "AVX2"}),
            "NUMBA_CPU_NAME": "haswell",
        },
        "AVX2",
    ),
    "AVX-512": ({"OPENBLAS_CORETYPE": "SkylakeX", "NUMBA_CPU_NAME": "skylake-avx512"}, "AVX512_SKX"),
}
MACHINES = [machine for machine, feature in _MACHINES.values() if _FEATURES.get(feature)]

_OTHER_CORES = {"Nehalem": "SSE42", "Sandybridge": "AVX", "Zen": "AVX2"}
OTHER_CORES = [core for core, feature in _OTHER_CORES.items() if _FEATURES.get(feature)]
