# %% [markdown]
# # 11 Before or after the activation; the useless bias
#
# Two questions of carpentry. Where does batch normalization belong, before the activation or after it? And
# why do so many programs write `Dense(..., bias=False)` in front of it? The second has an exact answer, the
# first has none; it is good to know which is which.

# %%
import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl.layers import BatchNorm, Dense, Flatten, ReLU, Sequential, Sigmoid

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # the variables are for notebooks
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
(FIGURES / "fast").mkdir(parents=True, exist_ok=True)

# With --fast, and where MNIST can't be had: digits that minidl draws itself, which are synthetic.
train, test, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
train, validation = train.split(55_000, seed=0)
print(notice or f"data: {train.title}")


# %%
def network(activation, placement, seed=SEED, bias=True):
    """Two hidden layers; BN before or after their activation."""
    layers, features = [Flatten()], 28 * 28
    for _ in range(2):
        pair = [BatchNorm(100), activation()]
        layers += [Dense(features, 100, bias=bias), *(pair if placement == "before" else reversed(pair))]
        features = 100
    return Sequential(*layers, Dense(100, 10), seed=seed)


def bias_and_weight_gradient(model):
    """Sizes of the gradients of the first layer's bias and weights, on one batch."""
    with model.preserved(), dl.Tape() as tape:
        loss = dl.losses.cross_entropy(model(train.images[:500]), train.labels[:500])
    return [float(np.linalg.norm(g)) for g in tape.gradients(loss, [model[1].bias, model[1].weight])]


# %% [markdown]
# ## The useless bias
#
# The paper's place is before the activation, on $x = Wu + b$. The mean over the batch contains $b$ too, and
# is subtracted:
#
# $$Wu + b - \overline{(Wu + b)} = Wu - \overline{Wu}$$
#
# So $b$ cannot be seen in the output. What can't be seen has no gradient, and what has no gradient doesn't
# learn. Batch normalization has its own bias, $\beta$, which comes after the subtraction (section 3.2).
#
# Let us see that happen. We train with a bias in front of BN, and look at it afterwards.

# %%
before, after = network(Sigmoid, "before"), network(Sigmoid, "after")
for placement, model in (("before", before), ("after", after)):
    dl.fit(model, train, optimizer=dl.optim.SGD(model.parameters(), lr=0.5), steps=200, seed=SEED)
    bias, weight = bias_and_weight_gradient(model)
    print(f"BN {placement}: gradient of the bias {bias:.1e}, of the weights {weight:.1e}; "
          f"largest |bias| after 200 steps {abs(model[1].bias.data).max():.1e}")

images = train.images[:500]
with before.preserved():    # in training mode: the batch's own statistics
    output = before(images).data
    before[1].bias.data = before[1].bias.data + np.float32(5)
    moved = abs(before(images).data - output).max()
with before.evaluating():
    moved_frozen = abs(before(images).data - output).max()
before[1].bias.data = before[1].bias.data - np.float32(5)
print(f"a bias of 5 more changes the outputs by {moved:.1e}; with running statistics by {moved_frozen:.2g}")

# %% [markdown]
# Zero, up to rounding: the bias is where it started. With BN *after* the activation it is not useless, since
# the sigmoid stands between them.
#
# The last line is a warning. At test time the running statistics are constants: they know nothing of a bias
# that is changed afterwards. "BN ignores the bias" is a sentence about training mode.
#
# ## Before or after?
#
# The paper's reason for "before": $Wu + b$ is a sum of many terms, so nearly Gaussian, and normalising it
# makes it well-behaved, while the output of a nonlinearity has a shape that mean and variance don't tell. The
# opposite reason is as good: what the *next* layer gets should be normalised, and only "after" does that.
# Look at what the second hidden layer receives.

