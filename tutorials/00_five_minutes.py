# %% [markdown]
# # 00 Five minutes: two curves, one line apart
#
# Here is a network that cannot learn, and one line that lets it.
#
# The network is the one with which batch normalization was introduced (Ioffe & Szegedy 2015, section 4.1):
# images of digits go in, three hidden layers of 100 sigmoid units follow, and ten numbers come out, one for
# each digit. We train it with plain stochastic gradient descent, and we are in a hurry: a step as long as the
# learning rate 8 is far too long for such a network. Or is it?

# %%
import os
import sys
from pathlib import Path

import minidl as dl
from minidl.layers import BatchNorm, Dense, Flatten, Sequential, Sigmoid

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # the variables are for notebooks
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
(FIGURES / "fast").mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## The data
#
# MNIST: 60,000 handwritten digits of 28 x 28 pixels. Where it can't be had, and with `--fast`, minidl takes
# digits that it draws itself, the *stroke digits*. They are synthetic, and every figure says so.

# %%
train, test, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
train, validation = train.split(55_000, seed=0)    # what we look at on the way; `test` is for the end
print(notice or f"data: {train.title}")

# %% [markdown]
# ## The network
#
# Look for the one line. Everything else is the same in both networks: the same initial weights (`seed`), the
# same images in the same order, the same learning rate.


# %%
def network(batch_norm, seed):
    layers, features = [Flatten()], 28 * 28
    for _ in range(3):
        layers.append(Dense(features, 100, init=dl.init.gaussian(0.1)))
        if batch_norm:
            layers.append(BatchNorm(100))    # the one line
        layers.append(Sigmoid())
        features = 100
    return Sequential(*layers, Dense(100, 10, init=dl.init.gaussian(0.1)), seed=seed)


print(network(True, SEED))

# %% [markdown]
# ## Train both
#
# `dl.fit` takes 60 images at a time, computes the loss and its gradients, and takes a step against them. On
# the way it measures how many of the validation images are classified right. One run proves little, as luck
# has its share in where the weights begin: so each network is trained three times, from other weights.

# %%
runs, steps = (1, 300) if FAST else (3, 1500)
histories = {"without": [], "with batch normalization": []}
for name, found in histories.items():
    for seed in range(SEED, SEED + runs):
        model = network(name != "without", seed)
        found.append(dl.fit(
            model, train, optimizer=dl.optim.SGD(model.parameters(), lr=8.0), batch_size=60, steps=steps,
            seed=seed, validation=validation[:2000], validate_every=25, statistics="population",
        ))
        print(f"{name}, seed {seed}: {found[-1]}")

# %%
ax = dl.plots.curves(histories)
ax.axhline(0.1, color="grey", linewidth=0.8, linestyle="--")
ax.set_title(f"Learning rate 8, one line apart\n{train.title}")
ax.figure.savefig(FIGURES / "00_two_curves.png", dpi=110)

# %% [markdown]
# The network with the line is above 80 % after some 150 steps, 9,000 images. The one without still sits at
# 10 %, the dashed line: that is guessing. Nothing crashed, no number overflowed; it just doesn't learn. It
# does so for hundreds of steps, until luck frees it, or not: the band is the range of the three runs.
#
# A picture is more convincing with the images themselves. These are test images that a network with the line
# still gets wrong (the last one trained), the surest mistakes first.

# %%
some = test[:2000]
probabilities = dl.ops.softmax(dl.predict(model, some.images)).data
ax = dl.plots.mistakes(
    some.images, some.labels, probabilities.argmax(axis=1), probabilities.max(axis=1), some.class_names
)
ax.set_title(f"{ax.get_title()}: {test.title}")
ax.figure.savefig(FIGURES / "00_mistakes.png", dpi=80)

# %% [markdown]
# ## What you should doubt now
#
# We chose a learning rate at which the difference is large. At 0.5 the network without batch normalization
# learns too, only later, and if its initial weights are chosen with care it ends as well as the other
# (tutorial 09 shows all rates side by side). So the question isn't "is batch normalization better?". It is:
# *what held the first network up, and what did one line change?* Answering it takes the next eight tutorials:
# how gradients are computed (01, 02), the disease (03), the cure (04 to 07), its price (08).
#
# ## What this tutorial claimed
#
# What these tutorials say in numbers stands in assertions at the end. If one of them fails on your machine,
# we are wrong: please tell us.

# %%
for plain, normalized in zip(*histories.values(), strict=True):
    accuracy = normalized.validation.accuracy
    assert max(accuracy) > 0.8, "one line should let it learn"
    reached = next(i for i, a in enumerate(accuracy) if a > 0.8)
    assert normalized.validation.step[reached] <= 300, "and soon"
    assert max(plain.validation.accuracy[: reached + 1]) < 0.5, "the other should be far behind by then"
with_line, without = [[type(layer) for layer in network(flag, 0)] for flag in (True, False)]
assert [kind for kind in with_line if kind is not BatchNorm] == without, "they should be one line apart"
print("All that was claimed holds.")
