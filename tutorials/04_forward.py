# %% [markdown]
# # 04 The cure: batch normalization, forward
#
# Tutorial 03 ended with a wish: hold the inputs of the sigmoids where they have a slope, at every step. Here
# is the simplest way to grant it. Take the values that one unit has on a mini-batch, subtract their mean, and
# divide by their standard deviation. Four lines, Algorithm 1 of Ioffe & Szegedy (2015). We take them one at a
# time, for **one** unit.

# %%
import os
import sys
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl.layers import BatchNorm, Dense, Flatten, Sequential, Sigmoid

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # the variables are for notebooks
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
(FIGURES / "fast").mkdir(parents=True, exist_ok=True)

train, _, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
train, validation = train.split(55_000, seed=0)
print(notice or f"data: {train.title}")

# %% [markdown]
# ## A mini-batch, seen by one unit
#
# A first layer with large weights (standard deviation 0.5), 60 images, and the unit that is worst off: the
# one whose inputs are furthest from zero. It has $m = 60$ values $x_1 \dots x_m$, one for each image.

# %%
layer = Sequential(Flatten(), Dense(784, 100, init=dl.init.gaussian(0.5)), seed=SEED)
inputs = layer(train.images[:60]).data.astype(np.float64)
x = inputs[:, abs(inputs.mean(axis=0)).argmax()]
m = len(x)

# %% [markdown]
# **Line 1**, the mean of the mini-batch:  $\mu = \frac{1}{m}\sum_i x_i$
#
# **Line 2**, its variance:  $v = \frac{1}{m}\sum_i (x_i - \mu)^2$. We divide by $m$, not by $m - 1$: it is no
# estimate of anything else, it is the spread of just these 60 values.
#
# **Line 3**, normalize: $\hat x_i = (x_i - \mu) / \sqrt{v + \varepsilon}$. The small $\varepsilon$ keeps the
# root from zero where all values are alike (tutorial 06).
#
# **Line 4** scales and shifts the result with two learnt numbers, $y_i = \gamma \hat x_i + \beta$. They begin
# at 1 and 0, where line 4 does nothing, and have a tutorial of their own (06). We leave them there.

# %%
eps = 1e-5
mu = x.sum() / m
v = ((x - mu) ** 2).sum() / m
x_hat = (x - mu) / np.sqrt(v + eps)
print(f"before: mean {mu:8.3f}, standard deviation {x.std():.3f}")
print(f"after:  mean {x_hat.mean():8.3f}, standard deviation {x_hat.std():.3f}")

# %% [markdown]
# As a picture: each thin line is one image. From top to bottom its value is shifted, then shrunk (or
# stretched). Within the grey zones the sigmoid is saturated.

# %%
figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
stages = [x, x - mu, x_hat]
for way in np.array(stages).T:
    ax.plot(way, [2, 1, 0], color="#0072B2", linewidth=0.5, alpha=0.6)
for height, stage in zip((2, 1, 0), stages, strict=True):
    ax.plot(stage, np.full(m, height), "|", color="black", markersize=10)
reach = abs(np.array(stages)).max() * 1.05
for side in (1, -1):
    ax.axvspan(side * 2.94, side * reach, color="black", alpha=0.08, linewidth=0)
ax.set_yticks((2, 1, 0), ["x, as it comes", "line 1: minus mean", "lines 2, 3: divided by\nits deviation"])
ax.set(xlim=(-reach, reach), xlabel="value", title=f"Algorithm 1 for one unit, 60 images: {train.title}")
figure.savefig(FIGURES / "04_algorithm_1.png", dpi=100)

# %% [markdown]
# ## Does it cure?
#
# The patients of tutorial 03: six layers of sigmoids at learning rate 2. With the small start their gradient
# vanished, with the careful start their sigmoids died. Now `BatchNorm`, which does the four lines for each of
# the 100 units, stands between each linear map and its sigmoid.


