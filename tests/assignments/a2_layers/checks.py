"""A2, layers, losses and a gradient check: all checks. Expected values come from the model solution."""

from __future__ import annotations

import numpy as np

from minidl.grading.course.checks import Case, Hint, TaskCheck
from minidl.grading.course.hints import hints

from . import programs as p
from . import solution as s

SINGLE = 1e-4       # where float32 comes in: it rounds logits near 1,000 to 6e-5
MEASURED = 1e-6     # where a derivative is measured, and not computed


def checks(seed: int) -> list[TaskCheck]:
    """All checks of A2 with the inputs of this seed."""
    random = np.random.default_rng([seed, 2])

    def draw(*shape):
        return np.asarray(random.standard_normal(shape))

    def labels(batch, classes):
        return random.permutation(np.arange(batch) % classes)

    return [
        *_dense(draw), *_activations(draw), *_cross_entropy(draw, labels), *_gradient_check(draw),
        *_weighted(draw, labels, random),
    ]


def _case(program, inputs, /, **expected):
    return Case(program, inputs, {name: np.asarray(a) for name, a in expected.items()})


def _double(a):
    return a.astype(np.float64)


def _hidden(topic):
    return {"visible": False, "topic": topic}


def _hint(sentence, mistake, cases):
    """A hint, from a function that takes a case and gives what the mistake gives."""
    return Hint(sentence, [mistake(case) for case in cases])


# ---- Task 1 ------------------------------------------------------------------------------------------------


def _dense(draw):
    def forward(n, m, k):
        x, W, b = draw(n, m), draw(m, k), draw(k)
        return _case("y = dense_forward(x, W, b)", {"x": x, "W": W, "b": b}, y=x @ W + b)

    def backward(n, m, k):
        g, x, W = draw(n, k), draw(n, m), draw(m, k)
        dx, dW, db = s.dense_backward(g, x, W)
        return _case("dx, dW, db = dense_backward(g, x, W)", {"g": g, "x": x, "W": W}, dx=dx, dW=dW, db=db)

    def single(n, m, k):
        arrays = {"x": draw(n, m), "W": draw(m, k), "b": draw(k), "g": draw(n, k)}
        inputs = {name: a.astype(np.float32) for name, a in arrays.items()}
        x, W, b, g = map(_double, inputs.values())
        dx, dW, db = s.dense_backward(g, x, W)
        return _case(p.SINGLE_DENSE, inputs, y=x @ W + b, dx=dx, dW=dW, db=db, same_dtype=[1, 1, 1, 1])

    cases = [backward(4, 3, 2), backward(5, 2, 3)]

    def averaged(case):
        n = len(case.inputs["x"])
        return {name: a if name == "dx" else a / n for name, a in case.expected.items()}

    twice = _hint("dW and db are divided by the batch size: g already contains the 1/N",
                  averaged, cases)
    return [
        TaskCheck("dense, forward", 1, 4, [forward(4, 3, 2), forward(2, 5, 3)]),
        TaskCheck("dense, backward", 1, 6, cases, hints=[twice]),
        TaskCheck("dense: other sizes", 1, 3, [
            forward(1, 3, 2), forward(3, 3, 3), backward(3, 3, 3), backward(1, 4, 2), backward(6, 2, 1),
        ], **_hidden("square matrices, one example, one output")),
        TaskCheck("dense: float32", 1, 2, [single(4, 3, 2), single(1, 2, 2)], **_hidden("dense in float32"),
                  tolerance=SINGLE),
    ]


# ---- Task 2 ------------------------------------------------------------------------------------------------


