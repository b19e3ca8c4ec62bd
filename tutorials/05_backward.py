# %% [markdown]
# # 05 Batch normalization backward, three ways
#
# The forward pass was four lines. Its gradient has caught many a programmer, because every value acts on
# every result: directly, through the mean, and through the variance. We derive it for **one** unit without
# $\gamma$ and $\beta$, three times: in small stages, as one formula, and by the tape. How could one have
# noticed a mistake? And what happens if the mean is left out of it?

# %%
import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl.layers import BatchNorm

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # no difference here: all of it is quick
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
FIGURES.mkdir(exist_ok=True)

rng = np.random.default_rng(SEED)
m, eps = 8, 1e-5
x, g = rng.normal(3.0, 2.0, m), rng.normal(size=m)    # g: how the loss changes with each result, "upstream"

# %% [markdown]
# ## One: in stages
#
# Write the forward pass in steps so small that each has a derivative that everybody knows. Then walk back,
# last step first; where a value was used twice, two gradients are added (tutorial 01).

# %%
mu = x.mean()
d = x - mu                        # used twice: for the variance and for the result
v = (d**2).mean()
r = 1 / np.sqrt(v + eps)
x_hat = d * r

g_r = (g * d).sum()               # x_hat = d * r
g_d = g * r
g_v = g_r * -0.5 * r**3           # r = (v + eps) ** -0.5
g_d = g_d + g_v * 2 * d / m       # v = mean(d ** 2): the second path to d
g_mu = -g_d.sum()                 # d = x - mu
staged = g_d + g_mu / m           # mu = mean(x): the second path to x

# %% [markdown]
# ## Two: in one formula
#
# Put the lines into one another, and nearly all of it cancels:
#
# $$\frac{\partial \ell}{\partial x_i} = \frac{1}{\sqrt{v + \varepsilon}}
#   \Bigl(g_i - \overline{g} - \hat x_i\, \overline{g \hat x}\Bigr),$$
#
# where a bar is the mean over the mini-batch. Normalizing forgets the place and the scale of $x$. So whatever
# part of $g$ asks "move all values up" ($\overline g$), or "pull them all apart"
# ($\hat x\, \overline{g\hat x}$), asks in vain, and is taken out. What is left is passed on, rescaled.

# %%
closed = r * (g - g.mean() - x_hat * (g * x_hat).mean())

# %% [markdown]
# ## Three: by the tape
#
# Or don't derive anything: write the forward pass with the library's operations, and replay. `BatchNorm` is a
# single record with the closed formula inside.

# %%
with dl.Tape() as tape:
    leaf = dl.Tensor(x, requires_grad=True)
    centred = leaf - leaf.mean()
    normalized = centred / dl.ops.sqrt((centred * centred).mean() + eps)
(by_tape,) = tape.gradients(normalized, [leaf], gradient=g)
print(tape)

layer = BatchNorm(1, affine=False).astype(np.float64)
with dl.Tape() as one_record:
    column = dl.Tensor(x[:, None], requires_grad=True)
    loss = (layer(column)[:, 0] * g).sum()    # a loss with the upstream gradient g
by_layer = one_record.gradients(loss, [column])[0][:, 0]
for name, found in {"staged": staged, "closed": closed, "tape": by_tape, "BatchNorm": by_layer}.items():
    print(f"{name:10s}", np.round(found, 3))

# %% [markdown]
# Note what follows from the formula: **the gradients sum to zero**, because neither $g_i - \overline g$ nor
# $\hat x_i$ has a mean. It can't be otherwise: move all $x_i$ up together, and no result changes.
#
# ## Doubt: how would you have noticed a mistake?
#
# By checking against differences, as in tutorial 01. But with which upstream gradient $g$? Many a test calls
# `batch_norm(x).sum()`, which means $g = 1, 1, 1, \dots$ The sum of normalized values is zero whatever $x$
# is: the *true* gradient is zero. So a wrong backward pass need only return zero to pass, and many do. Nearly
# as blind is the sum of squares, $g = 2\hat x$: the sum of $\hat x^2$ is always $m$. Try five mistakes:

