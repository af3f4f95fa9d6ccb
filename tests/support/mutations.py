"""Damage to files: of their bytes, and of what they say; every case is a function of a random generator alone."""

import copy
import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from evo.grammar import parse_toml
from evo.storage.files import read_arrays, write_arrays

Random = np.random.Generator

NUMBERS = [0, 1, -1, 2, 3, 255, 10**6, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 10**400]
FLOATS = [0.0, -0.0, 0.5, -1.5, 1e-320, 1e-9, 1e9, 1e308, -1e308, math.inf, -math.inf, math.nan]
TEXTS = ["", " ", "x", "a" * 5000, "\x1b[31mred\x1b[0m", "\x00", "\n\n", "\ud7ff", "..", "../..", "/", "/dev/zero", "."]
TEXTS += ["linear", "mlp:4", "mlp:" + ",".join(["2"] * 50), "lstm:3", "(" * 80, "mlp:4>" * 40, "dense:2>dense:1"]
TEXTS += ["attention:4", "conv:3x3", "cpg:4", "hebbian:2", "residual(mlp:2)", "embedding:5x2", "flatten", "pool:2"]
TEXTS += ["graph", "graph:2:recurrent", "hyperneat:2", "hyperneat:body", "es-hyperneat:3:recurrent"]
TEXTS += [
    "os:system",
    "os:system:true",
    "helpers:x",
    "gymnasium:CartPole-v1",
    "evo.api.running:run",
    "a:b:c",
    ":",
    "x:",
    "1e5",
]
TEXTS += [
    "cartpole",
    "evo/PointMass-v0",
    "sphere",
    "bbob-f3",
    "xor",
    "ars",
    "cma-es",
    "ppo",
    "adam",
    "return",
    "missing.xml",
]
TABLES: list[Any] = [[], [1], [1.0, 2.0], [2.0, 1.0], ["a"], [[[[]]]], {}, {"a": 1}, {"name": {"name": 1}}, [{}]]
DTYPES = ["<f8", "<f4", ">f8", "<i8", "<u1", "?", "<U3", "<i2", "<f2", "<u8"]


def odd_value(random: Random) -> Any:
    """A value as TOML knows them."""
    pool = random.choice(5)
    if pool == 4:
        return bool(random.integers(2))
    options: list[Any] = [NUMBERS, FLOATS, TEXTS, TABLES][pool]
    return copy.deepcopy(options[random.integers(len(options))])  # what is damaged next may be this very value


def _span(random: Random, size: int) -> tuple[int, int]:
    start = int(random.integers(size + 1))
    return start, min(size, start + int(random.integers(1, 65)))


def damage_bytes(data: bytes, random: Random) -> bytes:
    """Flip bits, cut, repeat, remove, insert, overwrite or move pieces."""
    for _ in range(int(random.geometric(0.6))):
        data = _damaged_once(data, random)
    return data


def _damaged_once(data: bytes, random: Random) -> bytes:
    low, high = _span(random, len(data))
    other, _ = _span(random, len(data))
    piece = data[low:high]
    way = random.choice(9, p=[0.36, 0.08, 0.08, 0.08, 0.08, 0.12, 0.08, 0.06, 0.06])
    if way == 0:
        return (
            data[:low] + bytes(byte ^ (1 << int(random.integers(8))) for byte in data[low : low + 1]) + data[low + 1 :]
        )
    if way == 1:
        return data[:low]
    if way == 2:
        return data[low:]
    if way == 3:
        return data[:low] + data[high:]
    if way == 4:
        return data[:low] + piece + piece + data[high:]
    if way == 5:
        return data[:low] + random.bytes(len(piece)) + data[high:]
    if way == 6:
        return data[:low] + bytes([random.choice([0, 255, 10, 44])]) * len(piece) + data[high:]
    return data[:other] + piece + data[other:] if way == 7 else data + piece


def _places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [place for key, value in items for place in ((*path, key), *_places(value, (*path, key)))]


def damage_tree(tree: dict[str, Any], random: Random, keys: list[str] | None = None) -> dict[str, Any]:
    """Put odd values in the place of others, remove, rename and add some. keys: dotted ones that may be added."""
    for _ in range(int(random.geometric(0.7))):
        places = _places(tree)
        kind = random.choice(4, p=[0.65, 0.1, 0.1, 0.15])
        if kind == 3 or not places:
            dotted = keys[random.integers(len(keys))] if keys else "odd.key"
            *path, name = dotted.split(".")
            branch = tree
            for part in path:
                inner = branch.setdefault(part, {})
                branch = inner if isinstance(inner, dict) else branch
            branch[name] = odd_value(random)
            continue
        place = places[random.integers(len(places))]
        parent: Any = tree
        for part in place[:-1]:
            parent = parent[part]
        value = parent[place[-1]]
        if kind == 0:
            if isinstance(value, int | float) and abs(value) < 1e18 and random.integers(2):
                parent[place[-1]] = [value + 1, -value, value * 1000, value / 3, [value, value]][random.integers(5)]
            else:
                parent[place[-1]] = odd_value(random)
        elif kind == 1:
            del parent[place[-1]]
        elif isinstance(parent, dict):
            parent[str(place[-1]) + "s"] = parent.pop(place[-1])
    return tree


