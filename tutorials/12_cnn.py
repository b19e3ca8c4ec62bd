# %% [markdown]
# # 12 Batch normalization for CNNs
#
# So far a feature was a unit, and it had one value for each image in the batch. In a convolutional network
# one kernel looks at every place of the image, and gives a whole *map* of values. What should be normalised
# then: each value by itself, or the map as a whole?
#
# The paper's answer (section 3.2): the map. Its values at all places are normalised in the same way, so a
# batch of $m$ images with maps of $p \times q$ gives each map $m' = m \cdot p \cdot q$ values for its mean
# and variance, and each map has *one* $\gamma$ and *one* $\beta$. What goes wrong otherwise? Does it matter?

# %%
import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl.layers import BatchNorm, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Sequential

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # the variables are for notebooks
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
(FIGURES / "fast").mkdir(parents=True, exist_ok=True)

# With --fast, and where MNIST can't be had: digits that minidl draws itself, which are synthetic.
train, test, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
print(notice or f"data: {train.title}")

# %% [markdown]
# ## The right one, and the tempting mistake
#
# minidl keeps channels last, so a batch of maps is (images, height, width, maps), and `BatchNorm(8)` needs no
# 2D version: it normalises over every axis but the last, whatever there is. The mistake is to take each place
# of each map for a feature of its own: flatten, normalise, and fold back.


# %%
class PerActivation(Layer):
    """BN of every place of every map by itself: what a CNN should not do."""

    def __init__(self, values):
        super().__init__()
        self.norm = BatchNorm(values)

    def forward(self, x):
        return dl.ops.reshape(self.norm(dl.ops.reshape(x, (len(x), -1))), x.shape)


PER_MAP, PER_ACTIVATION, WITHOUT = "BN per map", "BN per activation", "without BN"


def network(arm, seed=SEED):
    layers, channels, size = [], 1, 28
    for maps in (8, 16):
        size -= 4    # what a 5 x 5 kernel leaves
        norm = {PER_MAP: BatchNorm(maps), PER_ACTIVATION: PerActivation(size * size * maps)}
        layers += [Conv2D(channels, maps, 5, bias=arm == WITHOUT), *([norm[arm]] if arm in norm else [])]
        layers += [ReLU(), MaxPool2D(2)]
        channels, size = maps, size // 2
    return Sequential(*layers, Flatten(), Dense(size * size * channels, 10), seed=seed)


# %% [markdown]
# ## What each does to a map
#
# The mean over many images of one map is itself a picture: a blurred blob, as digits lie in the middle. Per
# map, normalising moves and stretches all its values alike, so the picture stays. Per activation, every place
# gets mean 0: the picture is gone, and with it what brightness alone could tell about places. (Before
# normalising the values are small: that panel has a colour scale of its own.)

# %%
images = train.images[:1000]
maps = {"the map": network(WITHOUT)[:1](images).data}
maps |= {arm: network(arm)[:2](images).data for arm in (PER_MAP, PER_ACTIVATION)}
m, p, q, features = maps["the map"].shape
shown = int(maps["the map"].mean(axis=0).std(axis=(0, 1)).argmax())    # the map with the clearest picture
figure, axes = plt.subplots(2, 2, figsize=(10, 7.5), layout="constrained")
for ax, (name, values) in zip(axes.flat, maps.items(), strict=False):
    mean = values[..., shown].mean(axis=0)
    most = abs(mean).max() if name == "the map" else 1.5
    picture = ax.imshow(mean, cmap="gray", vmin=-most, vmax=most)
    ax.set(title=name, xlabel="column", ylabel="row")
    figure.colorbar(picture, ax=ax, label="mean over 1,000 images")

# %% [markdown]
# ## Equal places
#
# A convolution treats all places alike: shift the image, and the map is shifted. Per map, this stays true
# after batch normalization, exactly. Per activation it doesn't, once trained: a digit two pixels further
# right is normalised with the statistics of other places.


