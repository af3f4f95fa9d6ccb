"""MuJoCo's C structs in compiled code: `data.qpos`, `model.body_mass`, `model.opt.timestep` as in Python.

Field offsets come from the declarations in MuJoCo's own wheel (`mujoco.introspect`). Scanning memory for a field's
address would be wrong: empty fields alias their neighbours. `check_layout` compares every array with Python's binding.

An attribute of a struct in compiled code is a number, a struct, or a C-contiguous array view (no copy). Array lengths
are read from the model at run time, so kernels are compiled once for all models.
"""

import ctypes
import functools
import math
from typing import Any

import mujoco
import numpy as np
from llvmlite import ir
from mujoco.introspect import ast_nodes
from mujoco.introspect.enums import ENUMS
from mujoco.introspect.structs import STRUCTS
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models, register_default
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic

_SCALARS = {
    "int": types.int32,
    "mjtNum": types.float64,
    "double": types.float64,
    "float": types.float32,
    "mjtByte": types.uint8,
    "mjtBool": types.uint8,
    "char": types.int8,
    "mjtSize": types.int64,
    "int64_t": types.int64,
    "size_t": types.uint64,
    "uint64_t": types.uint64,
    "uintptr_t": types.uint64,
}


def _size_and_alignment(kind: Any) -> tuple[int, int]:
    if isinstance(kind, ast_nodes.PointerType):
        return 8, 8
    if isinstance(kind, ast_nodes.ArrayType):
        size, alignment = _size_and_alignment(kind.inner_type)
        return size * math.prod(kind.extents), alignment
    if isinstance(kind, ast_nodes.AnonymousStructDecl):
        return _layout(kind.fields)[1:]
    if kind.name in _SCALARS:
        size = _SCALARS[kind.name].bitwidth // 8
        return size, size
    return (4, 4) if kind.name in ENUMS else layout(kind.name)[1:]


@functools.cache
def layout(struct: str) -> tuple[dict[str, int], int, int]:
    """Return field offsets, size and alignment in bytes of a C struct, by the rules of the x86-64 and AArch64 ABIs."""
    return _layout(STRUCTS[struct].fields)