def damage_toml(text: bytes, random: Random, keys: list[str] | None = None) -> bytes:
    """What a TOML file says, or its text."""
    kind = random.choice(4, p=[0.7, 0.2, 0.05, 0.05])
    if kind == 0:
        try:
            return tomli_w.dumps(damage_tree(parse_toml(text.decode()), random, keys)).encode("utf-8", "replace")
        except (ValueError, TypeError):  # a number that TOML does not write
            return damage_bytes(text, random)
    if kind == 2:
        return b"\xef\xbb\xbf" + text
    if kind == 3:
        line = ["a=" + "[" * 3000, "a=" + "9" * 5000, "a." * 1000 + "b=1", "[" + "t." * 300 + "t]", "a=1979-99-99"]
        return text + line[random.integers(len(line))].encode()
    return damage_bytes(text, random)


def _damage_array(array: np.ndarray, random: Random) -> np.ndarray:
    kind = random.integers(7)
    if kind == 0:
        with np.errstate(all="ignore"):
            return array.astype(DTYPES[random.integers(len(DTYPES))])
    if kind == 1:
        return array[..., np.newaxis] if random.integers(2) else array.ravel()[: array.size // 2]
    if kind == 2:
        return np.concatenate([array.ravel(), array.ravel()])
    if kind == 3:
        return np.zeros((0,) if random.integers(2) else (), array.dtype)
    if kind == 4:
        return array[:-1] if array.ndim else np.repeat(array, 3)
    changed = array.copy()
    if changed.size and changed.dtype.kind in "fiu":
        values: list[Any] = (
            FLOATS if changed.dtype.kind == "f" else [np.iinfo(changed.dtype).max, np.iinfo(changed.dtype).min, 0, 1]
        )
        with np.errstate(all="ignore"):
            changed.flat[int(random.integers(changed.size)) if kind == 5 else slice(None)] = values[
                random.integers(len(values))
            ]
    elif changed.size and changed.dtype.kind == "b":
        changed = ~changed
    return changed


def _packed(arrays: Mapping[str, np.ndarray], random: Random) -> bytes:
    """As other programs pack an .npz file: not compressed, or otherwise, with 64-bit sizes, in another order."""
    target, names = io.BytesIO(), list(arrays)
    random.shuffle(names)
    method = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA][random.integers(4)]
    with zipfile.ZipFile(target, "w", method) as archive:
        for name in names:
            with archive.open(f"{name}.npy", "w", force_zip64=bool(random.integers(2))) as member:
                np.lib.format.write_array(member, np.asarray(arrays[name]), allow_pickle=False)
        if random.integers(2):
            archive.writestr("readme.txt" if random.integers(2) else "extra.npy", b"not an array")
    return target.getvalue()


def damage_arrays(data: bytes, folder: Path, random: Random) -> bytes:
    """What an .npz file holds, or its bytes."""
    if random.random() < 0.3:
        return damage_bytes(data, random)
    path = folder / "damaged.npz"
    path.write_bytes(data)
    arrays = read_arrays(path)
    if random.random() < 0.1:
        return _packed(arrays, random)
    for _ in range(int(random.geometric(0.7))):
        names = list(arrays)
        if not names:
            break
        name, other = (names[random.integers(len(names))] for _ in range(2))
        kind = random.choice(6, p=[0.55, 0.1, 0.1, 0.1, 0.05, 0.1])
        about = [each for each in names if each.endswith("about")]
        if about and random.random() < 0.5:
            text = damage_toml(arrays[about[0]].tobytes(), random)
            arrays[about[0]] = np.frombuffer(text, np.uint8)
        elif kind == 0:
            arrays[name] = _damage_array(arrays[name], random)
        elif kind == 1:
            del arrays[name]
        elif kind == 2:
            arrays[name], arrays[other] = arrays[other], arrays[name]
        elif kind == 3:
            arrays[f"{name}s"] = arrays.pop(name)
        elif kind == 4:
            arrays["odd"] = np.zeros(3)
        else:
            arrays[name] = np.frombuffer(damage_bytes(arrays[name].tobytes(), random), np.uint8)
    try:
        write_arrays(path, arrays)
    except TypeError:  # a dtype of no file
        return damage_bytes(data, random)
    return path.read_bytes()


def damage_table(data: bytes, random: Random) -> bytes:
    """Cells, lines and columns of a CSV file, or its bytes."""
    if random.random() < 0.3:
        return damage_bytes(data, random)
    lines = [line.split(",") for line in data.decode().split("\n")]
    for _ in range(int(random.geometric(0.6))):
        line = lines[random.integers(len(lines))]
        kind = random.integers(7)
        if kind < 3:
            line[random.integers(len(line))] = (
                str(odd_value(random)).replace("\n", " ") if random.integers(2) else "nan"
            )
        elif kind == 3:
            line.append("1")
        elif kind == 4:
            line.pop()
            line.extend([] if line else [""])
        elif kind == 5:
            lines.insert(int(random.integers(len(lines))), list(line) * int(random.choice([1, 2, 400])))
        else:
            lines.remove(line)
            lines.extend([] if lines else [[""]])
    return "\n".join(",".join(line) for line in lines).encode("utf-8", "replace")