def _activations(draw):
    def sigmoid(x):
        return _case("y = sigmoid(x)", {"x": x}, y=s.sigmoid(x))

    def safe(x):
        return _case(p.SAFE_SIGMOID, {"x": x}, y=s.sigmoid(_double(x)), same_dtype=1)

    def sigmoid_back(*shape):
        g, y = draw(*shape), s.sigmoid(draw(*shape))
        return _case("dx = sigmoid_backward(g, y)", {"g": g, "y": y}, dx=g * y * (1 - y))

    def relu(x):
        g = draw(*x.shape)
        return _case(p.RELU, {"x": x, "g": g}, y=np.maximum(x, 0), dx=np.where(x > 0, g, 0))

    def kink(x):
        g = draw(*x.shape).astype(x.dtype)
        y, dx = np.maximum(_double(x), 0), _double(np.where(x > 0, g, 0))
        return _case(p.KINK, {"x": x, "g": g}, y=y, dx=dx, same_dtype=[1, 1])

    large = np.array([-1000.0, 1000.0, -800.0, 90.0, -1.0, 0.0])
    backs = [sigmoid_back(2, 3), sigmoid_back(4)]
    local = _hint("the derivative is right, but it isn't multiplied by the gradient g that comes in",
                  lambda case: {"dx": case.inputs["y"] * (1 - case.inputs["y"])}, backs)
    return [
        TaskCheck("sigmoid", 2, 4, [sigmoid(2 * draw(2, 3)), sigmoid(draw(2, 2, 2))]),
        TaskCheck("sigmoid: no overflow", 2, 4, [
            safe(large + draw(6)), safe((large + draw(6)).astype(np.float32)),
        ], tolerance=SINGLE),
        TaskCheck("sigmoid: tiny results", 2, 2, [
            sigmoid(-33 + draw(4)), sigmoid(-300 + draw(2, 2)),
        ], **_hidden("sigmoid where its value is tiny")),
        TaskCheck("sigmoid, backward", 2, 3, backs, hints=[local]),
        TaskCheck("relu, forward and backward", 2, 4, [relu(draw(2, 4)), relu(draw(2, 2, 3))]),
        TaskCheck("relu: the kink", 2, 3, [
            kink(draw(6) * [0, 1, 1, 0, 1, 1] + [0, 3, -3, 0, 1, -1]),
            kink(np.concatenate([draw(3), [0, -0.0]]).astype(np.float32)),
        ], **_hidden("relu at x = 0, and in float32"), tolerance=SINGLE),
    ]


# ---- Task 3 ------------------------------------------------------------------------------------------------


def _by_quotient(shift, inside=0.0):
    """-log of the probabilities and `inside`, after `shift` was taken from the logits."""
    def mistake(logits, labels):
        powers = np.exp(logits - shift(logits))
        p = powers / powers.sum(axis=1, keepdims=True)
        return {"loss": -np.log(p[np.arange(len(labels)), labels] + inside).mean()}
    return mistake


def _by_difference(shift):
    """log(sum of exp(z)) - z[label], after `shift` was taken from the logits."""
    def mistake(logits, labels):
        z = logits - shift(logits)
        return {"loss": (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(labels)), labels]).mean()}
    return mistake


def _of_row(logits):
    return logits.max(axis=1, keepdims=True)


NO_SHIFT = "exp overflows or gives 0 for a whole row: subtract each row's largest logit first"
GLOBAL = "the largest logit of all is subtracted, so exp gives 0 for a whole row: take each row's own"
PROBABILITY = "a probability was rounded to 0 before its logarithm: log p[t] = z[t] - log(sum of exp(z))"
INSIDE = "a small number inside the logarithm hides the loss: log p[t] = z[t] - log(sum of exp(z)) needs none"
LARGE = [       # in this order: what went wrong without any shift looks, in some rows, like a global one
    (NO_SHIFT, _by_quotient(lambda z: 0)), (NO_SHIFT, _by_difference(lambda z: 0)),
    (GLOBAL, _by_quotient(np.max)), (GLOBAL, _by_difference(np.max)),
    (PROBABILITY, _by_quotient(_of_row)),
    *((INSIDE, _by_quotient(_of_row, inside)) for inside in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)),
]