# %%
def network(init, batch_norm):
    layers, features = [Flatten()], 784
    for _ in range(6):
        layers += [Dense(features, 100, init=init), *([BatchNorm(100)] if batch_norm else []), Sigmoid()]
        features = 100
    return Sequential(*layers, Dense(100, 10, init=init), seed=SEED)


starts = {"small": dl.init.gaussian(0.1), "careful": partial(dl.init.glorot_uniform, gain=4)}
arms = [(start, batch_norm) for batch_norm in (False, True) for start in starts]
histories, flow = {}, {}
for start, batch_norm in arms:
    name = f"{'BN' if batch_norm else 'plain'}, {start} start"
    model = network(starts[start], batch_norm)
    with dl.Tape() as tape:
        loss = dl.losses.cross_entropy(model(train.images[:500]), train.labels[:500])
    tape.backward(loss)
    found = dl.instruments.parameter_gradients(model)
    flow[name] = [row.gradient for row in found if row.name.endswith("weight")]
    histories[name] = dl.fit(
        model, train, optimizer=dl.optim.SGD(model.parameters(), lr=2.0), seed=SEED, validate_every=50,
        steps=250 if FAST else 600, validation=validation[:1000], statistics="population",
    )
figure, axes = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
dl.plots.gradient_flow(list("1234567"), flow, axes[0]).set_title("gradients of the weights before training")
dl.plots.curves(histories, ax=axes[1]).set_title("training")
dl.plots.share_legend(figure)
figure.suptitle(f"Six layers of sigmoids at learning rate 2: {train.title}")
figure.savefig(FIGURES / "04_cure.png", dpi=85)

# %% [markdown]
# The gradient arrives in the first layer as large as it was in the sixth, and both networks learn. The start
# matters far less than it did (what a linear map is multiplied by, line 3 divides out), but it does matter:
# the small one is behind in the first few hundred steps.
#
# ## Doubt the cure
#
# We changed what the network *computes*. What did that cost?
#
# **The scale and the place of its inputs are gone.** Multiply all values of a unit by 5 and add 3: the
# normalized ones don't change. If that was information, it is lost (unless line 4 learns to bring it back).
#
# **The images are no longer alone.** Each $\hat x_i$ depends on the 59 others through $\mu$ and $v$. In the
# extreme, a mini-batch of two: whatever the two values are, line 3 makes them $-1$ and $+1$. Nothing is left
# but which one was larger. Of a mini-batch of *one* nothing is left at all; the library refuses it.

# %%
layer = BatchNorm(1, affine=False).astype(np.float64)    # affine=False: without line 4
same = layer((5 * x + 3)[:, None]).data[:, 0]
pair = layer(np.array([[0.1], [70.0]])).data[:, 0]
print(f"5x + 3 instead of x changes the result by {abs(same - x_hat).max():.1e};  a pair becomes {pair}")
try:
    alone = layer(np.array([[70.0]])).data
except ValueError as refusal:
    alone = None
    print(refusal)

# %% [markdown]
# What the companions in a mini-batch do is the matter of tutorial 08, and what to do when there are none that
# of 07. First the backward pass: mean and variance depend on every $x_i$, and the gradient has to know it.
#
# ## What this tutorial claimed

# %%
assert abs(x_hat.mean()) < 1e-9 and np.isclose(x_hat.var(), v / (v + eps), rtol=1e-9)
assert np.allclose(layer(x[:, None]).data[:, 0], x_hat, atol=1e-9), "four lines are what BatchNorm does"
assert np.allclose(same, x_hat, atol=1e-4), "scale and place of the inputs are gone"
assert np.allclose(pair, [-1, 1], atol=1e-4), "of two values only their order is left"
assert alone is None, "a single value can't be normalized"
final = {name: history.validation.accuracy[-1] for name, history in histories.items()}
for start in starts:
    assert final[f"plain, {start} start"] < 0.25 and final[f"BN, {start} start"] > 0.6, "it should cure"
    assert flow[f"BN, {start} start"][0] > 0.5 * flow[f"BN, {start} start"][5], "the gradient should arrive"
print("All that was claimed holds.")
