"""A1, the tape: all checks, visible and hidden ones. Expected values come from the model solution."""

from __future__ import annotations

import numpy as np

from minidl.grading.course.checks import Case, Hint, TaskCheck
from minidl.grading.course.hints import hints

from . import programs as p
from . import solution as s


def checks(seed: int) -> list[TaskCheck]:
    """All checks of A1 with the inputs of this seed."""
    random = np.random.default_rng([seed, 1])

    def draw(*shape):
        return np.asarray(random.standard_normal(shape))

    return [*_tape(draw), *_vjps(draw), *_backward(draw), *_forward(draw)]


def _case(program, inputs, /, **expected):
    return Case(program, inputs, {name: np.asarray(a) for name, a in expected.items()})


def _hidden(topic):
    return {"visible": False, "topic": topic}


# ---- Task 1 ------------------------------------------------------------------------------------------------


def _tape(draw):
    def numbers(x, w):
        return _case(
            p.NUMBERS, {"x": x, "w": w}, numbers=[0, 1, 2, 3], inputs=[[0, 1], [2, 0]], outputs=[2, 3],
            last=x * w + x,
        )

    def own_copy(x):
        first = x.astype(np.float64)
        return _case(p.OWN_COPY, {"x": x}, first=first, second=[1.0, 2.0, 3.0], are_float64=[1, 1])

    def refused(x):
        return _case(p.REFUSED, {"x": x}, lengths=[2, 1, 3], last=2 * x)

    def rules(x):
        return _case(p.RULES, {"x": x}, back=3 * x, forth=3 * (x + 1), number=1, count=2, same_op=1)

    return [
        TaskCheck("numbers of values, inputs and outputs", 1, 5, [
            numbers(draw(2, 3), draw(3)), numbers(draw(4), draw(4)),
        ]),
        TaskCheck("leaf keeps a float64 copy", 1, 4, [
            own_copy(draw(3)), own_copy(draw(2, 2).astype(np.float32)),
        ]),
        TaskCheck("the record keeps op, vjp and jvp", 1, 2, [rules(draw(3))]),
        TaskCheck("inputs that aren't on the tape", 1, 4, [refused(draw(3)), refused(draw(2, 2))],
                  **_hidden("record with an input that isn't on the tape")),
    ]


# ---- Task 2 ------------------------------------------------------------------------------------------------


def _vjps(draw):
    def narrow(g_shape, shape):
        g = draw(*g_shape)
        return _case(f"d = unbroadcast(g, {shape})", {"g": g}, d=s.unbroadcast(g, shape))

    def pairs(function, *shapes):
        return [pair(function, draw(*a), draw(*b)) for a, b in shapes]

    def pair(function, a, b):
        g = draw(*np.shape(a @ b if function == "vjp_matmul" else a + b))
        da, db = getattr(s, function)(g, a, b)
        return _case(f"da, db = {function}(g, a, b)", {"g": g, "a": a, "b": b}, da=da, db=db)

    def sigmoid(*shape):
        g, y = draw(*shape), 1 / (1 + np.exp(-draw(*shape)))
        return _case("dx, = vjp_sigmoid(g, y)", {"g": g, "y": y}, dx=s.vjp_sigmoid(g, y)[0])

    def total(shape, axis):
        a = draw(*shape)
        g = draw(*np.shape(a.sum(axis)))
        return _case("da, = vjp_sum(g, a, axis)", {"g": g, "a": a, "axis": axis}, da=s.vjp_sum(g, a, axis)[0])

    stretched = ((2, 3), (3,)), ((3, 1), (4,)), ((2, 3), ()), ((1, 4), (2, 3, 1))
    products = pairs("vjp_multiply", ((2, 3), (2, 3)), ((4,), (4,)))
    adds = pairs("vjp_add", ((2, 3), (2, 3)))
    sigmoids = [sigmoid(2, 3), sigmoid(5)]
    exchanged = hints([("the two gradients of a product are exchanged: g * a is the gradient of b",
                        lambda g, a, b: {"da": g * a, "db": g * b})], products)
    local = hints([("the derivative is right, but it isn't multiplied by the gradient g that comes in",
                    lambda g, y: {"dx": y * (1 - y)})], sigmoids)
    return [
        TaskCheck("unbroadcast", 2, 4, [
            narrow((2, 3, 4), (4,)), narrow((2, 3), (2, 1)), narrow((2, 3), (2, 3)),
        ]),
        TaskCheck("unbroadcast: other shapes", 2, 3, [
            narrow((3, 2), ()), narrow((4, 2, 3, 5), (2, 1, 5)), narrow((2, 1), (1,)), narrow((1, 3), (1, 3)),
            narrow((2, 2), (2,)),
        ], **_hidden("unbroadcast: no axes, several, of length 1")),
        TaskCheck("multiply and add: shapes that are equal", 2, 5, [*products, *adds], hints=exchanged),
        TaskCheck("add and multiply: broadcast", 2, 5, [
            *pairs("vjp_add", *stretched), *pairs("vjp_multiply", *stretched),
        ], **_hidden("add, multiply: operands that were broadcast")),
        TaskCheck("matmul", 2, 3, pairs("vjp_matmul", ((2, 3), (3, 4)), ((3, 3), (3, 3)))),
        TaskCheck("matmul: other shapes", 2, 2, pairs(
            "vjp_matmul", ((5, 2), (2, 2)), ((2, 4), (4, 1)), ((1, 2), (2, 5)),
        ), **_hidden("matmul: matrices that aren't square")),
        TaskCheck("sigmoid", 2, 4, sigmoids, hints=local),
        TaskCheck("sum", 2, 2, [total((2, 3), None), total((2, 3), 0)]),
        TaskCheck("sum: other axes", 2, 2, [
            total((3, 3), 1), total((2, 3, 4), 1), total((2, 3, 4), None), total((4,), 0),
        ], **_hidden("sum: over one of several axes")),
    ]