def _cross_entropy(draw, labels):
    def loss(logits):
        t = labels(*logits.shape)
        return _case("loss = cross_entropy(logits, labels)", {"logits": logits, "labels": t},
                     loss=s.cross_entropy(_double(logits), t))

    def gradient(logits):
        t = labels(*logits.shape)
        return _case("d = cross_entropy_backward(logits, labels)", {"logits": logits, "labels": t},
                     d=s.cross_entropy_backward(logits, t))

    def single(logits):
        t, narrow = labels(*logits.shape), logits.astype(np.float32)
        return _case(
            p.SINGLE_CROSS_ENTROPY, {"logits": narrow, "labels": t}, loss=s.cross_entropy(_double(narrow), t),
            d=s.cross_entropy_backward(_double(narrow), t), same_dtype=1,
        )

    def unchanged(logits):
        t = labels(*logits.shape)
        return _case(
            p.UNCHANGED, {"logits": logits, "labels": t}, after=logits, loss=s.cross_entropy(logits, t),
            d=s.cross_entropy_backward(logits, t),
        )

    losses = [loss(draw(5, 3)), loss(draw(4, 6))]
    gradients = [gradient(draw(5, 3)), gradient(draw(4, 6))]
    large = [
        loss(3000 * draw(5, 3)), loss(3000 * draw(4, 3)),
        loss(draw(4, 3) + 10_000), loss(draw(3, 3) - 10_000),
    ]

    def size(case):
        return len(case.inputs["logits"])

    summed = _hint("that is the sum of the examples' losses, not their mean",
                   lambda case: {"loss": case.expected["loss"] * size(case)}, losses)
    undivided = _hint("the loss is a mean over the batch, so its gradient is divided by the batch size",
                      lambda case: {"d": case.expected["d"] * size(case)}, gradients)
    return [
        TaskCheck("cross-entropy: loss", 3, 5, losses, hints=[summed]),
        TaskCheck("cross-entropy: gradient", 3, 6, gradients, hints=[undivided]),
        TaskCheck("cross-entropy: large logits", 3, 5, large, hints=hints(LARGE, large)),
        TaskCheck("cross-entropy: gradient at large logits", 3, 3, [
            gradient(3000 * draw(5, 3)), gradient(draw(4, 3) + 10_000), gradient(draw(4, 3) - 10_000),
        ], **_hidden("gradient at large logits of both signs")),
        TaskCheck("cross-entropy: float32", 3, 4, [
            single(draw(5, 4)), single(200 * draw(5, 4)),
        ], **_hidden("logits in float32, small and large"), tolerance=SINGLE),
        TaskCheck("cross-entropy: batch and classes", 3, 2, [
            unchanged(draw(3, 3)), unchanged(draw(1, 4)), unchanged(draw(6, 2)),
        ], **_hidden("other batch sizes; arguments stay as they were")),
    ]


# ---- Task 4 ------------------------------------------------------------------------------------------------


