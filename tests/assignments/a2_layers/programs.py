"""The longer programs that use a submission of A2."""

from __future__ import annotations

SINGLE_DENSE = """
y = dense_forward(x, W, b)
dx, dW, db = dense_backward(g, x, W)
same_dtype = np.array([a.dtype == np.float32 for a in (y, dx, dW, db)])
""".strip()

SAFE_SIGMOID = """
with np.errstate(over="raise", invalid="raise", divide="raise"):
    y = sigmoid(x)
same_dtype = np.array(y.dtype == x.dtype)
""".strip()

RELU = """
y = relu(x)
dx = relu_backward(g, x)
""".strip()

KINK = """
y = relu(x)
dx = relu_backward(g, x)
same_dtype = np.array([y.dtype == x.dtype, dx.dtype == x.dtype])
""".strip()

SINGLE_CROSS_ENTROPY = """
loss = cross_entropy(logits, labels)
d = cross_entropy_backward(logits, labels)
same_dtype = np.array(d.dtype == logits.dtype)
""".strip()

UNCHANGED = """
loss = cross_entropy(logits, labels)
d = cross_entropy_backward(logits, labels)
after = logits + 0
""".strip()

NUMERIC = """
def f(x):
    return np.sum(A * x**3) + np.sum(np.sin(x))
d = numeric_gradient(f, x)
after = x + 0
""".strip()

NUMERIC_OF_A_VIEW = """
def f(x):
    return np.sum(A * x**3)
d = numeric_gradient(f, x.T)
""".strip()

NUMERIC_STEP = """
def f(x):
    return np.sum(A * x**3)
d = numeric_gradient(f, x, h)
""".strip()

VERDICTS = """
def f(x):
    return np.sum(A * x) + np.sum(A * x) ** 2 / 2
right = A * (1 + np.sum(A * x))
one = np.zeros(x.shape)
one[-1, 0] = 1
gradients = [right, -right, right / len(x), right * (1 - one), np.roll(right, 1), 0 * x]
verdicts = np.array([gradient_is_right(f, d, x) for d in gradients])
""".strip()

SUBTLE = """
def f(x):
    return scale * np.sum(A * x**3 + 5 * A * x)
right = scale * A * (3 * x**2 + 5)
one = np.zeros(x.shape)
one[0, -1] = np.abs(right).max()
gradients = [right, right + 1e-4 * one, right - 3e-6 * one, right * (1 + 1e-5), right + 1e-8 * one]
verdicts = np.array([gradient_is_right(f, d, x) for d in gradients])
""".strip()

STRANGE = """
def f(x):
    return np.sum(x) + np.sum(x[0] ** 2)
right = np.ones(x.shape)
right[0] += 2 * x[0]
holed = np.where(np.arange(len(x))[:, None] == 1, np.nan, right)
pairs = [(f, holed), (f, right[:, 0]), (f, right), (lambda x: 0.0, right), (lambda x: 0.0, 0 * x)]
verdicts = np.array([gradient_is_right(f, d, x) for f, d in pairs])
""".strip()

KINKS = """
def f(x):
    return np.sum(A * np.abs(x)) + np.sum(x)
right = A * np.sign(x) + 1
other = np.where(x == 0, 7, right)
wrong = np.where(np.arange(len(x)) == 0, right + 0.01, right)
far = np.where(x == 0, 1e9, wrong)
verdicts = np.array([gradient_is_right(f, d, x) for d in (right, other, wrong, far)])
""".strip()