# ---- Task 3 ------------------------------------------------------------------------------------------------


def _factors(draw):
    """Seven of them, with the product 1: a chain of 10,000 neither vanishes nor explodes."""
    logs = draw(7)
    return np.exp(0.3 * (logs - logs.mean()))


def _product(factors, start, stop):
    return float(np.prod(factors[np.arange(start, stop) % 7]))


def _in_place(A, x, g):
    """What comes where the gradients of all five values of SHARED are one and the same array."""
    summed = g + A.T @ g
    return {**{f"d{i}": summed for i in range(5)}, "after": summed}


def _backward(draw):
    def chain(m, n):
        A, x, g = draw(m, n), draw(n), draw(m)
        d1 = g * np.cos(A @ x)
        return _case(p.CHAIN, {"A": A, "x": x, "g": g}, d0=A.T @ d1, d1=d1, d2=g)

    def diamond(m, n):
        A, B, x, g = draw(m, n), draw(m, n), draw(n), draw(m)
        d1, d2 = g * (B @ x), g * (A @ x)
        inputs = {"A": A, "B": B, "x": x, "g": g}
        return _case(p.DIAMOND, inputs, d0=A.T @ d1 + B.T @ d2, d1=d1, d2=d2, d3=g)

    def last_only(case):
        A, expected = case.inputs["A"], case.expected
        return {**expected, "d0": A.T @ expected["d1"]}

    def twice(*shape):
        x, g = draw(*shape), draw(*shape)
        return _case(p.TWICE, {"x": x, "g": g}, d0=3 * g * x**2)

    def shared(n):
        A, x, g = draw(n, n), draw(n), draw(n)
        return _case(
            p.SHARED, {"A": A, "x": x, "g": g}, d0=g + A.T @ g, d1=g, d2=g, d3=g, d4=g, after=g,
        )

    def read_only(*shape):
        x, c = draw(*shape), float(draw())
        return _case(p.READ_ONLY, {"x": x, "c": c}, d0=np.full(shape, 2 * c * x.sum()))

    def ladder(*shape):
        x, g = draw(*shape), draw(*shape)
        return _case(p.LADDER, {"x": x, "g": g}, d0=2.0**12 * g, count=12)

    def no_path(n):
        A, x, y = draw(3, 2), draw(4), draw(2)
        found = [np.zeros(4), np.zeros(2), np.zeros(4), np.zeros(3), np.zeros(4)]
        g = found[n] = draw(*found[n].shape)
        if n == 4:
            found[2], found[0] = 5 * g, 10 * g
        elif n == 3:
            found[1] = A.T @ g
        elif n == 2:
            found[0] = 2 * g
        expected = {f"d{i}": d for i, d in enumerate(found)}
        return _case(p.NO_PATH, {"A": A, "x": x, "y": y, "n": n, "g": g}, **expected)

    def deep():
        factors, x, g = _factors(draw), draw(2), draw(2)
        back = g * _product(factors, 5000, 10_000)
        return _case(
            p.DEEP, {"factors": factors, "x": x, "g": g}, d0=back * _product(factors, 0, 5000), d5000=back,
        )

    diamonds, doubled = [diamond(2, 3), diamond(3, 3)], [twice(3), twice(2, 2)]
    small = [shared(2), shared(3)]
    kept_last = Hint(
        "a value that is used twice gets two gradients, which must be added: the first one is lost",
        [last_only(case) for case in diamonds],
    )
    return [
        TaskCheck("a chain of two", 3, 5, [chain(2, 3), chain(3, 3)]),
        TaskCheck("a diamond", 3, 6, diamonds, hints=[kept_last]),
        TaskCheck("a value that is both inputs of one record", 3, 4, doubled, hints=hints([
            ("one of three paths to x counts: go backwards, and add the gradients that a value gets",
             lambda x, g: {"d0": g * x**2}),
            ("where both inputs are one value its two gradients must be added: the first one is lost",
             lambda x, g: {"d0": 2 * g * x**2}),
        ], doubled)),
        TaskCheck("a chain of 10,000", 3, 3, [deep()]),
        TaskCheck("zeros where no path leads", 3, 1, [no_path(2), no_path(3)]),
        TaskCheck("a vjp's arrays aren't changed", 3, 1, small, hints=hints([
            ("you add in place (+=) to an array that others hold too, g itself: make a new one, a = a + part",
             _in_place),
        ], small)),
        TaskCheck("arrays that are shared", 3, 3, [shared(3), shared(2), read_only(2, 3)],
                  **_hidden("a vjp's arrays may be shared or read-only")),
        TaskCheck("each vjp is asked once", 3, 4, [ladder(2), ladder(2, 3)],
                  **_hidden("many paths: how often each vjp is asked")),
        TaskCheck("values without a path", 3, 3, [no_path(n) for n in (3, 4, 2, 0)],
                  **_hidden("no path to the output; records after it")),
    ]


