# %% [markdown]
# # 06 Three numbers on the side: gamma, beta and epsilon
#
# Tutorial 04 normalized a unit's values to mean 0 and variance 1, whatever they meant. Who says that this is
# what the next layer needs? Line 4 of Algorithm 1 lets the network decide:
#
# $$y_i = \gamma\, \hat x_i + \beta, \qquad \hat x_i = \frac{x_i - \mu}{\sqrt{v + \varepsilon}}.$$
#
# Two learnt numbers for each unit, and a small constant under the root. What is each of them for?

# %%
import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl.layers import BatchNorm, Dense, Flatten, Sequential, Sigmoid

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # the variables are for notebooks
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
(FIGURES / "fast").mkdir(parents=True, exist_ok=True)

train, test, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
train, validation = train.split(55_000, seed=0)
rng = np.random.default_rng(SEED)
print(notice or f"data: {train.title}")

# %% [markdown]
# ## They can undo it
#
# With $\gamma = \sqrt{v + \varepsilon}$ and $\beta = \mu$, line 4 gives back $x$ exactly. So a network with
# batch normalization can compute whatever the plain one could; nothing is forbidden to it, things are only
# made easier or harder to reach.

# %%
x = rng.normal(7.0, 3.0, (60, 1))
layer = BatchNorm(1).astype(np.float64)
normalized = layer(x).data
layer.gamma.data = np.sqrt(x.var(axis=0) + layer.eps)
layer.beta.data = x.mean(axis=0)
undone = layer(x).data
print(f"standard deviation {x.std():.3f} -> {normalized.std():.3f} -> {undone.std():.3f}")

# %% [markdown]
# ## What would be missing without them
#
# A sigmoid whose inputs have mean 0 and variance 1 stays in its middle. There it is hardly more than a
# straight line, and layers of straight lines are one straight line. How straight? The best line through
# $\sigma(\gamma \hat x)$ explains this share of its variance ($R^2$):

# %%
gammas = np.array([0.5, 1, 1.5, 2, 3, 4, 6])
bell = rng.normal(size=20_000)
straight = np.array([np.corrcoef(bell, dl.ops.sigmoid(gamma * bell).data)[0, 1] ** 2 for gamma in gammas])
print("gamma", gammas, "R2", np.round(straight, 3))


# %% [markdown]
# At $\gamma = 1$ it is 98 %. "Such a network can only be linear" would go too far (the rest adds up over
# three layers), but it has to work against its sigmoids. Train the paper's network with and without line 4.


# %%
def network(affine):
    layers, features = [Flatten()], 784
    for _ in range(3):
        dense = Dense(features, 100, bias=False, init=dl.init.gaussian(0.1))
        layers += [dense, BatchNorm(100, affine=affine), Sigmoid()]
        features = 100
    return Sequential(*layers, Dense(100, 10, init=dl.init.gaussian(0.1)), seed=SEED)


histories, models = {}, {}
for name, affine in (("without gamma and beta", False), ("with gamma and beta", True)):
    models[name] = network(affine)
    optimizer = dl.optim.SGD(models[name].parameters(), lr=2.0)
    histories[name] = dl.fit(
        models[name], train, optimizer=optimizer, steps=400 if FAST else 3000, seed=SEED,
        validation=validation[:2000], statistics="population",
    )
    print(f"{name}: {histories[name]}")

figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
axes[0].plot(gammas, straight, "o-", color="#0072B2")
axes[0].set(xlabel="gamma", ylabel="R² of the best straight line", ylim=(0.5, 1.02))
dl.plots.curves(histories, ax=axes[1]).set_title(f"Training: {train.title}")
axes[1].legend(loc="lower right", fontsize="small")
learnt = [layer for layer in models["with gamma and beta"] if isinstance(layer, BatchNorm)]
for number, layer in enumerate(learnt):
    style = dl.plots.arm_style(number)
    look = {"color": style.color, "markersize": 3, "label": f"layer {number + 1}"}
    axes[2].plot(layer.beta.data, layer.gamma.data, style.marker, **look)
axes[2].plot([0], [1], "k+", markersize=14, label="start")
axes[2].set(xlabel="beta", ylabel="gamma", title="What was learnt, a point a unit")
axes[2].legend(fontsize="small")
figure.savefig(FIGURES / "06_gamma_beta.png", dpi=85)

# %% [markdown]
# The network makes use of its freedom: most $\gamma$ grow, the inputs of the sigmoids spread out, and the
# sigmoids bend; the third layer moves to the left, where most of its units are off for most images. So batch
# normalization doesn't forbid saturation. It gives it a handle, two numbers a unit, instead of leaving it to
# the sum of 784 weights.
#
# ## Epsilon: for those who never change
#
# A pixel in the corner is blank on every image. Its variance is 0, and without $\varepsilon$ it would be
# $0/0$. With it, it is $0/\sqrt\varepsilon = 0$. The price: a unit that varies *little*, with a variance near
# $\varepsilon$, isn't brought to variance 1 but to $v / (v + \varepsilon)$. The paper doesn't give its value;
# PyTorch takes $10^{-5}$, Keras $10^{-3}$.

# %%
spreads = np.logspace(-5, 1, 25)
sizes = {}
for eps in (1e-5, 1e-3, 1e-1):
    layer = BatchNorm(1, eps=eps, affine=False).astype(np.float64)
    sizes[eps] = np.array([layer(spread * (x - x.mean()) / x.std()).data.std() for spread in spreads])
figure, ax = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
for number, (eps, size) in enumerate(sizes.items()):
    ax.loglog(spreads, size, label=f"eps {eps:g}", **dl.plots.arm_style(number).line(25))
ax.set(xlabel="standard deviation of the input", ylabel="of the result", title="Epsilon leaves it small")
ax.legend()
figure.savefig(FIGURES / "06_epsilon.png", dpi=100)

# %% [markdown]
# And a trap. Normalize pixels, with statistics from 10,000 training images (tutorial 07 explains this step).
# Then somebody's scanner leaves a speck in a corner that was always blank:

# %%
pixels = Sequential(Flatten(), BatchNorm(784, affine=False))
dl.training.recalibrate(pixels, train[:10_000])
blank = int(np.flatnonzero(np.ptp(train.images[:10_000].reshape(-1, 784), axis=0) == 0)[0])
speck = test.images[:1].reshape(1, 784).copy()
speck[0, blank] = 1.0
loud = dl.predict(pixels, speck)[0]
print(f"the speck becomes {loud[blank]:.0f} = 1 / sqrt(eps); the largest of all others is "
      f"{np.delete(abs(loud), blank).max():.0f}")

# %% [markdown]
# One speck shouts louder than the whole digit. A small $\varepsilon$ means: *what never varied is news.*
#
# ## What this tutorial claimed

# %%
assert np.allclose(undone, x, rtol=1e-12) and np.isclose(normalized.std(), 1, atol=1e-4), "undone"
assert straight[1] > 0.97 and (np.diff(straight) < 0).all(), "gamma bends the sigmoid"
final = {name: history.validation.accuracy[-1] for name, history in histories.items()}
assert final["with gamma and beta"] > final["without gamma and beta"] + 0.005, "they should be worth it"
assert np.mean([layer.gamma.data.mean() for layer in learnt]) > 1.05, "most gamma grow"
for eps, size in sizes.items():
    assert np.allclose(size, spreads / np.sqrt(spreads**2 + eps), rtol=1e-6), "small stays small"
assert np.isclose(loud[blank], 1 / np.sqrt(1e-5), rtol=1e-3), "a speck is amplified by 1 / sqrt(eps)"
print("All that was claimed holds.")
