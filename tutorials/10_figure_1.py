# %% [markdown]
# # 10 Figure 1 of the paper, all three panels
#
# One figure made batch normalization famous: Figure 1 of Ioffe & Szegedy (2015). Panel (a) shows the test
# accuracy of the small sigmoid network of tutorial 00 over the training, with and without batch
# normalization. Panels (b) and (c) look inside: the 15th, 50th and 85th percentile of the input to *one*
# sigmoid of the last hidden layer, without and with.
#
# We draw it again. The paper says: 28 x 28 binary images, three hidden layers of 100 sigmoids, small random
# Gaussian weights, batches of 60, 50,000 steps. It doesn't say: the learning rate, the optimizer, the
# standard deviation of the weights, the threshold of the binary images, which sigmoid, how many seeds.
# Whoever draws the figure has to choose, and should say what. Here: plain SGD at 0.5, $N(0, 0.1^2)$,
# threshold 0.5, sigmoid 0, and far fewer steps, since all that is worth seeing happens early.

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


def binary(data):
    images = (data.images >= 0.5).astype(np.float32)
    return dl.datasets.Dataset(images, data.labels, data.class_names, data.name, data.synthetic)


# With --fast, and where MNIST can't be had: digits that minidl draws itself, which are synthetic.
grey, unseen, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if grey.synthetic else FIGURES    # what the pages show is MNIST
train, test = binary(grey[:10_000] if FAST else grey), binary(unseen[:2000] if FAST else unseen)
print(notice or f"data: {train.title}, binary")

# %% [markdown]
# ## Three networks, not two
#
# The paper's opponent is weak: from weights as small as $N(0, 0.1^2)$ a deep sigmoid network first has to
# find its way off a plateau. So there is a third network, without BN, whose initial weights suit sigmoids.


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


PLAIN, CAREFUL, BN = "without", "without, better initial weights", "with BN"
ARMS = {
    PLAIN: (dl.init.gaussian(0.1), False),
    CAREFUL: (partial(dl.init.glorot_uniform, gain=4), False),
    BN: (dl.init.gaussian(0.1), True),
}

# %% [markdown]
# ## Run first, draw later
#
# At log-spaced steps we evaluate, with exact population statistics (moving averages would lag behind), and
# send 1,000 fixed images through the network: the tape of that has every sigmoid's input.

# %%
STEPS = 600 if FAST else 3000
AT = [0, *(round(step) for step in np.geomspace(10, STEPS, 8 if FAST else 14))]


class WatchInputs(dl.Callback):
    """Percentiles (units, 3) of the inputs to the last layer of sigmoids, at every validation."""

    def on_start(self, state):
        self.found = []

    def on_validation(self, state):
        with dl.training.recalibrated(state.model, train[:10_000]):
            tape = dl.instruments.probe(state.model, train.images[:1000])
        self.found.append(dl.instruments.percentiles(tape)[-1].values)


histories, inputs, models = {}, {}, {}
for arm, (init, batch_norm) in ARMS.items():
    histories[arm] = []
    for seed in [SEED] if FAST else [SEED + 200, SEED + 100, SEED]:    # panels b and c show the last one
        model, watch = network(init, batch_norm, seed), WatchInputs()
        histories[arm].append(dl.fit(
            model, train, optimizer=dl.optim.SGD(model.parameters(), lr=0.5), steps=STEPS, seed=seed,
            validation=test, validate_every=AT, statistics="population", callbacks=[watch],
        ))
    inputs[arm], models[arm] = np.array(watch.found), model    # inputs: (measurements, units, 3)

# %%
figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained", width_ratios=(1.2, 1, 1))
dl.plots.curves(histories, ax=axes[0], xscale="log", ylim=(0.7, 1))
axes[0].set_ylabel("test accuracy (%)")
axes[0].set_title(f"(a) {test.title}, binary")
for ax, letter, arm in zip(axes[1:], "bc", (PLAIN, BN), strict=True):
    dl.plots.percentiles(AT, inputs[arm][:, 0], inputs[arm][:, 1:].transpose(1, 0, 2), ax, xscale="log")
    ax.set_title(f"({letter}) one sigmoid, {arm}")
    ax.set_ylim(-4, 4)
dl.plots.share_legend(figure)
figure.savefig(FIGURES / "10_figure_1.png", dpi=100)

# %% [markdown]
# ## What is to be seen
#
# (a) With batch normalization the network is at 80 % when the other is still guessing. That is the paper's
# panel, and it is true. But the dashed curve has no batch normalization either: with better initial weights
# most of the lead is gone, and at the end the three curves lie close together.
#
# (b) Without batch normalization the input of our sigmoid, and of the 99 others (thin lines), wanders off by
# more than its own width. The layers above have to follow it.
#
# (c) With batch normalization it stays put. Before you admire that: *it can't do otherwise*. What this
# sigmoid gets is $y = \gamma \hat{x} + \beta$, so over a batch its mean **is** $\beta$ and its standard
# deviation **is** $|\gamma|$, whatever the layers below do. Panel (c) shows that $\gamma$ and $\beta$ move
# slowly, no more. That the stability in (c) *causes* the lead in (a) is a second claim, and no panel shows it
# (tutorial 15).


# %%
def first_step(history, level):
    """The first measurement at which the test accuracy has reached a level."""
    points = zip(history.validation.step, history.validation.accuracy, strict=True)
    return next((step for step, accuracy in points if accuracy >= level), np.inf)


def wandering(inputs):
    """How far a sigmoid's median input moves, in units of its 15-85 width; the median sigmoid's."""
    medians, widths = inputs[:, :, 1], inputs[:, :, 2] - inputs[:, :, 0]
    return float(np.median(np.ptp(medians, axis=0) / widths.mean(axis=0)))


to_80, final = {}, {}
for arm, runs in histories.items():
    to_80[arm] = [first_step(history, 0.8) for history in runs]
    final[arm] = np.median([history.validation.accuracy[-1] for history in runs])
    print(f"{arm}: 80 % at step {to_80[arm]}, at the end {100 * final[arm]:.1f} %; "
          f"inputs wander by {wandering(inputs[arm]):.2f} widths")

# %% [markdown]
# ## What this tutorial claimed

# %%
assert max(to_80[BN]) * 2.5 < min(to_80[PLAIN]), "(a): BN should be far ahead of plain"
assert np.median(to_80[CAREFUL]) * 2 < np.median(to_80[PLAIN]), "better weights should take most of that lead"
assert abs(final[BN] - final[CAREFUL]) < (0.05 if FAST else 0.02), "at the end there should be little between"
assert wandering(inputs[BN]) * 4 < wandering(inputs[PLAIN]), "(b, c): with BN inputs should stay put"
batch_norm = models[BN][-3]
with models[BN].preserved(), dl.Tape() as tape:
    models[BN](train.images[:1000])    # in training mode: the batch's own statistics
spread = tape.find(op="sigmoid")[-1].inputs[0].data.std(axis=0)
assert np.allclose(spread, abs(batch_norm.gamma.data), rtol=1e-2), "the width in (c) should be gamma"
print("All that was claimed holds.")