# %%
def unequal(arm):
    """How much shifting and normalising differ by their order, in evaluation mode, where BN is fixed."""
    model = network(arm)
    dl.fit(model, train, optimizer=dl.optim.SGD(model.parameters(), lr=0.1), steps=10, seed=SEED)
    norm, x = model[1].eval(), model[:1](train.images[:50]).data
    return float(abs(np.roll(norm(x).data, 2, axis=2) - norm(np.roll(x, 2, axis=2)).data).max())


order_matters = {arm: unequal(arm) for arm in (PER_MAP, PER_ACTIVATION)}
print("shift, then normalise; or the other way round; difference:", order_matters)

# %% [markdown]
# ## m' values, but not m' witnesses
#
# With batches of 50 each map's mean is taken over $50 \cdot 24 \cdot 24 = 28{,}800$ values. Were they
# independent, it would waver from batch to batch by only $\sigma / \sqrt{28{,}800}$. But neighbours in an
# image tell nearly the same. So measure how much it wavers: how many independent values would do as much?

# %%
batches = maps["the map"][: m // 50 * 50].reshape(-1, 50, p, q, features)
noise = batches.mean(axis=(1, 2, 3)).std(axis=0)
worth = float(np.median(maps["the map"].std(axis=(0, 1, 2)) ** 2 / noise**2))
print(f"batches of 50: m' = {50 * p * q:,} values a map, worth about {worth:,.0f} independent ones")

# %% [markdown]
# Far more than 50, far fewer than $m'$. Still: in a CNN even a few images give each map many values.
#
# ## Does it matter?

# %%
RATES, STEPS = ((0.03, 0.3), 40) if FAST else ((0.01, 0.03, 0.1, 0.3, 1), 300)
ARMS = (PER_MAP, PER_ACTIVATION, WITHOUT)
accuracy = {arm: [] for arm in ARMS}
for arm in ARMS:
    for lr in RATES:
        model = network(arm)
        dl.fit(model, train, optimizer=dl.optim.SGD(model.parameters(), lr=lr), steps=STEPS, seed=SEED)
        found = dl.evaluate(model, test[:2000], statistics="population", training_data=train[:2000])
        accuracy[arm].append([found.accuracy])
    print(f"{arm}: {sum(p.size for p in model.parameters()):,} parameters, at its best rate "
          f"{100 * np.max(accuracy[arm]):.1f} % after {STEPS} steps")

dl.plots.sweep(RATES, accuracy, axes[1, 1])
axes[1, 1].set_title(f"{STEPS} steps: {train.title}")
axes[1, 1].set(ylabel="accuracy, 2,000 test images (%)", ylim=(0, 1))
axes[1, 1].legend(loc="lower left")
figure.savefig(FIGURES / "12_cnn.png", dpi=100)

# %% [markdown]
# Batch normalization helps at small rates, where the same steps lead further. At each network's best rate
# less is left, and the less the longer one trains: the laboratory, with 1,000 steps and 5 seeds on MNIST,
# found no sure difference (tutorial 15).
#
# And the mistake? It costs eleven thousand parameters and the equality of places. Accuracy it hardly costs,
# on digits that all stand in the middle; at the highest rate it even did better here. That is why such a
# mistake can live in a program for years: no learning curve shows it. Test what a layer *does*, as below.
#
# ## What this tutorial claimed

# %%
y = maps[PER_MAP]
assert abs(y.mean(axis=(0, 1, 2))).max() < 1e-3, "each map should have mean 0 over images and places"
assert abs(y.std(axis=(0, 1, 2)) - 1).max() < 0.05, "and standard deviation 1"
assert abs(maps[PER_ACTIVATION].mean(axis=0)).max() < 1e-3 < 0.1 < abs(y.mean(axis=0)).max()
assert order_matters[PER_MAP] < 1e-5 < 1e-2 < order_matters[PER_ACTIVATION], "per map places are equal"
assert 50 < worth < 50 * p * q, "neighbours should tell nearly the same"
small = RATES.index(0.03)
assert accuracy[PER_MAP][small][0] > accuracy[WITHOUT][small][0] + 0.01, "at a small rate BN should help"
assert np.max(accuracy[PER_MAP]) > np.max(accuracy[PER_ACTIVATION]) - (0.05 if FAST else 0.01)
print("All that was claimed holds.")