# %%
ACTIVATIONS, PLACEMENTS = {"sigmoid": Sigmoid, "ReLU": ReLU}, ("before", "after")
figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained", width_ratios=(1, 1, 1.3))
received = {}
for ax, (name, activation) in zip(axes, ACTIVATIONS.items(), strict=False):
    for number, placement in enumerate(PLACEMENTS):
        with dl.Tape() as tape:
            network(activation, placement)(train.images[:1000])
        received[name, placement] = values = tape.find(op="dense")[1].inputs[0].data
        style = dl.plots.arm_style(number)
        ax.hist(values.ravel(), bins=np.linspace(-3, 4, 71), histtype="step", density=True, color=style.color,
                linestyle=style.linestyle, label=f"{placement}: {values.mean():.2f} ± {values.std():.2f}")
        print(f"{name}, BN {placement}: the next layer receives {values.mean():.2f} +- {values.std():.2f}")
    ax.set(xlabel="what the second hidden layer receives", ylabel="density", yscale="log")
    ax.set_title(f"BN and {name}, before training")
    ax.legend(title="BN, mean ± std", fontsize="small")

# %% [markdown]
# Reasons are cheap; train them. Each placement gets several learning rates and is judged at its best one
# (chosen on validation images, reported on test images), since what suits one needn't suit the other.

# %%
RATES, STEPS = ((0.5, 4), 200) if FAST else ((0.06, 0.25, 1, 4), 1000)
arms, best, at_4 = {}, {}, {}
for name, activation in ACTIVATIONS.items():
    for placement in PLACEMENTS:
        found = []
        for lr in RATES:
            model = network(activation, placement, bias=placement == "after")
            dl.fit(model, train, optimizer=dl.optim.SGD(model.parameters(), lr=lr), steps=STEPS, seed=SEED)
            options = {"statistics": "population", "training_data": train}
            with np.errstate(over="ignore"):    # a network that is lost may have huge outputs
                found.append([dl.evaluate(model, data, **options).accuracy for data in (validation, test)])
        arms[f"{name}, BN {placement}"] = [[accuracy] for accuracy, _ in found]
        best[name, placement], at_4[name, placement] = max(found)[1], found[-1][1]
        print(f"{name}, BN {placement}: test accuracy at its best rate {100 * best[name, placement]:.1f} %")

dl.plots.sweep(RATES, arms, axes[2])
axes[2].set_ylabel("validation accuracy (%)")
axes[2].set_title(f"{STEPS} steps: {train.title}")
axes[2].set_ylim(0.7, 1)
figure.savefig(FIGURES / "11_before_or_after.png", dpi=100)

# %% [markdown]
# At their best rates the two differ by about a point or less, and on MNIST not even in one direction:
# sigmoids did better with BN after, ReLU a little better with BN before. Published benchmarks disagree as
# well: on ImageNet one network is better with BN after (0.499 against 0.474), another one with BN before
# (0.607 against 0.596). Whoever tells you that one place is right has one network in mind.
#
# One difference is large, at the highest rate: with BN after, the networks are lost there. The brake of
# tutorial 09 works only on weights whose product is normalised at once; with BN after, $Wu + b$ can grow
# without bound and push every sigmoid onto its flat part before anything is normalised.
#
# So what to do? Take the paper's place if you have no reason against it: everyone will understand you, and
# you may be careless with the rate. Then leave out the bias. If you take the other place, keep it.
#
# ## What this tutorial claimed

# %%
bias, weight = bias_and_weight_gradient(before)
assert bias < 1e-5 * weight, "in front of BN a bias should have no gradient"
assert abs(before[1].bias.data).max() < 1e-4, "in front of BN a bias should stay where it started"
assert moved < 1e-3 < moved_frozen, "it should be invisible with the batch's statistics, and only with them"
bias, weight = bias_and_weight_gradient(after)
assert bias > 1e-3 * weight, "with the activation between them the bias should count"
for name in ACTIVATIONS:
    assert abs(received[name, "after"].mean()) < 1e-3 < 0.3 < received[name, "before"].mean()
    gap = abs(best[name, "before"] - best[name, "after"])
    assert gap < (0.08 if FAST else 0.02), f"{name}: neither place should be much better"
    assert at_4[name, "before"] > 0.7 > 0.5 > at_4[name, "after"], "at lr 4 only BN before should survive"
print("All that was claimed holds.")
