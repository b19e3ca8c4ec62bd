"""One strategy for each public op: which shapes, axes, strides, indices and options hypothesis may draw."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import hypothesis.extra.numpy as npst
import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from minidl import ops
from tests.gradchecks.draw import Drawn, apart, normal, positive, quotients, seeds, wide

Draw = Callable[[st.SearchStrategy[Any]], Any]
Values = Callable[..., list[np.ndarray]]

LONGEST = 3

# Left to itself, hypothesis makes half of the arrays empty and most others one number: they show nothing.
SIDES = (3, 2, 1, 2, 3, 2, 3, 1, 2, 3, 3, 2, 0)
NOW_AND_THEN = st.sampled_from([False] * 5 + [True])


def sides(least: int = 0) -> st.SearchStrategy[int]:
    return st.sampled_from([n for n in SIDES if n >= least])


@st.composite
def shapes(draw: Draw, least: int = 0, side: int = 0, most: int = 3) -> tuple[int, ...]:
    """From 0-d to 3-d, with axes of length 1 and, unless `side` forbids, now and then of length 0."""
    dimensions = draw(st.sampled_from([*range(most, least - 1, -1), *range(max(least, 2), most + 1)]))
    return tuple(draw(sides(side)) for _ in range(dimensions))


@st.composite
def broadcasting(draw: Draw, count: int) -> Any:
    """Shapes that broadcast together, each of them the larger or the smaller one, or both at once."""
    least = 0 if draw(NOW_AND_THEN) else 1
    return draw(npst.mutually_broadcastable_shapes(
        num_shapes=count, max_dims=3, max_side=LONGEST, min_side=least
    ))


@st.composite
def unary(draw: Draw, name: str, values: Values = normal) -> Drawn:
    return Drawn(getattr(ops, name), values(draw(seeds), draw(shapes())), name)


@st.composite
def binary(draw: Draw, name: str, values: Values = normal) -> Drawn:
    pair = draw(broadcasting(2)).input_shapes
    return Drawn(getattr(ops, name), values(draw(seeds), *pair), name)


@st.composite
def divide(draw: Draw) -> Drawn:
    first, second = draw(broadcasting(2)).input_shapes
    seed = draw(seeds)
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], second)
    return Drawn(ops.divide, [*normal(seed, first), positive(seed, second)[0] * sign], "divide")


@st.composite
def power(draw: Draw) -> Drawn:
    if draw(st.booleans()):
        return draw(binary("power", positive))
    exponent = draw(st.sampled_from([-2, -1, 0, 1, 2, 3, 0.5]))
    (a,) = positive(draw(seeds), draw(shapes()))
    if exponent != 0.5:
        a = a * np.random.default_rng(draw(seeds)).choice([-1.0, 1.0], a.shape)
    return Drawn(lambda x: ops.power(x, exponent), [a], f"power {exponent}")


@st.composite
def where(draw: Draw) -> Drawn:
    third, *pair = draw(broadcasting(3)).input_shapes
    condition = np.random.default_rng(draw(seeds)).random(third) < 0.5
    condition = np.asarray(condition)
    return Drawn(lambda x, y: ops.where(condition, x, y), normal(draw(seeds), *pair), f"where {third}")


@st.composite
def clip(draw: Draw) -> Drawn:
    low, high = sorted([draw(st.integers(-9, 9)) * 0.07 for _ in range(2)])     # values lie between these
    low, high = draw(st.sampled_from([(low, high), (None, high), (low, None)]))
    arrays = apart(draw(seeds), draw(shapes()))
    return Drawn(lambda x: ops.clip(x, low, high), arrays, f"clip {low}, {high}")


@st.composite
def leaky_relu(draw: Draw) -> Drawn:
    slope = draw(st.sampled_from([0.01, 0.0, 0.3, -0.5, 2.0]))
    return Drawn(lambda x: ops.leaky_relu(x, slope), apart(draw(seeds), draw(shapes())), f"slope {slope}")


def axes(dimensions: int) -> st.SearchStrategy[Any]:
    """None, one axis from either end, also as a NumPy integer, or a tuple of any of them in any order."""
    if not dimensions:
        return st.sampled_from([None, ()])
    one = st.integers(-dimensions, dimensions - 1)
    return st.none() | one | one.map(np.int64) | npst.valid_tuple_axes(dimensions)


@st.composite
def reduction(draw: Draw, name: str, values: Values = normal) -> Drawn:
    shape = draw(shapes())
    axis, keepdims = draw(axes(len(shape))), draw(st.booleans())
    options = {"ddof": draw(st.integers(0, 1))} if name == "var" else {}
    given = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else [axis]
    assume(name == "sum" or math.prod(shape[int(i)] for i in given) > options.get("ddof", 0))
    return Drawn(
        lambda x: getattr(ops, name)(x, axis=axis, keepdims=keepdims, **options), values(draw(seeds), shape),
        f"{name} axis={axis!r} keepdims={keepdims} {options}",
    )


@st.composite
def along_an_axis(draw: Draw, name: str) -> Drawn:
    shape = draw(shapes(1))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    return Drawn(lambda x: getattr(ops, name)(x, axis), normal(draw(seeds), shape), f"{name} axis={axis}")


@st.composite
def softmax_cross_entropy(draw: Draw) -> Drawn:
    batch, classes = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    labels = np.random.default_rng(draw(seeds)).integers(0, classes, batch)
    smoothing = draw(st.sampled_from([0.0, 0.1, 0.7]))
    return Drawn(
        lambda x: ops.softmax_cross_entropy(x, labels, smoothing), normal(draw(seeds), (batch, classes)),
        f"smoothing {smoothing}",
    )


@st.composite
def reshape(draw: Draw) -> Drawn:
    shape = draw(shapes(draw(st.sampled_from([2, 0]))))
    target = list(draw(st.permutations([*shape, *[1] * draw(st.integers(0, 2))])))
    while len(target) > 1 and draw(NOW_AND_THEN):
        target[:2] = [target[0] * target[1]]
    if target and 0 not in shape and draw(st.booleans()):
        target[draw(st.integers(0, len(target) - 1))] = -1
    return Drawn(lambda x: ops.reshape(x, tuple(target)), normal(draw(seeds), shape), f"reshape {target}")


@st.composite
def transpose(draw: Draw) -> Drawn:
    shape = draw(shapes(most=4))
    order = None if draw(NOW_AND_THEN) else draw(st.permutations(range(len(shape))))
    if order is not None:
        order = [i - len(shape) if draw(st.booleans()) else i for i in order]
    return Drawn(lambda x: ops.transpose(x, order), normal(draw(seeds), shape), f"transpose {order}")


@st.composite
def getitem(draw: Draw) -> Drawn:
    kind = draw(st.sampled_from(["basic", "integers", "mixed", "mask", "rows"]))
    shape = draw(shapes(0 if kind in ("basic", "mask") else 1, side=0 if kind == "basic" else 1))
    rng = np.random.default_rng(draw(seeds))
    index: Any
    if kind == "basic":
        index = draw(npst.basic_indices(shape, allow_newaxis=True))
    elif kind == "mask":
        index = np.asarray(rng.random(shape) < 0.6)
    elif kind == "integers":    # every element that is picked, is picked twice at least
        picked = draw(npst.integer_array_indices(shape, result_shape=shapes(0, 1, most=2)))
        index = tuple(np.stack([i, i]) for i in picked)
    elif kind == "rows":
        index = rng.integers(-shape[0], shape[0], 4).tolist()
    else:                       # an array between slices, None and ...
        axis = draw(st.integers(0, len(shape) - 1))
        parts: list[Any] = [draw(st.sampled_from([slice(None), slice(None, None, -1), slice(1, None)]))
                            for _ in range(axis)]
        picked = rng.integers(-shape[axis], shape[axis], (2, 3))
        index = (*parts, picked, *draw(st.sampled_from([(), (...,)])))
        index = (*draw(st.sampled_from([(), (None,)])), *index)
    return Drawn(lambda x: ops.getitem(x, index), normal(draw(seeds), shape), f"index {index!r}")


@st.composite
def concatenate(draw: Draw) -> Drawn:
    shape = draw(shapes(1))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    lengths = draw(st.lists(sides(), min_size=1, max_size=4))
    several = [tuple(n if i == axis % len(shape) else m for i, m in enumerate(shape)) for n in lengths]
    return Drawn(lambda *x: ops.concatenate(x, axis), normal(draw(seeds), *several), f"axis {axis}")


@st.composite
def stack(draw: Draw) -> Drawn:
    shape, count = draw(shapes()), draw(st.integers(1, 4))
    axis = draw(st.integers(-len(shape) - 1, len(shape)))
    return Drawn(lambda *x: ops.stack(x, axis), normal(draw(seeds), *[shape] * count), f"axis {axis}")


@st.composite
def pad(draw: Draw) -> Drawn:
    shape, width = draw(shapes()), st.integers(0, 2)
    pair = st.tuples(width, width)
    widths = draw(width | pair | st.tuples(*[pair] * len(shape)) if shape else width)
    value = draw(st.sampled_from([0.0, -7.0]))
    return Drawn(lambda x: ops.pad(x, widths, value), normal(draw(seeds), shape), f"widths {widths}")


@st.composite
def broadcast_to(draw: Draw) -> Drawn:
    (shape, _), result = draw(broadcasting(2))
    return Drawn(lambda x: ops.broadcast_to(x, result), normal(draw(seeds), shape), f"to {result}")


@st.composite
def matmul(draw: Draw) -> Drawn:
    least = 0 if draw(NOW_AND_THEN) else 1
    pair = draw(npst.mutually_broadcastable_shapes(
        signature=np.matmul.signature, max_dims=2, min_side=least, max_side=LONGEST
    )).input_shapes
    return Drawn(ops.matmul, normal(draw(seeds), *pair), "matmul")


@st.composite
def einsum(draw: Draw) -> Drawn:
    """Random letters in random order for one to three operands, implicit outputs and `...` among them.

    An axis may have the length 1 where the same letter elsewhere has more, as NumPy's broadcasting allows.
    """
    lengths = {letter: draw(sides()) for letter in "bdaC"}
    count, ranks = draw(st.sampled_from([2, 3, 1, 2])), st.sampled_from([2, 3, 1, 2, 0])
    terms = [list(draw(st.permutations("bdaC")))[: draw(ranks)] for _ in range(count)]
    operands = [[1 if draw(NOW_AND_THEN) else lengths[letter] for letter in term] for term in terms]
    if draw(st.sampled_from([False, False, True])):
        extra = draw(npst.mutually_broadcastable_shapes(num_shapes=count, max_dims=2, max_side=2))
        for term, operand, more in zip(terms, operands, extra.input_shapes, strict=True):
            if not more and draw(st.booleans()):
                continue        # an operand without `...` beside others with it
            place = draw(st.integers(0, len(term)))
            term.insert(place, "...")
            operand[place:place] = more
    used = sorted({letter for term in terms for letter in term} - {"..."})
    subscripts = ",".join("".join(term) for term in terms)
    if draw(st.booleans()):
        output = list(draw(st.permutations(used)))[: draw(st.integers(0, len(used)))]
        if any("..." in term for term in terms):
            output.insert(draw(st.integers(0, len(output))), "...")
        subscripts += "->" + "".join(output)
    arrays = normal(draw(seeds), *[tuple(operand) for operand in operands])
    return Drawn(lambda *x: ops.einsum(subscripts, *x), arrays, subscripts)


@st.composite
def dense(draw: Draw) -> Drawn:
    lead = draw(shapes(most=2))
    n, m = draw(sides()), draw(sides())
    given = [(*lead, n), (n, m), *draw(st.sampled_from([[], [(m,)]]))]
    return Drawn(ops.dense, normal(draw(seeds), *given), "dense")


@st.composite
def conv2d(draw: Draw) -> Drawn:
    kernel, stride, padding = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 2))
    side = st.integers(max(1, kernel - 2 * padding), 5)
    channels, out = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    images = (draw(st.sampled_from([2, 1, 3, 2, 1, 0])), draw(side), draw(side), channels)
    given = [images, (kernel, kernel, channels, out), *draw(st.sampled_from([[], [(out,)]]))]
    return Drawn(
        lambda x, W, b=None: ops.conv2d(x, W, b, stride, padding), normal(draw(seeds), *given),
        f"stride {stride} padding {padding}",
    )


@st.composite
def pool(draw: Draw, name: str, values: Values = normal) -> Drawn:
    size = draw(st.integers(1, 3))
    side = st.integers(size, 2 * size + 1)
    shape = (draw(st.sampled_from([2, 1, 3, 2, 1, 0])), draw(side), draw(side), draw(st.integers(1, 2)))
    return Drawn(lambda x: getattr(ops, name)(x, size), values(draw(seeds), shape), f"{name} size {size}")


EPS = st.sampled_from([1e-5, 1e-3, 0.1, 0.5])


@st.composite
def norm(draw: Draw, name: str) -> Drawn:
    """With and without gamma and beta; gamma has both signs. Means differ between features, or examples."""
    groups = draw(st.integers(1, 2)) if name == "group_norm" else 1
    features = groups * draw(sides(1))
    batch = st.sampled_from([4, 3, 2, 1] if name == "batch_norm" else [4, 3, 2, 1, 0])
    lead = (draw(batch), *draw(shapes(0, side=1, most=2)))
    assume(name != "batch_norm" or math.prod(lead) > 1)
    seed, eps = draw(seeds), draw(EPS)
    # One for all that is normalised together, so values stay apart there.
    offset = (features,) if name.startswith("batch") else (lead[0], *[1] * len(lead))
    x = wide(seed, (*lead, features))[0] + 3 * np.random.default_rng(seed).integers(-1, 2, offset)
    both = draw(st.sampled_from(["", "gamma", "beta", "gamma beta"]))
    arrays = [x, *[a + 0.5 * np.sign(a) for a in normal(seed, *[(features,)] * len(both.split()))]]
    mean, var = normal(seed + 1, (features,))[0] * 5, positive(seed, (features,))[0] * 4

    def function(x: Any, *parameters: Any) -> Any:
        given = dict(zip(both.split(), parameters, strict=True))
        if name == "batch_norm":
            return ops.batch_norm(x, **given, eps=eps)[0]
        if name == "batch_norm_inference":
            return ops.batch_norm_inference(x, given.get("gamma"), given.get("beta"), mean, var, eps)
        if name == "group_norm":
            return ops.group_norm(x, groups, **given, eps=eps)
        return ops.layer_norm(x, **given, eps=eps)

    return Drawn(function, arrays, f"{name} groups {groups} eps {eps} {both}")


OPS: dict[str, st.SearchStrategy[Drawn]] = {
    **{name: binary(name) for name in ("add", "subtract", "multiply")},
    **{name: binary(name, apart) for name in ("maximum", "minimum")},
    **{name: binary(name, quotients) for name in ("floor_divide", "remainder")},
    **{name: unary(name) for name in ("negative", "exp", "sigmoid", "tanh", "gelu")},
    **{name: unary(name, positive) for name in ("log", "sqrt")},
    **{name: unary(name, apart) for name in ("abs", "relu")},
    **{name: reduction(name) for name in ("sum", "mean", "var", "logsumexp")},
    **{name: reduction(name, apart) for name in ("max", "min")},
    **{name: along_an_axis(name) for name in ("softmax", "log_softmax")},
    **{name: norm(name) for name in ("batch_norm", "batch_norm_inference", "layer_norm", "group_norm")},
    "max_pool2d": pool("max_pool2d", apart), "avg_pool2d": pool("avg_pool2d"),
    "divide": divide(), "power": power(), "where": where(), "clip": clip(), "leaky_relu": leaky_relu(),
    "softmax_cross_entropy": softmax_cross_entropy(), "reshape": reshape(), "transpose": transpose(),
    "getitem": getitem(), "concatenate": concatenate(), "stack": stack(), "pad": pad(),
    "broadcast_to": broadcast_to(), "matmul": matmul(), "einsum": einsum(), "dense": dense(),
    "conv2d": conv2d(),
}
