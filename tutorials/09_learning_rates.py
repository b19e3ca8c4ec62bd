# %% [markdown]
# # 09 Learning rates, with and without
#
# The first tutorial showed one learning rate, 8, at which one line decided between learning and guessing. One
# rate is an anecdote. Here are all of them, from far too small to far too large, and a fair opponent: a
# network without batch normalization whose initial weights suit it.
#
# The claim is in section 4.2 of Ioffe & Szegedy (2015): with batch normalization a network bears higher
# learning rates. Bjorck et al. (2018, arXiv:1806.02375) go further: *that* is its whole gain, and at a small
# rate there is none.

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

# With --fast, and where MNIST can't be had: digits that minidl draws itself, which are synthetic.
train, test, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
print(notice or f"data: {train.title}")

# %% [markdown]
# ## Three networks
#
# All have three hidden layers of 100 sigmoids. The first starts from small random weights as in the paper,
# $N(0, 0.1^2)$. The second starts from larger ones, Glorot's times 4, since a sigmoid's slope is at most 1/4:
# then the signal keeps its size from layer to layer. The third has batch normalization and plain Glorot.


# %%
def network(init, batch_norm, seed):
    layers, features = [Flatten()], 28 * 28
    for _ in range(3):
        layers.append(Dense(features, 100, init=init))
        if batch_norm:
            layers.append(BatchNorm(100))
        layers.append(Sigmoid())
        features = 100
    return Sequential(*layers, Dense(100, 10, init=init), seed=seed)


ARMS = {
    "without, N(0, 0.1^2)": (dl.init.gaussian(0.1), False),
    "without, Glorot x 4": (partial(dl.init.glorot_uniform, gain=4), False),
    "with BN": (dl.init.glorot_uniform, True),
}

# %% [markdown]
# ## One sweep
#
# Each network gets the same number of steps at each rate, and is then evaluated on the test images (with
# exact population statistics, tutorial 07). A run whose loss isn't finite stays `nan`: lost, and counted so.

# %%
RATES = [1 / 32, 1 / 4, 2, 16] if FAST else [1 / 64, 1 / 16, 1 / 4, 1, 4, 16, 64]
SEEDS = [SEED] if FAST else [SEED, SEED + 100]
STEPS = 200 if FAST else 1000


class WatchWeights(dl.Callback):
    """Notes the length of the first weight matrix at every step."""

    def on_start(self, state):
        self.lengths = []
        self.on_step(state)

    def on_step(self, state):
        self.lengths.append(float(np.linalg.norm(state.model[1].weight.data)))


lengths = {}
accuracies = {arm: np.full((len(RATES), len(SEEDS)), np.nan) for arm in ARMS}
for arm, (init, batch_norm) in ARMS.items():
    for i, lr in enumerate(RATES):
        for j, seed in enumerate(SEEDS):
            model, watch = network(init, batch_norm, seed), WatchWeights()
            optimizer = dl.optim.SGD(model.parameters(), lr=lr)
            history = dl.fit(model, train, optimizer=optimizer, steps=STEPS, seed=seed, callbacks=[watch])
            if history.stopped == "finished":
                options = {"statistics": "population", "training_data": train}
                accuracies[arm][i, j] = dl.evaluate(model, test, **options).accuracy
            lengths[arm, lr] = watch.lengths
    print(f"{arm}:", *(f"{100 * a:.1f} %" for a in accuracies[arm].mean(axis=1)))

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.2), layout="constrained", width_ratios=(3, 2))
dl.plots.sweep(RATES, accuracies, left)
left.set_title(f"Test accuracy after {STEPS} steps: {test.title}")
curves = {f"lr {lr:g}": (np.arange(STEPS + 1), lengths["with BN", lr]) for lr in RATES[1:]}
dl.plots.bands(curves, right, xscale="log", ylabel="length of the first weight matrix")
right.set_yscale("log")
right.set_title("with BN: the weights grow")
figure.savefig(FIGURES / "09_learning_rates.png", dpi=100)

# %% [markdown]
# On the left, each network's range of rates. Without batch normalization the careful initial weights move the
# range to smaller rates, and widen it a little. With it the curve is a table, where the others' are hills.
# That is its robust gain: you need not know the rate. (On MNIST 64 was too much for all.)
#
# ## Why it bears them
#
# On the right, a brake that nobody built in. Batch normalization divides by the standard deviation, so a
# weight matrix twice as long gives the same output, $BN((aW)u) = BN(Wu)$, and half the gradient,
#
# $$\frac{\partial\, BN((aW)u)}{\partial (aW)} = \frac{1}{a} \cdot \frac{\partial\, BN(Wu)}{\partial W}$$
#
# (section 3.3). A rate that is too large makes the weights long; long weights have small gradients, and turn
# less with each step. Without batch normalization a step that is too long leads onto the flat part of the
# sigmoid, from where no gradient leads back. Tutorial 14 takes this identity apart.
#
# ## Doubt
#
# - At a rate that suits both, the network with good initial weights and without batch normalization is as
#   good, or nearly. Compare the two at 0.25: it is what Bjorck et al. say.
# - At the smallest rates batch normalization is ahead. Is that a gain? The brake works both ways: short
#   weights turn far with each step, and Glorot's are short. So "the same learning rate" isn't the same step
#   for two networks, and a comparison at one rate tells less than it seems to.
# - All this is after a fixed number of steps, with one network, on digits.

# %%
trained = {arm: [lr for i, lr in enumerate(RATES) if accuracies[arm][i].min() > 0.7] for arm in ARMS}
print("trained at", trained)

# %% [markdown]
# ## What this tutorial claimed

# %%
paper, careful, with_bn = ARMS
for without in (paper, careful):
    assert len(trained[with_bn]) >= len(trained[without]) + 2, "BN should train at more rates"
    assert max(trained[with_bn]) >= 4 * max(trained[without], default=0), "BN should bear higher rates"
middle = RATES.index(1 / 4)
gap = accuracies[with_bn][middle].mean() - accuracies[careful][middle].mean()
assert abs(gap) < (0.12 if FAST else 0.03), "at a rate that suits both there should be little between them"
growth = [lengths[with_bn, lr][-1] / lengths[with_bn, lr][0] for lr in RATES if lr < 64]
assert growth == sorted(growth), "the larger the rate, the longer the weights should become"
print("growth of the weights:", *(f"x {g:.2f}" for g in growth))
assert growth[-1] > 2, "at a large rate they should become clearly longer"
print("All that was claimed holds.")