def _gradient_check(draw):
    def numeric(*shape):
        A, x = draw(*shape), draw(*shape)
        return _case(p.NUMERIC, {"A": A, "x": x}, d=3 * A * x**2 + np.cos(x), after=x)

    def view(n, m):
        A, x = draw(m, n), draw(n, m)
        return _case(p.NUMERIC_OF_A_VIEW, {"A": A, "x": x}, d=3 * A * x.T**2)

    def step(h):
        A, x = draw(3), draw(3)
        return _case(p.NUMERIC_STEP, {"A": A, "x": x, "h": h}, d=3 * A * x**2 + A * h**2)

    def quadratic(n):
        """An x that isn't square, with gradients from 0.5 to 2: no error is hidden by a small one."""
        return {"A": np.sign(draw(n, n + 1)) * (0.5 + np.abs(draw(n, n + 1)) % 1), "x": draw(n, n + 1)}

    def verdicts(n):
        return _case(p.VERDICTS, quadratic(n), verdicts=[1, 0, 0, 0, 0, 0])

    def subtle(n, scale):
        return _case(p.SUBTLE, {**quadratic(n), "scale": scale}, verdicts=[1, 0, 0, 0, 1])

    def strange(n):
        return _case(p.STRANGE, {"x": draw(n, 1)}, verdicts=[0, 0, 1, 0, 1])

    def kink(n):
        x = np.where(np.arange(n) % 3 == 1, 0, np.sign(draw(n)) * (0.5 + np.abs(draw(n))))
        A = np.sign(draw(n)) * (0.5 + np.abs(draw(n)) % 1)
        return _case(p.KINKS, {"A": A, "x": x}, verdicts=[1, 1, 0, 0])

    return [
        TaskCheck("numeric gradient", 4, 5, [numeric(4), numeric(2, 3)], tolerance=MEASURED),
        TaskCheck("numeric gradient: views, axes, steps", 4, 4, [
            view(2, 3), view(3, 3), numeric(2, 2, 2), step(0.1), step(0.01),
        ], **_hidden("numeric gradient: three axes, a view, another h"),
            tolerance=MEASURED),
        TaskCheck("verdicts on right and wrong gradients", 4, 5, [verdicts(2), verdicts(3)]),
        TaskCheck("verdicts: small errors, small scales, odd gradients", 4, 4, [
            subtle(2, 1.0), subtle(3, 1e-7), subtle(2, 1e6), strange(3),
        ], **_hidden("small errors, tiny and huge values, shapes, NaN")),
        TaskCheck("verdicts at kinks", 4, 2, [kink(5), kink(6)]),
    ]


# ---- Task 5 ------------------------------------------------------------------------------------------------


def _weighted(draw, labels, random):
    def inputs(logits, weights=None):
        classes = logits.shape[1]
        weights = random.uniform(0.2, 3, classes) if weights is None else np.array(weights)
        return {"logits": logits, "labels": labels(*logits.shape), "weights": weights}

    def loss(given):
        return _case("loss = weighted_cross_entropy(logits, labels, weights)", given,
                     loss=s.weighted_cross_entropy(**given))

    def gradient(given):
        return _case("d = weighted_cross_entropy_backward(logits, labels, weights)", given,
                     d=s.weighted_cross_entropy_backward(**given))

    def both(given):
        return [loss(given), gradient(given)]

    losses = [loss(inputs(draw(5, 3))), loss(inputs(draw(4, 6)))]
    gradients = [gradient(inputs(draw(5, 3))), gradient(inputs(draw(4, 6)))]

    def by_count(name):
        def mistake(case):
            weights = case.inputs["weights"][case.inputs["labels"]]
            return {name: case.expected[name] * weights.sum() / len(weights)}
        return mistake

    def missing():
        """Of four classes the first and the last don't occur; the weights are far apart."""
        return {"logits": draw(4, 4), "labels": np.array([1, 2, 2, 1]), "weights": random.uniform(0.1, 9, 4)}

    count = "the sum is divided by the number of examples: divide by the sum of their weights"
    return [
        TaskCheck("weighted: loss", 5, 5, losses, hints=[_hint(count, by_count("loss"), losses)]),
        TaskCheck("weighted: gradient", 5, 6, gradients, hints=[_hint(count, by_count("d"), gradients)]),
        TaskCheck("weighted: large logits", 5, 5, [
            *both(inputs(3000 * draw(5, 3))), *both(inputs(draw(4, 3) + 10_000)),
            *both(inputs(draw(3, 3) - 10_000)),
        ], **_hidden("weighted: large logits of both signs")),
        TaskCheck("weighted: weights of 0, classes that are missing", 5, 4, [
            *both(inputs(draw(5, 3), [0.0, 1.5, 2.0])), *both(missing()), *both(inputs(draw(3, 3))),
        ], **_hidden("classes of weight 0, classes that don't occur")),
    ]
