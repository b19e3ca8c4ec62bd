# %% [markdown]
# # 02 A network by hand, loop and all
#
# Tutorial 00 called `dl.fit` and a curve came out. Here nothing is hidden: two matrices, two vectors, a loop.
# If you can read this page, you can read the training of any network.

# %%
import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # the variables are for notebooks
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
(FIGURES / "fast").mkdir(parents=True, exist_ok=True)

train, test, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
if FAST:
    train, test = train[:12_000], test[:2000]
print(notice or f"data: {train.title}: {train}")

# %% [markdown]
# ## The network
#
# An image is a row of 784 numbers, and a mini-batch of 60 images a matrix $x$ with 60 rows. The network is
#
# $$h = \sigma(x W_1 + b_1), \qquad \text{logits} = h W_2 + b_2,$$
#
# 100 hidden units, and one logit for each digit. The *softmax* turns logits into probabilities, and the loss
# is the *cross-entropy*: minus the logarithm of the probability that the right digit got, averaged over the
# batch.
#
# The weights start at random, small, so that the sigmoids begin in their middle, where they have a slope.
# (Not at zero: all hidden units would be alike, and stay alike for ever.)

# %%
rng = np.random.default_rng(SEED)
W1 = dl.Parameter(rng.normal(0, 0.05, (784, 100)).astype(np.float32))
b1 = dl.Parameter(np.zeros(100, np.float32))
W2 = dl.Parameter(rng.normal(0, 0.05, (100, 10)).astype(np.float32))
b2 = dl.Parameter(np.zeros(10, np.float32))


def logits_of(images, W1=W1, b1=b1, W2=W2, b2=b2):
    x = images.reshape(len(images), -1)
    return dl.ops.sigmoid(x @ W1 + b1) @ W2 + b2


def accuracy_on(data):
    return float(np.mean(logits_of(data.images).data.argmax(axis=1) == data.labels))


# %% [markdown]
# ## Before training: three checks that cost nothing
#
# **One.** A network that knows nothing gives each of ten digits about the probability 1/10, so its loss must
# be near $\ln 10 = 2.303$. If yours starts at 15, its first layer is wrong or its pixels go up to 255.
#
# **Two.** Are the gradients right? (Tutorial 01 told how that is asked.)
#
# **Three.** Can the network learn *one* mini-batch by heart? If it can't do that, it has a bug, and there is
# no need to wait for the end of the training to find out.

# %%
images, labels = train.images[:60], train.labels[:60]
first_loss = dl.losses.cross_entropy(logits_of(images), labels).item()
print(f"first loss: {first_loss:.3f}; ln 10 = {np.log(10):.3f}")

few = images[:8].astype(np.float64)
start = [p.data.astype(np.float64) for p in (W1, b1, W2, b2)]
report = dl.gradcheck(
    lambda *weights: dl.losses.cross_entropy(logits_of(few, *weights), labels[:8]),
    *start, samples=20, step=3e-6
)
print(f"gradients: relative error {report.error:.1e}")


# %% [markdown]
# ## The loop
#
# Four lines: compute the loss on a tape; replay the tape; take a step against each gradient; forget the
# gradients. That is gradient descent, *stochastic* because each step looks at 60 images only.


# %%
def train_on(batches, lr):
    losses = []
    for images, labels in batches:
        with dl.Tape() as tape:
            loss = dl.losses.cross_entropy(logits_of(images), labels)
        tape.backward(loss)
        for p in (W1, b1, W2, b2):
            p.data = p.data - lr * p.grad
            p.grad = None
        losses.append(loss.item())    # the number, not the tensor
    return np.array(losses)


by_heart = train_on([(images, labels)] * 200, lr=1.0)
print(f"one batch, 200 times: loss {by_heart[0]:.2f} -> {by_heart[-1]:.4f}")

# %% [markdown]
# It can. Now start afresh, and go through all the images, in a new random order each time (an *epoch*).

# %%
for p, values in zip((W1, b1, W2, b2), start, strict=True):
    p.data = values.astype(np.float32)
before = accuracy_on(test)
losses = train_on(dl.batches(train, 60, epochs=2 if FAST else 5, seed=SEED), lr=1.0)
after = accuracy_on(test)
print(f"test accuracy in {len(losses)} steps: {100 * before:.1f} % -> {100 * after:.1f} %")

# %%
figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
ax.plot(losses, color="#BBBBBB", linewidth=0.6, label="each mini-batch")
width = len(losses) // 40
smooth = np.convolve(losses, np.ones(width) / width, mode="valid")
ax.plot(np.arange(len(smooth)) + width, smooth, color="#0072B2", label=f"mean of the last {width}")
ax.axhline(np.log(10), color="black", linestyle=":", label="guessing: ln 10")
ax.set(xlabel="training step", ylabel="cross-entropy (nats)", yscale="log", title=f"By hand: {train.title}")
ax.legend()
figure.savefig(FIGURES / "02_loss.png", dpi=110)

# %% [markdown]
# ## What did it learn?
#
# Each hidden unit has one weight for each pixel, so its weights are an image: red where ink makes the unit
# answer, blue where ink silences it. Nobody told it about strokes. At the borders there is never ink, and the
# weights keep their random start.

# %%
ax = dl.plots.filters(W1.data[:, :30], image_shape=(28, 28))
ax.set_title(f"Weights of 30 of the hidden units: {train.title}")
ax.figure.savefig(FIGURES / "02_weights.png", dpi=80)

# %% [markdown]
# One hidden layer is enough for more than 90 %. So why not stack more of them? That is where the trouble
# begins: tutorial 03.
#
# ## What this tutorial claimed

# %%
assert abs(first_loss - np.log(10)) < 0.3, "an untrained network should guess"
assert report.error < 1e-7, "the gradients should be right"
assert by_heart[-1] < 0.05, "one batch can be learnt by heart"
assert before < 0.35 and after > 0.85, "the loop should learn"
assert losses[-width:].mean() < 0.5 * losses[:width].mean()
print("All that was claimed holds.")
