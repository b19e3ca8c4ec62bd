# %% [markdown]
# # 01 The tape: record, replay, print, draw, and doubt
#
# Training means: change each weight a little in the direction that lowers the loss. For that we need the
# derivative of one number, the loss, with respect to hundreds of thousands of others. How does a computer
# find it? Not by algebra, and not by trying small changes (that would cost one evaluation for each weight).
# It writes down what it did, and reads its notes backwards. The notes are the *tape*.

# %%
import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # no difference here: all of it is quick
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
FIGURES.mkdir(exist_ok=True)

# %% [markdown]
# ## Record
#
# One sigmoid unit and one example: input $x$, weight $w$, bias $b$, target $t$, and the squared error
#
# $$\ell = (\sigma(w x + b) - t)^2, \qquad \sigma(z) = \frac{1}{1 + e^{-z}}.$$
#
# `requires_grad` marks the two numbers that we want to learn. Inside `with dl.Tape()` every operation is
# computed as usual, and a note is kept: which operation, of which inputs, with which result.

# %%
rng = np.random.default_rng(SEED)
x, t = rng.normal(1.0, 0.1), 1.0
w = dl.Tensor(np.array(0.5), requires_grad=True)
b = dl.Tensor(np.array(-1.0), requires_grad=True)

with dl.Tape(keep_gradients=True) as tape:
    error = dl.ops.sigmoid(w * x + b) - t
    loss = error * error

print(tape)

# %% [markdown]
# Five lines, in the order in which things happened. The star marks what depends on `w` or `b`. Note that
# `error` is used twice by the last line: two paths lead from it to the loss.
#
# ## Replay
#
# Now the chain rule, from the last line to the first. Each operation has to answer one question only: *if I
# know how the loss changes with my output, call it $g$, how does it change with my inputs?* The answer is the
# operation's **vector-Jacobian product**. Where two paths meet, their answers are added.
#
# | line | output | its answer |
# |---|---|---|
# | 4 | $e \cdot e$ | $g\,e$ for the first factor, $g\,e$ for the second: together $2 g e$ |
# | 3 | $y - t$ | $g$ |
# | 2 | $\sigma(z)$ | $g\,y\,(1 - y)$ |
# | 1 | $p + b$ | $g$ for each |
# | 0 | $w x$ | $g\,x$ for $w$ |

# %%
z = w.data * x + b.data
y = 1 / (1 + np.exp(-z))
g_error = 2 * (y - t)                  # lines 4 and 3, beginning with g = 1
g_z = g_error * y * (1 - y)            # line 2
by_hand = {"w": g_z * x, "b": g_z}     # lines 1 and 0

tape.backward(loss)
print(f"by hand  dl/dw = {by_hand['w']:.6f}   dl/db = {by_hand['b']:.6f}")
print(f"the tape dl/dw = {w.grad:.6f}   dl/db = {b.grad:.6f}")
print(tape)    # now with the size of each gradient, as it came by

# %% [markdown]
# One walk through the list gave both derivatives, and it would have given a million: it costs about as much
# as computing the loss. Here is the same tape as a picture. Squares at the left are what we want to learn,
# circles are given; arrows lead from where a value was made to where it was used.

# %%
ax = dl.plots.tape(tape)
ax.figure.savefig(FIGURES / "01_tape.png", dpi=110)

# %% [markdown]
# ## Doubt
#
# Formulas are easily wrong, and a wrong gradient seldom crashes: the network just learns badly. So ask the
# definition. The derivative is the slope, and a slope can be measured from two points at a distance $h$:
#
# $$f'(x) \approx \frac{f(x + h) - f(x - h)}{2h}.$$
#
# How small should $h$ be? Smaller is more exact, until the two values agree in nearly all of their digits,
# and their difference is only rounding. Measure it, for the sigmoid at twenty points:

# %%
points = rng.normal(size=20)
with dl.Tape() as tape_of_twenty:
    at = dl.Tensor(points, requires_grad=True)
    values = dl.ops.sigmoid(at)
(slopes,) = tape_of_twenty.gradients(values, [at], gradient=np.ones(20))    # each point by itself
steps = 10.0 ** np.arange(-14, 1)
wrong_by = {}
for kind in (np.float64, np.float32):
    measured = [
        (dl.ops.sigmoid((points + h).astype(kind)) - dl.ops.sigmoid((points - h).astype(kind))).data / (2 * h)
        for h in steps
    ]
    wrong_by[kind.__name__] = abs(np.array(measured) - slopes).max(axis=1) / slopes.max()

figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for number, (kind, errors) in enumerate(wrong_by.items()):
    ax.loglog(steps, errors, label=kind, **dl.plots.arm_style(number).line(len(steps)))
ax.set(xlabel="distance h", ylabel="relative error of the slopes", title="Too far, and too near")
ax.legend()
figure.savefig(FIGURES / "01_gradcheck.png", dpi=110)

# %% [markdown]
# In float64 there is a valley near $h = 10^{-5}$, ten digits deep. In float32 it is half as deep at best:
# gradients are checked in float64. `dl.gradcheck` does so for every element of every input. A slope needs one
# number at the end: so it multiplies each output by a random number and adds them all up, and the slopes in
# its reports are those of that sum. Let it look at an operation with a slip of the pen: the derivative of
# $x^3$, with a 2 where the 3 belongs.


# %%
def cube(x):
    a = x.data
    return dl.record("cube", a**3, (x,), lambda g: (g * 2 * a**2,))


try:
    dl.gradcheck(cube, rng.normal(size=4))
    message = ""
except AssertionError as error:
    message = str(error)
print(message)
report = dl.gradcheck(dl.ops.sigmoid, rng.normal(size=(3, 4)))
print(f"the library's sigmoid: relative error {report.error:.1e}")

# %% [markdown]
# ## What this tutorial claimed

# %%
assert np.isclose(w.grad, by_hand["w"], rtol=1e-12) and np.isclose(b.grad, by_hand["b"], rtol=1e-12)
assert [record.op for record in tape.records] == ["multiply", "add", "sigmoid", "subtract", "multiply"]
assert 1e-7 < steps[wrong_by["float64"].argmin()] < 1e-2, "the best distance is neither large nor tiny"
assert wrong_by["float64"].min() < 1e-8 < 1e-6 < wrong_by["float32"].min(), "check gradients in float64"
assert "cube" in message, "a wrong gradient should be found"
assert report.error < 1e-7
print("All that was claimed holds.")
