"""Matrix products in compiled code: scipy's sgemm and dgemm on row-major matrices.

BLAS is for updates only: its bits depend on the processor, and nothing from parameters to fitness may use it.
"""

import ctypes
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from scipy.linalg import cython_blas

from evo.envs.engine.compile import njit

_NAMES = {types.float32: "evo_sgemm", types.float64: "evo_dgemm"}


def _address(name_of_blas: str) -> int:
    capsule = cython_blas.__pyx_capi__[name_of_blas]
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    content = ctypes.pythonapi.PyCapsule_GetPointer
    content.restype, content.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(content(capsule, name(capsule)))


for _name in _NAMES.values():  # before cached code that refers to it is loaded
    llvmlite.binding.add_symbol(_name, _address(_name.removeprefix("evo_")))


@intrinsic
def _gemm(
    typing: Any, turn_a: Any, turn_b: Any, m: Any, n: Any, k: Any, a: Any, lda: Any, b: Any, ldb: Any, c: Any, ldc: Any
) -> Any:
    """Add op(a) op(b) to c (m, n), column-major as in BLAS; turn_a, turn_b: 1 to transpose."""

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        byte, word = ir.IntType(8), ir.IntType(32)
        kind = signature.args[9].dtype
        real = context.get_value_type(kind)

        def letter(turned: Any) -> Any:
            chosen = builder.select(builder.icmp_signed("!=", turned, turned.type(0)), byte(ord("T")), byte(ord("N")))
            return cgutils.alloca_once_value(builder, chosen)

        def number(value: Any) -> Any:
            return cgutils.alloca_once_value(builder, builder.trunc(value, word))

        def start(place: int) -> Any:
            return context.make_array(signature.args[place])(context, builder, values[place]).data

        one = cgutils.alloca_once_value(builder, real(1.0))
        m, n, k = (number(value) for value in values[2:5])
        first, second = (start(5), number(values[6])), (start(7), number(values[8]))
        third = (start(9), number(values[10]))
        arguments = [letter(values[0]), letter(values[1]), m, n, k, one, *first, *second, one, *third]
        called = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
        builder.call(cgutils.get_or_insert_function(builder.module, called, _NAMES[kind]), arguments)
        return context.get_dummy_value()

    size = types.int64
    return types.void(size, size, size, size, size, a, size, b, size, c, size), codegen


# BLAS sees a row-major matrix as its transpose, so each product below asks for the transposed one, factors swapped.


@njit
def add_product(a: Any, b: Any, c: Any, m: int, k: int, n: int) -> None:
    """Add a (m, k) b (k, n) to c (m, n); flat arrays of one type."""
    _gemm(0, 0, n, m, k, b, n, a, k, c, n)


@njit
def add_product_turned_second(a: Any, b: Any, c: Any, m: int, k: int, n: int) -> None:
    """Add a (m, k) bᵀ to c (m, n), with b (n, k); flat arrays of one type."""
    _gemm(1, 0, n, m, k, b, k, a, k, c, n)


@njit
def add_product_turned_first(a: Any, b: Any, c: Any, m: int, k: int, n: int) -> None:
    """Add aᵀ b to c (m, n), with a (k, m) and b (k, n); flat arrays of one type."""
    _gemm(0, 1, n, m, k, b, n, a, m, c, n)


# The same for blocks of wider matrices: by_a, by_b and by_c are the distances between rows.


@njit
def add_part_product(a: Any, by_a: int, b: Any, by_b: int, c: Any, by_c: int, m: int, k: int, n: int) -> None:
    """Add a (m, k) b (k, n) to c (m, n)."""
    _gemm(0, 0, n, m, k, b, by_b, a, by_a, c, by_c)


@njit
def add_part_product_turned_second(
    a: Any, by_a: int, b: Any, by_b: int, c: Any, by_c: int, m: int, k: int, n: int
) -> None:
    """Add a (m, k) bᵀ to c (m, n), with b (n, k)."""
    _gemm(1, 0, n, m, k, b, by_b, a, by_a, c, by_c)


@njit
def add_part_product_turned_first(
    a: Any, by_a: int, b: Any, by_b: int, c: Any, by_c: int, m: int, k: int, n: int
) -> None:
    """Add aᵀ b to c (m, n), with a (k, m) and b (k, n)."""
    _gemm(0, 1, n, m, k, b, by_b, a, by_a, c, by_c)
