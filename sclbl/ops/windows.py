"""Operators that move a window over pictures: convolution and pooling.

A row is a picture ``[channels, height, width]``. Attributes are those of ONNX, all of them written
out: ``kernel_shape``, ``strides``, ``dilations``, ``pads`` (top, left, bottom, right), ``group``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sclbl.errors import SpecError
from sclbl.ops.packing import Window, band, pack_filters
from sclbl.ops.record import (
    FLOATS,
    Array,
    Attrs,
    Emitter,
    Op,
    Operand,
    Read,
    Reading,
    Shape,
    Typed,
    fail,
    has_attrs,
    has_inputs,
    no_more,
    rank_of,
    reshaped,
    same_type,
    tensor,
)
from sclbl.signature import DType
from sclbl.spec import Node

#: Weights of a convolution at most, repeated for each of several pictures that are one row.
MOST_REPEATED = 2**24

_LISTS = {"kernel_shape": 2, "strides": 2, "dilations": 2, "pads": 4}


def _planes(node: Node, x: Operand) -> Shape:
    if len(x.shape) != 3:
        raise fail(node, f"takes rows [channels, height, width]; these have shape {x.shape}")
    return x.shape


def _window(node: Node) -> dict[str, tuple[int, ...]]:
    """Return the attributes of the window, checked."""
    found: dict[str, tuple[int, ...]] = {}
    for name, count in _LISTS.items():
        value = node.attrs.get(name)
        least = 0 if name == "pads" else 1
        if (
            not isinstance(value, tuple)
            or len(value) != count
            or any(type(v) is not int or not least <= v < 1 << 20 for v in value)
        ):
            raise fail(node, f"has {name} of {value!r}; it takes {count} numbers from {least} on")
        found[name] = value
    return found


def _moved(node: Node, shape: Shape) -> tuple[int, int]:
    """Return rows and columns of the result."""
    a = _window(node)
    found = []
    for axis in (0, 1):
        padded = shape[1 + axis] + a["pads"][axis] + a["pads"][2 + axis]
        reach = (a["kernel_shape"][axis] - 1) * a["dilations"][axis]
        found.append((padded - reach - 1) // a["strides"][axis] + 1)
    if min(found) < 1:
        raise fail(node, f"has a window {a['kernel_shape']} larger than rows of shape {shape}")
    return found[0], found[1]


def _windows(x: Array, attrs: Attrs, fill: float) -> Array:
    """Return every window, ``[rows, channels, oh, ow, kh, kw]``, `fill` around the pictures."""
    top, left, bottom, right = attrs["pads"]
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    (kh, kw), (dy, dx), (sy, sx) = attrs["kernel_shape"], attrs["dilations"], attrs["strides"]
    reach = ((kh - 1) * dy + 1, (kw - 1) * dx + 1)
    views = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(2, 3))
    return np.asarray(views[:, :, ::sy, ::sx, ::dy, ::dx])


# ------------------------------------------------------------------- convolution


def _conv_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 3)
    x, w, bias = tensor(node, xs[0], FLOATS), xs[1].constant, xs[2].constant
    group = node.attrs.get("group")
    has_attrs(node, group=group, **_window(node))
    channels = _planes(node, x)[0]
    fits = (
        w is not None
        and bias is not None
        and isinstance(group, int)
        and group > 0
        and w.ndim == 4
        and w.shape[0] > 0
        and w.shape[0] % group == 0
        and w.shape[1] * group == channels
        and w.shape[2:] == node.attrs["kernel_shape"]
        and bias.shape == w.shape[:1]
    )
    if not fits or w is None:
        raise fail(node, f"takes constant filters of {channels} channels, and a bias for each")
    return [(same_type(node, xs, FLOATS), (w.shape[0], *_moved(node, x.shape)))]


def _conv(attrs: Attrs, x: Array, w: Array, bias: Array) -> Array:
    group = attrs["group"]
    parts = []
    for views, filters in zip(
        np.split(_windows(x, attrs, 0), group, axis=1), np.split(w, group), strict=True
    ):
        parts.append(np.einsum("nchwij,fcij->nfhw", views, filters, optimize=True))
    return np.asarray(np.concatenate(parts, axis=1) + bias[:, None, None], dtype=x.dtype)


def _conv_lower(e: Emitter, node: Node) -> None:
    name, weights, bias = node.inputs
    a = node.attrs
    channels, h, w = e.shape(name)
    filters, oh, ow = e.shape(node.outputs[0])
    (kh, kw), (sy, sx), (dy, dx) = a["kernel_shape"], a["strides"], a["dilations"]
    top, left = a["pads"][:2]
    rows, columns = Window(kh, sy, dy, top), Window(kw, sx, dx, left)
    most, size = band(channels // a["group"], rows, columns, (oh, ow), e.item(name))
    packed = pack_filters(np.asarray(e.constant(weights)), a["group"])
    sizes = (channels, h, w, filters, kh, kw, sy, sx, dy, dx, top, left, oh, ow, a["group"], most)
    e.call(
        f"conv_2d_{e.suffix(name)}",
        e.output(node),
        e.pointer(name),
        e.weight(packed),
        e.pointer(bias),
        e.workspace(size),
        "i32 %m",
        *(f"i32 {n}" for n in sizes),
        # The compiler lets a Relu that follows be the convolution's own.
        f"i32 {int(a.get('relu', 0))}",
    )


def _pictures(r: Reading, name: str, op: str, out: str) -> tuple[str, int, Shape]:
    """Return pictures, how many a row has, and the shape of one; the planes of all lie in a row.

    Where the whole tensor is one row, it is ``[pictures, channels, height, width]``.
    """
    shape = r.shape(name, op)
    if rank_of(r, name, op) != 4:
        raise SpecError(
            f"operator {op} takes pictures [rows, channels, height, width]; these rows have shape "
            f"{shape}"
        )
    if r.lead:
        return name, 1, shape
    count, channels, *plane = shape
    return (
        reshaped(r, name, [count * channels, *plane], f"{out}_planes"),
        count,
        (channels, *plane),
    )


def _given_back(r: Reading, made: str, count: int, op: str, out: str) -> None:
    """Let the planes of all pictures be those of each again."""
    if not r.lead:
        planes, *plane = r.shape(made, op)
        reshaped(r, made, [count, planes // count, *plane], out)


def _pads(op: str, attrs: dict[str, Any], shape: Shape) -> tuple[int, ...]:
    """Take ``auto_pad`` and ``pads``, and return what lies around the pictures."""
    auto = attrs.pop("auto_pad", "NOTSET")
    pads = tuple(attrs.pop("pads", (0, 0, 0, 0)))
    if auto in ("NOTSET", "VALID"):
        return pads if auto == "NOTSET" else (0, 0, 0, 0)
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        raise SpecError(f"operator {op} has auto_pad {auto!r}, which is not known")
    before, after = [], []
    for axis in (0, 1):
        reach = (attrs["kernel_shape"][axis] - 1) * attrs["dilations"][axis] + 1
        steps = -(-shape[1 + axis] // attrs["strides"][axis])
        total = max((steps - 1) * attrs["strides"][axis] + reach - shape[1 + axis], 0)
        small, large = total // 2, total - total // 2
        before.append(small if auto == "SAME_UPPER" else large)
        after.append(large if auto == "SAME_UPPER" else small)
    return (*before, *after)


def _conv_read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
    name, count, shape = _pictures(r, inputs[0], "Conv", out)
    w = r.array(inputs, 1, "Conv")
    attrs = {"kernel_shape": w.shape[2:], "strides": (1, 1), "dilations": (1, 1), **attrs}
    pads = _pads("Conv", attrs, shape)
    group = attrs.pop("group", 1)
    if len(inputs) > 2 and inputs[2]:
        bias = r.array(inputs, 2, "Conv")
    else:
        bias = np.zeros(w.shape[0], dtype=w.dtype)
    if count > 1:
        # The pictures are groups of one picture, each with the filters of its own.
        if count * w.size > MOST_REPEATED:
            raise SpecError(
                f"operator Conv has {w.size:,} weights for each of {count} pictures of one row; "
                "sclbl takes them where the pictures are rows: give the file's first axis a name "
                "in place of a number, and let no operator mix the pictures"
            )
        w, bias, group = np.tile(w, (count, 1, 1, 1)), np.tile(bias, count), group * count
    made = out if r.lead else f"{out}_made"
    given = [name, r.constant(w, w.dtype), r.constant(bias, bias.dtype)]
    r.node("Conv", given, made, **attrs, pads=pads, group=group)
    _given_back(r, made, count, "Conv", out)


Conv = Op("Conv", _conv_infer, _conv, _conv_lower, FLOATS, read=_conv_read)


# ----------------------------------------------------------------------- pooling


def _pool_infer(node: Node, xs: Sequence[Operand]) -> Typed:
    has_inputs(node, xs, 1)
    x = tensor(node, xs[0], FLOATS)
    more = {"count_include_pad"} if node.op == "AveragePool" else set()
    window = _window(node)
    has_attrs(node, **window, **{name: node.attrs.get(name) for name in more})
    if any(node.attrs[name] not in (0, 1) for name in more):
        raise fail(node, "has count_include_pad that is neither 0 nor 1")
    shape = _planes(node, x)
    return [(same_type(node, [x], FLOATS), (shape[0], *_moved(node, shape)))]


def _max_pool(attrs: Attrs, x: Array) -> Array:
    return np.asarray(_windows(x, attrs, -np.inf).max(axis=(4, 5)))


def _average_pool(attrs: Attrs, x: Array) -> Array:
    total = _windows(x, attrs, 0).sum(axis=(4, 5), dtype=np.float64)
    if attrs["count_include_pad"]:
        count: Any = math.prod(attrs["kernel_shape"])
    else:
        count = _windows(np.ones_like(x[:1]), attrs, 0).sum(axis=(4, 5))
    return np.asarray(total / count, dtype=x.dtype)


def _pool_lower(e: Emitter, node: Node) -> None:
    (name,) = node.inputs
    a = node.attrs
    channels, h, w = e.shape(name)
    _, oh, ow = e.shape(node.outputs[0])
    kind = "max" if node.op == "MaxPool" else "average"
    sizes = [h, w, *a["kernel_shape"], *a["strides"], *a["dilations"], *a["pads"][:2], oh, ow]
    if kind == "average":
        sizes += [*a["pads"][2:], a["count_include_pad"]]
    e.call(
        f"pool_{kind}_{e.suffix(name)}",
        e.output(node),
        e.pointer(name),
        e.cells(channels),
        *(f"i32 {n}" for n in sizes),
    )


def _pool_read(op: str) -> Read:
    def read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
        name, count, shape = _pictures(r, inputs[0], op, out)
        attrs = {"strides": (1, 1), "dilations": (1, 1), **attrs}
        if "kernel_shape" not in attrs:
            raise SpecError(f"operator {op} has no kernel_shape")
        if attrs.pop("storage_order", 0) or len(r.outputs) > 1:
            raise SpecError(f"operator {op} gives the places of its maxima, which sclbl does not")
        up = attrs.pop("ceil_mode", 0)
        counted = {"count_include_pad": attrs.pop("count_include_pad", 0)}
        pads = list(_pads(op, attrs, shape))
        for axis in (0, 1) if up else ():
            # A last window that begins inside the picture, or in what is added before it, counts.
            reach = (attrs["kernel_shape"][axis] - 1) * attrs["dilations"][axis] + 1
            stride, size = attrs["strides"][axis], shape[1 + axis]
            steps = -(-(size + pads[axis] + pads[2 + axis] - reach) // stride)
            steps -= steps * stride >= size + pads[axis]
            if (
                counted["count_include_pad"]
                and steps * stride + reach > size + pads[axis] + (pads[2 + axis])
            ):
                raise SpecError(
                    f"operator {op} rounds up (ceil_mode) and counts what lies beyond the "
                    "pictures, which is not supported; pad explicitly"
                )
            pads[2 + axis] = max(pads[2 + axis], steps * stride + reach - size - pads[axis])
        more = counted if op == "AveragePool" else {}
        made = out if r.lead else f"{out}_made"
        r.node(op, [name], made, **attrs, pads=tuple(pads), **more)
        _given_back(r, made, count, op, out)

    return read


MaxPool = Op(
    "MaxPool", _pool_infer, _max_pool, _pool_lower, FLOATS, read=_pool_read("MaxPool"), exact=True
)
AveragePool = Op(
    "AveragePool", _pool_infer, _average_pool, _pool_lower, FLOATS, read=_pool_read("AveragePool")
)


def _global(name: str, kind: str, function: Callable[..., Array], *, exact: bool = False) -> Op:
    def infer(node: Node, xs: Sequence[Operand]) -> Typed:
        has_inputs(node, xs, 1)
        has_attrs(node)
        x = tensor(node, xs[0], FLOATS)
        if len(x.shape) < 2:
            raise fail(node, f"takes rows [channels, ...]; these have shape {x.shape}")
        dtype: DType = same_type(node, [x], FLOATS)
        return [(dtype, (x.shape[0], *(1,) * (len(x.shape) - 1)))]

    def lower(e: Emitter, node: Node) -> None:
        (x,) = node.inputs
        channels = e.shape(x)[0]
        kernel = f"pool_global_{kind}_{e.suffix(x)}"
        many = e.cells(channels)
        e.call(kernel, e.output(node), e.pointer(x), many, f"i32 {e.width(x) // channels}")

    def define(attrs: Attrs, x: Array) -> Array:
        axes = tuple(range(2, x.ndim))
        return np.asarray(function(x, axis=axes, keepdims=True), dtype=x.dtype)

    def read(r: Reading, inputs: list[str], out: str, attrs: dict[str, Any]) -> None:
        no_more(name, attrs)
        if r.lead:
            r.node(name, inputs, out)
            return
        shape = r.shape(inputs[0], name)
        if len(shape) < 3:
            raise SpecError(f"operator {name} takes [pictures, channels, ...], not {list(shape)}")
        count, channels, *plane = shape
        planes = reshaped(r, inputs[0], [count * channels, *plane], f"{out}_planes")
        r.node(name, [planes], f"{out}_made")
        _given_back(r, f"{out}_made", count, name, out)

    return Op(name, infer, define, lower, FLOATS, read=read, exact=exact)


def _mean(x: Array, **how: Any) -> Array:
    return np.asarray(x.mean(dtype=np.float64, **how))


GlobalAveragePool = _global("GlobalAveragePool", "average", _mean)
GlobalMaxPool = _global("GlobalMaxPool", "max", np.max, exact=True)