# %%
backward = {
    "right": lambda g: r * (g - g.mean() - x_hat * (g * x_hat).mean()),
    "always zero": lambda g: 0 * g,
    "variance forgotten": lambda g: r * (g - g.mean()),
    "sign of last term": lambda g: r * (g - g.mean() + x_hat * (g * x_hat).mean()),
    "root forgotten": lambda g: r**2 * (g - g.mean() - x_hat * (g * x_hat).mean()),
    "mean forgotten": lambda g: r * (g - x_hat * (g * x_hat).mean()),
}
upstream = {"ones: sum(BN)": np.ones(m), "2 x_hat: sum(BN²)": 2 * x_hat, "random": g}
gradients = np.array([[f(h) for h in upstream.values()] for f in backward.values()])
errors = abs(gradients - gradients[0]).max(axis=2)
ax = dl.plots.heat_map(
    np.round(np.log10(errors + 1e-17)) + 0.0, list(backward), list(upstream), xlabel="upstream gradient",
    ylabel="backward pass", label="log10 of the largest error", limits=(-17, 0),
)
ax.set_title("Which mistakes does which check see? (dark: none)")
ax.figure.savefig(FIGURES / "05_blind_checks.png", dpi=100)

# %% [markdown]
# Ones let four of the five pass, the squares three. A random upstream gradient catches them all. That is why
# `dl.gradcheck` draws one, and why your own tests should.
#
# ## What if the mean is left out of the gradient?
#
# It sounds like a harmless shortcut: compute $\mu$, but treat it as a constant on the way back. The paper
# (section 2) tells what happened. Let a unit learn a bias $b$ on inputs $u$, and subtract the mean of
# $x = u + b$. A step on $b$ is supposed to lower the loss; but the mean moves along, so the result does not
# change at all. Nobody tells the optimizer. It tries again, for ever.

# %%
u = rng.normal(size=60)
target = 0.5 + 0.1 * u    # no centred output can have this mean: a part of the loss can't be removed
biases, losses = {}, {}
for name in ("mean in the gradient", "mean detached"):
    b, biases[name], losses[name] = dl.Parameter(np.zeros(1)), [], []
    for _ in range(200):
        with dl.Tape() as tape:
            mean = (u + b).mean()
            mean = mean.detach() if name == "mean detached" else mean
            loss = ((u + b - mean - target) ** 2).mean()
        tape.backward(loss)
        b.data, b.grad = b.data - 0.1 * b.grad, None
        biases[name].append(b.data[0])
        losses[name].append(loss.item())

figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for ax, values, label in zip(axes, (biases, losses), ("bias b", "loss"), strict=True):
    for number, (name, series) in enumerate(values.items()):
        ax.plot(series, label=name, **dl.plots.arm_style(number).line(len(series)))
    ax.set(xlabel="step", ylabel=label)
axes[0].legend()
axes[1].set_ylim(0, 1.5 * losses["mean detached"][0])
axes[1].legend(title="equal: one line lies beneath the other")
figure.suptitle("A bias in front of a normalization")
figure.savefig(FIGURES / "05_detached_mean.png", dpi=100)

# %% [markdown]
# The bias runs away, step after step, while the loss stays exactly where it is. With the mean in the gradient
# it is told the truth: you change nothing, so stay. (A bias in front of BN is useless: tutorial 11.)
#
# ## What this tutorial claimed

# %%
assert np.allclose(staged, (closed, by_tape, by_layer), rtol=1e-9, atol=1e-12), "three ways, one gradient"
assert abs(staged.sum()) < 1e-12, "the gradients sum to zero"
caught = errors[1:] > 1e-4
assert caught.sum(axis=0).tolist() == [1, 2, 5], "ones catch one mistake, squares two, a random g all five"
assert dl.gradcheck(layer, rng.normal(3, 2, (m, 1))).error < 1e-7
assert max(map(abs, biases["mean in the gradient"])) < 1e-9 and biases["mean detached"][-1] > 10
assert np.ptp(losses["mean detached"]) < 1e-9, "nothing comes of it"
print("All that was claimed holds.")