# ---- Task 4 ------------------------------------------------------------------------------------------------


def _forward(draw):
    def pair(function, shape_a, shape_b):
        a, b, da, db = draw(*shape_a), draw(*shape_b), draw(*shape_a), draw(*shape_b)
        inputs = {"da": da, "db": db, "a": a, "b": b}
        return _case(f"t = {function}(da, db, a, b)", inputs, t=getattr(s, function)(da, db, a, b))

    def sigmoid(*shape):
        dx, y = draw(*shape), 1 / (1 + np.exp(-draw(*shape)))
        return _case("t = jvp_sigmoid(dx, y)", {"dx": dx, "y": y}, t=s.jvp_sigmoid(dx, y))

    def total(shape, axis):
        da = draw(*shape)
        return _case("t = jvp_sum(da, axis)", {"da": da, "axis": axis}, t=da.sum(axis))

    def chain(m, n):
        A, x, t = draw(m, n), draw(n), draw(n)
        return _case(p.FORWARD_CHAIN, {"A": A, "x": x, "t": t}, t0=t, t1=A @ t, t2=A @ t * np.cos(A @ x))

    def diamond(m, n):
        A, B, x, t = draw(m, n), draw(m, n), draw(n), draw(n)
        inputs = {"A": A, "B": B, "x": x, "t": t}
        t1, t2 = A @ t, B @ t
        return _case(p.FORWARD_DIAMOND, inputs, t1=t1, t2=t2, t3=t1 * (B @ x) + t2 * (A @ x))

    def some_seeds(n):
        A, B, C = draw(2, 3), draw(3, 4), draw(4, 2)
        tangents = [np.zeros((2, 3)), np.zeros((3, 4)), np.zeros((4, 2))]
        t = tangents[n] = draw(*tangents[n].shape)
        product = tangents[0] @ B + A @ tangents[1]
        tangents += [product, 3 * tangents[2], product @ C + A @ B @ tangents[2]]
        expected = {f"t{i}": a for i, a in enumerate(tangents)}
        return _case(p.SOME_SEEDS, {"A": A, "B": B, "C": C, "n": n, "t": t}, **expected)

    def two_seeds(*shape):
        a, b, ta, tb = draw(*shape), draw(*shape), draw(*shape), draw(*shape)
        inputs = {"a": a, "b": b, "ta": ta, "tb": tb}
        return _case(
            p.TWO_SEEDS, inputs, t0=ta, t1=tb, t2=ta * b + a * tb, t3=2 * a * b * ta + a * a * tb,
        )

    def deep():
        factors, x, t = _factors(draw), draw(2), draw(2)
        half = t * _product(factors, 0, 1500)
        inputs = {"factors": factors, "x": x, "t": t}
        return _case(p.DEEP_FORWARD, inputs, t1500=half, t3000=half * _product(factors, 1500, 3000))

    return [
        TaskCheck("jvp of add and multiply", 4, 4, [
            pair("jvp_add", (2, 3), (2, 3)), pair("jvp_multiply", (2, 3), (2, 3)),
        ]),
        TaskCheck("jvp of matmul, sigmoid and sum", 4, 4, [
            pair("jvp_matmul", (2, 3), (3, 4)), sigmoid(2, 3), total((2, 3), None), total((2, 3), 1),
        ]),
        TaskCheck("jvp: operands that were broadcast, other axes", 4, 3, [
            pair("jvp_add", (3, 1), (4,)), pair("jvp_multiply", (2, 3), (3,)),
            pair("jvp_multiply", (), (2, 2)), pair("jvp_matmul", (3, 3), (3, 3)), total((3, 2, 4), 1),
            total((3,), 0),
        ], **_hidden("tangents: broadcast operands, other sums")),
        TaskCheck("forward mode: a chain of two", 4, 4, [chain(2, 3), chain(3, 3)]),
        TaskCheck("forward mode: a diamond", 4, 3, [diamond(2, 3), diamond(3, 3)]),
        TaskCheck("forward mode: leaves without a seed", 4, 5, [
            *(some_seeds(n) for n in range(3)), two_seeds(3),
        ], **_hidden("leaves without a seed, and two seeds at once")),
        TaskCheck("forward mode: a chain of 3,000", 4, 2, [deep()],
                  **_hidden("forward mode through thousands of records")),
    ]
