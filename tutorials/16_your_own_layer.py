# %% [markdown]
# # 16 Your own layer: LayerNorm and GroupNorm
#
# What batch normalization does with one image depends on the others in the batch. With large batches that is
# noise, with batches of two a plague, with one an error. So people took the averages elsewhere: over the
# features of *one* example (LayerNorm, Ba et al. 2016, arXiv:1607.06450), or over groups of its channels
# (GroupNorm, Wu & He 2018, arXiv:1803.08494).
#
# minidl has both. Here you build them yourself, as you would build a layer that nobody has thought of yet.

# %%
import os
import sys
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl.layers import BatchNorm, Dense, Flatten, Layer, Sequential, Sigmoid

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # the variables are for notebooks
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
(FIGURES / "fast").mkdir(parents=True, exist_ok=True)

# With --fast, and where MNIST can't be had: digits that minidl draws itself, which are synthetic.
train, test, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
print(notice or f"data: {train.title}")

# %% [markdown]
# ## A layer from ops
#
# A layer is a class with a `forward`. What is assigned to an attribute as a `Parameter` is learned.
# Everything in `forward` is recorded by the tape, so there is no backward pass to write. (LayerNorm leaves
# nine records. Where that is too slow, make it one op, with `dl.record` and a gradient by hand: tutorial 01.)
# GroupNorm is LayerNorm over other axes: the features are cut into groups, and each group of one example is
# normalised over its channels and, for feature maps, over all places.


# %%
def normalised(x, axes):
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / ((centred * centred).mean(axis=axes, keepdims=True) + 1e-5).sqrt()


class MyLayerNorm(Layer):
    """Normalise each example over its features."""

    def __init__(self, features):
        super().__init__()
        self.gamma = dl.Parameter(np.ones(features, np.float32))
        self.beta = dl.Parameter(np.zeros(features, np.float32))

    def forward(self, x):
        return normalised(x, -1) * self.gamma + self.beta


class MyGroupNorm(MyLayerNorm):
    """Normalise each group of features of each example, over all places."""

    def __init__(self, groups, features):
        super().__init__(features)
        self.groups = groups

    def forward(self, x):
        grouped = x.reshape((len(x), -1, self.groups, x.shape[-1] // self.groups))
        return normalised(grouped, (1, 3)).reshape(x.shape) * self.gamma + self.beta


# %% [markdown]
# ## Is it right?
#
# Two questions, two tests. Is the *gradient* that of this forward pass? `dl.gradcheck` compares every element
# with central differences, in float64, with a random gradient from above. (The tape makes no mistakes, but
# you can: take the mean with NumPy, from `x.data`, and it is a constant on the way back; tutorial 05.) Is the
# *forward pass* the right one? That needs a second opinion: the library's layers. $\gamma$ and $\beta$ are
# random in both tests: with 1 and 0 a layer that forgot them would pass.


# %%
def with_random_affine(layer):
    generator = np.random.default_rng(SEED)
    for parameter in layer.parameters():
        parameter.data = generator.normal(1, 0.5, parameter.shape).astype(parameter.dtype)
    return layer


# Four images of 3 x 2 places with 6 maps.
maps = np.random.default_rng(SEED).normal(3, 2, (4, 3, 2, 6)).astype(np.float32)
errors, distances = [], []
for mine, theirs in (
    (MyLayerNorm(6), dl.layers.LayerNorm(6)), (MyGroupNorm(2, 6), dl.layers.GroupNorm(2, 6))
):
    errors.append(dl.gradcheck(with_random_affine(mine), maps).error)
    distances.append(float(abs(mine(maps).data - with_random_affine(theirs)(maps).data).max()))
    print(f"{type(mine).__name__}: gradcheck {errors[-1]:.1e}, from the library's {distances[-1]:.1e}")

# %% [markdown]
# ## What it is good for
#
# Companions: we normalise one example in two batches that share nothing else. And small batches: we train a
# sigmoid network with batches of 60 and of 2.

# %%
one, some = np.random.default_rng(SEED).normal(size=(2, 20, 100)).astype(np.float32)
some[0] = one[0]
NORMS = {"without": None, "BN": BatchNorm, "my LayerNorm": MyLayerNorm}
NORMS["my GroupNorm"] = partial(MyGroupNorm, 10)
depends, accuracy, STEPS = {}, {}, 300 if FAST else 3000


def accuracy_of(norm, batch_size):
    layers, features = [Flatten()], 28 * 28
    for _ in range(2):
        layers += [Dense(features, 100), *([norm(100)] if norm else []), Sigmoid()]
        features = 100
    model = Sequential(*layers, Dense(100, 10), seed=SEED)
    optimizer = dl.optim.SGD(model.parameters(), lr=0.5 * batch_size / 60)    # smaller batch, smaller step
    dl.fit(model, train, optimizer=optimizer, batch_size=batch_size, steps=STEPS, seed=SEED)
    return dl.evaluate(model, test[:2000], statistics="population", training_data=train).accuracy


for name, norm in NORMS.items():
    accuracy[name] = [accuracy_of(norm, 60), accuracy_of(norm, 2)]
    layer = norm(100) if norm else Flatten()
    depends[name] = float(abs(layer(one).data[0] - layer(some).data[0]).max())
    print(f"{name}: companions change an output by {depends[name]:.1g}; "
          f"batches of 60: {100 * accuracy[name][0]:.1f} %, of 2: {100 * accuracy[name][1]:.1f} %")

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for number, batch_size in enumerate((60, 2)):
    heights = [100 * found[number] for found in accuracy.values()]
    style = {"color": dl.plots.arm_style(number).color, "hatch": "//" * number, "edgecolor": "white"}
    bars = ax.bar(np.arange(4) + 0.4 * number, heights, 0.38, label=f"batches of {batch_size}", **style)
    ax.bar_label(bars, fmt="%.0f")
ax.set_xticks(np.arange(4) + 0.2, list(NORMS))
ax.set(xlabel="normalisation", ylabel="accuracy, 2,000 test images (%)", ylim=(0, 120))
ax.set_title(f"{STEPS:,} steps: {test.title}")
ax.legend(loc="upper right", ncols=2)
figure.savefig(FIGURES / "16_your_own_layer.png", dpi=100)

# %% [markdown]
# With batches of 60 all are alike. With batches of 2, batch normalization has two values to take its mean and
# variance from: each output can only be plus or minus one (nearly), and most of what the network knew about
# the image is gone. The layers that ask no companions don't mind.
#
# Doubt: the small batches saw fewer images, and we scaled the learning rate with the batch by rule of thumb.
# And LayerNorm isn't simply the better batch normalization: its statistics are new for each image, so it
# can't be folded into the layer before at test time (tutorial 07).
#
# ## What this tutorial claimed

# %%
assert max(errors) < 1e-7 and max(distances) < 1e-5, "the layers should be right"
assert depends["BN"] > 0.1, "with BN companions should count"
for name in ("my LayerNorm", "my GroupNorm"):
    assert depends[name] == 0, f"{name} shouldn't look at companions"
    least = accuracy["BN"][0] - (0.15 if FAST else 0.02)    # 300 steps are too few for a fine comparison
    assert accuracy[name][0] > least, f"{name} should be about as good with batches of 60"
    assert accuracy[name][1] > accuracy["BN"][1] + 0.1, f"{name} should be far better with batches of 2"
print("All that was claimed holds.")