def _layout(fields: Any) -> tuple[dict[str, int], int, int]:
    offsets, at, widest = {}, 0, 1
    for field in fields:
        size, alignment = _size_and_alignment(field.type)
        at = -(-at // alignment) * alignment
        offsets[field.name] = at
        at, widest = at + size, max(widest, alignment)
    return offsets, -(-at // widest) * widest, widest


class Struct(types.Type):
    """A MuJoCo C struct: its address, and the address of the model whose sizes shape its arrays."""

    def __init__(self, name: str) -> None:
        self.struct = name
        super().__init__(name=f"Struct({name})")

    @property
    def offsets(self) -> dict[str, int]:
        return layout(self.struct)[0]

    @property
    def fields(self) -> dict[str, Any]:
        return _fields(self.struct)


@functools.cache
def _fields(struct: str) -> dict[str, Any]:
    return {field.name: field for field in STRUCTS[struct].fields}


@register_default(Struct)
class _StructModel(models.StructModel):
    def __init__(self, manager: Any, kind: Struct) -> None:
        super().__init__(manager, kind, [("address", types.intp), ("model", types.intp)])


MODEL = Struct("mjModel")
DATA = Struct("mjData")
_NESTED = {"mjOption": Struct("mjOption")}


def _field_type(struct: Struct, name: str) -> Any:
    """Return the Numba type of a field, or None where kernels cannot use it."""
    field = struct.fields.get(name)
    if field is None:
        return None
    kind = field.type
    if isinstance(kind, ast_nodes.PointerType):
        item = _SCALARS.get(getattr(kind.inner_type, "name", ""))
        return types.Array(item, len(field.array_extent), "C") if item is not None and field.array_extent else None
    if isinstance(kind, ast_nodes.ArrayType):
        item = _SCALARS.get(getattr(kind.inner_type, "name", ""))
        return types.Array(item, len(kind.extents), "C") if item is not None else None
    if kind.name in ENUMS:
        return types.int32
    return _SCALARS.get(kind.name) or _NESTED.get(kind.name)


@infer_getattr
class _StructAttributes(AttributeTemplate):
    key = Struct

    def generic_resolve(self, struct: Struct, name: str) -> Any:
        return _field_type(struct, name)


def _pointer(builder: Any, address: Any, offset: int, item: ir.Type) -> Any:
    return builder.inttoptr(builder.add(address, address.type(offset)), item.as_pointer())


def _extent(context: Any, builder: Any, model: Any, extent: str | int) -> Any:
    """Return one length of an array: a number, a MuJoCo constant, or a size in the model."""
    intp = context.get_value_type(types.intp)
    text = str(extent)
    if text.isdigit():
        return intp(int(text))
    if text.startswith("mj"):
        return intp(int(getattr(mujoco, text)))
    size = MODEL.fields[text].type.name
    item = context.get_value_type(_SCALARS[size])
    value = builder.load(_pointer(builder, model, MODEL.offsets[text], item))
    return builder.sext(value, intp) if item.width < intp.width else value


@lower_getattr_generic(Struct)
def _lower_attribute(context: Any, builder: Any, struct: Struct, value: Any, name: str) -> Any:
    proxy = cgutils.create_struct_proxy(struct)(context, builder, value=value)
    field, kind, offset = struct.fields[name], _field_type(struct, name), struct.offsets[name]
    if isinstance(kind, Struct):
        nested = cgutils.create_struct_proxy(kind)(context, builder)
        nested.address, nested.model = builder.add(proxy.address, proxy.address.type(offset)), proxy.model
        return nested._getvalue()
    if not isinstance(kind, types.Array):
        return builder.load(_pointer(builder, proxy.address, offset, context.get_value_type(kind)))
    item = context.get_data_type(kind.dtype)
    if isinstance(field.type, ast_nodes.PointerType):
        first = builder.load(_pointer(builder, proxy.address, offset, item.as_pointer()))
        extents = field.array_extent
    else:
        first, extents = _pointer(builder, proxy.address, offset, item), field.type.extents
    shape = [_extent(context, builder, proxy.model, extent) for extent in extents]
    itemsize = shape[0].type(kind.dtype.bitwidth // 8)
    strides = [itemsize]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    array = context.make_array(kind)(context, builder)
    context.populate_array(array, data=first, shape=shape, strides=strides, itemsize=itemsize, meminfo=None)
    return array._getvalue()


def _view(kind: Struct) -> Any:
    def build(typing: Any, model: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            proxy = cgutils.create_struct_proxy(kind)(context, builder)
            proxy.model, proxy.address = arguments
            return proxy._getvalue()

        return kind(types.intp, types.intp), codegen

    return build


@intrinsic
def model_at(typing: Any, address: Any) -> Any:
    """Return the mjModel at an address."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _view(MODEL)(typing, address, address)[1](context, builder, signature, [arguments[0], arguments[0]])

    return MODEL(types.intp), codegen


@intrinsic
def data_at(typing: Any, model: Any, address: Any) -> Any:
    """Return the mjData at an address, its arrays shaped by the mjModel at `model`."""
    return _view(DATA)(typing, model, address)


@intrinsic
def address_of(typing: Any, struct: Any) -> Any:
    """Return the address of a struct, or of a task's record."""
    if isinstance(struct, types.Record):
        return types.intp(struct), lambda context, builder, signature, arguments: builder.ptrtoint(
            arguments[0], context.get_value_type(types.intp)
        )
    if not isinstance(struct, Struct):
        return None

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return cgutils.create_struct_proxy(signature.args[0])(context, builder, value=arguments[0]).address

    return types.intp(struct), codegen


@intrinsic
def contact_geom(typing: Any, data: Any, contact: Any, side: Any) -> Any:
    """Return the geom on one side (0 or 1) of one of an mjData's `ncon` contacts (mjContact.geom)."""
    offset, size = layout("mjContact")[0]["geom"], layout("mjContact")[1]

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = cgutils.create_struct_proxy(DATA)(context, builder, value=arguments[0]).address
        word, item = ir.IntType(64), ir.IntType(32)
        first = builder.load(_pointer(builder, address, DATA.offsets["contact"], word))
        contact, side = arguments[1:]
        at = builder.add(builder.mul(contact, word(size)), builder.mul(side, word(4)))
        return builder.load(_pointer(builder, builder.add(first, at), offset, item))

    return types.int32(DATA, types.int64, types.int64), codegen


@intrinsic
def warning_count(typing: Any, data: Any) -> Any:
    """Return the total of an mjData's warning counters (mjWarningStat.number): zero for a healthy simulation."""
    number, size = layout("mjWarningStat")[0]["number"], layout("mjWarningStat")[1]
    count = DATA.fields["warning"].type.extents[0]

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = cgutils.create_struct_proxy(DATA)(context, builder, value=arguments[0]).address
        item, total = ir.IntType(32), ir.IntType(32)(0)
        for index in range(count):
            at = DATA.offsets["warning"] + index * size + number
            total = builder.add(total, builder.load(_pointer(builder, address, at, item)))
        return total

    return types.int32(DATA), codegen


def check_layout(model: mujoco.MjModel) -> list[str]:
    """Return the names of mjModel and mjData arrays whose computed address differs from that in Python's bindings."""
    wrong = []
    for struct, owner in ((MODEL, model), (DATA, mujoco.MjData(model))):
        for name, field in struct.fields.items():
            array = getattr(owner, name, None)
            is_pointer = isinstance(field.type, ast_nodes.PointerType)
            if not is_pointer or not isinstance(array, np.ndarray) or array.size == 0:
                continue
            stored = ctypes.c_int64.from_address(owner._address + struct.offsets[name]).value
            # a null pointer is an arena array that has not been filled
            if stored and stored != array.ctypes.data:
                wrong.append(f"{struct.struct}.{name}")
    return wrong
