"""The programs that use a submission of A1."""

from __future__ import annotations

NUMBERS = """
tape = Tape()
a, b = tape.leaf(x), tape.leaf(w)
c = tape.record("multiply", (a, b), x * w)
d = tape.record("add", (c, a), x * w + x)
numbers = np.array([a, b, c, d])
inputs = np.array([r.inputs for r in tape.records])
outputs = np.array([r.output for r in tape.records])
last = tape.values[3]
""".strip()

OWN_COPY = """
tape = Tape()
a, b = tape.leaf(x), tape.leaf([1, 2, 3])
x[:] = 0
first, second = tape.values[a], tape.values[b]
are_float64 = np.array([v.dtype == np.float64 for v in tape.values])
""".strip()

REFUSED = """
tape, refused = Tape(), []
a = tape.leaf(x)
for number in (0, 2, -1, 7):
    try:
        tape.record("double", (a, number), 2 * x)
    except ValueError:
        refused.append(number)
lengths = np.array([len(tape.values), len(tape.records), len(refused)])
last = tape.values[1]
""".strip()

RULES = """
tape = Tape()
a = tape.leaf(x)
b = tape.record("scale", (a,), 3 * x, lambda g: (3 * g,), lambda dx: 3 * dx)
r = tape.records[0]
back, = r.vjp(x)
forth = r.jvp(x + 1)
number, count, same_op = np.array(b), np.array(len(tape.values)), np.array(r.op == "scale")
""".strip()

CHAIN = """
records = [
    Record("matmul", (0,), 1, lambda g: (A.T @ g,)),
    Record("sin", (1,), 2, lambda g: (g * np.cos(A @ x),)),
]
d0, d1, d2 = backward(records, [x, A @ x, np.sin(A @ x)], 2, g)
""".strip()

DIAMOND = """
y, z = A @ x, B @ x
records = [
    Record("matmul", (0,), 1, lambda g: (A.T @ g,)),
    Record("matmul", (0,), 2, lambda g: (B.T @ g,)),
    Record("multiply", (1, 2), 3, lambda g: (g * z, g * y)),
]
d0, d1, d2, d3 = backward(records, [x, y, z, y * z], 3, g)
""".strip()

TWICE = """
records = [
    Record("multiply", (0, 0), 1, lambda g: (g * x, g * x)),
    Record("multiply", (1, 0), 2, lambda g: (g * x, g * x * x)),
]
d0 = backward(records, [x, x * x, x**3], 2, g)[0]
""".strip()

SHARED = """
records = [
    Record("matmul", (0,), 2, lambda g: (A.T @ g,)),
    Record("add", (0, 1), 3, lambda g: (g, g)),
    Record("add", (2, 3), 4, lambda g: (g, g)),
]
d0, d1, d2, d3, d4 = backward(records, [x, x, A @ x, x + x, A @ x + x + x], 4, g)
after = g + 0
""".strip()

READ_ONLY = """
def vjp_of_sum(g):
    return (np.broadcast_to(g, x.shape),)
records = [Record("sum", (0,), k, vjp_of_sum) for k in (1, 2)]
records += [Record("multiply", (1, 2), 3, lambda g: (g * x.sum(), g * x.sum()))]
d0 = backward(records, [x, x.sum(), x.sum(), x.sum() ** 2], 3, np.array(c))[0]
""".strip()

LADDER = """
calls = []
def vjp(g):
    calls.append(1)
    return (g, g)
records = [Record("add", (k, k), k + 1, vjp) for k in range(12)]
d0 = backward(records, [x] * 13, 12, g)[0]
count = np.array(len(calls))
""".strip()

NO_PATH = """
records = [
    Record("scale", (0,), 2, lambda g: (2 * g,)),
    Record("matmul", (1,), 3, lambda g: (A.T @ g,)),
    Record("scale", (2,), 4, lambda g: (5 * g,)),
]
d0, d1, d2, d3, d4 = backward(records, [x, y, 2 * x, A @ y, 10 * x], n, g)
""".strip()

DEEP = """
records = [
    Record("scale", (k,), k + 1, lambda g, c=factors[k % 7]: (c * g,)) for k in range(10_000)
]
gradients = backward(records, [x] * 10_001, 10_000, g)
d0, d5000 = gradients[0], gradients[5000]
""".strip()

FORWARD_CHAIN = """
records = [
    Record("matmul", (0,), 1, jvp=lambda t: A @ t),
    Record("sin", (1,), 2, jvp=lambda t: t * np.cos(A @ x)),
]
t0, t1, t2 = forward_mode(records, [x, A @ x, np.sin(A @ x)], {0: t})
""".strip()

FORWARD_DIAMOND = """
y, z = A @ x, B @ x
records = [
    Record("matmul", (0,), 1, jvp=lambda t: A @ t),
    Record("matmul", (0,), 2, jvp=lambda t: B @ t),
    Record("multiply", (1, 2), 3, jvp=lambda dy, dz: dy * z + y * dz),
]
t1, t2, t3 = forward_mode(records, [x, y, z, y * z], {0: t})[1:]
""".strip()

SOME_SEEDS = """
records = [
    Record("matmul", (0, 1), 3, jvp=lambda da, db: da @ B + A @ db),
    Record("scale", (2,), 4, jvp=lambda t: 3 * t),
    Record("matmul", (3, 2), 5, jvp=lambda da, db: da @ C + A @ B @ db),
]
values = [A, B, C, A @ B, 3 * C, A @ B @ C]
t0, t1, t2, t3, t4, t5 = forward_mode(records, values, {n: t})
""".strip()

DEEP_FORWARD = """
records = [
    Record("scale", (k,), k + 1, jvp=lambda t, c=factors[k % 7]: c * t) for k in range(3000)
]
tangents = forward_mode(records, [x] * 3001, {0: t})
t1500, t3000 = tangents[1500], tangents[3000]
""".strip()

TWO_SEEDS = """
records = [
    Record("multiply", (0, 1), 2, jvp=lambda da, db: da * b + a * db),
    Record("multiply", (2, 0), 3, jvp=lambda dc, da: dc * a + a * b * da),
]
seeds = {0: ta, 1: tb}
t0, t1, t2, t3 = forward_mode(records, [a, b, a * b, a * b * a], seeds)
""".strip()
