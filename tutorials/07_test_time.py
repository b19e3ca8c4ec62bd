# %% [markdown]
# # 07 Test time: one image, and no companions
#
# So far every image was normalized together with 59 others. But a bank reads one cheque at a time, and the
# amount must not depend on who else stands in the queue. Algorithm 2 of the paper says what to do: once the
# training is over, replace the statistics of the mini-batch by those of the whole *population*, for ever.

# %%
import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl.layers import BatchNorm, Dense, Flatten, Sequential, Sigmoid, fold_batch_norm

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # the variables are for notebooks
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
(FIGURES / "fast").mkdir(parents=True, exist_ok=True)

train, test, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
train, validation = train.split(55_000, seed=0)
print(notice or f"data: {train.title}")


def network():
    layers, features = [Flatten()], 784
    for _ in range(3):
        layers += [Dense(features, 100, bias=False, init=dl.init.gaussian(0.1)), BatchNorm(100), Sigmoid()]
        features = 100
    return Sequential(*layers, Dense(100, 10, init=dl.init.gaussian(0.1)), seed=SEED)


# %% [markdown]
# ## The mistake that everybody makes once
#
# A network has two modes. In *training mode*, where it begins and where `fit` leaves it, BN takes mean and
# variance of the mini-batch. In *evaluation mode*, after `model.eval()`, it takes fixed ones, which are the
# matter of this tutorial. (`dl.predict` changes into evaluation mode and back.)
#
# Train the paper's network, and forget to switch. A single image is refused: its variance is zero. "Then I
# give it twice!" says somebody. Two copies of one image: mean = the image, $x - \mu = 0$, in every unit of
# the first layer. Whatever the image shows, the network sees zeros.


# %%
def trained(statistics):
    """Network and history; `statistics` says with which fixed ones the accuracy on the way is measured."""
    steps, model = 300 if FAST else 1500, network()
    points = [10, 20, 30, 50, 75, 100, 150, 200, 250, *range(300, steps + 1, 100)]
    return model, dl.fit(
        model, train, optimizer=dl.optim.SGD(model.parameters(), lr=0.5), steps=steps, seed=SEED,
        validation=validation[:2000], validate_every=points, statistics=statistics,
    )


model, history = trained("population")
print(history)
some = test.images[:20]
with model.preserved():    # puts the running statistics back, which forward passes in training mode change
    try:
        answer = model(some[:1]).data
    except ValueError as refusal:
        answer = None
        print(refusal)
    twice = np.array([model(np.stack([image, image])).data[0] for image in some])
print("labels              ", test.labels[:20])
print("two copies each     ", twice.argmax(axis=1))
print("in evaluation mode  ", dl.predict(model, some).argmax(axis=1))

# %% [markdown]
# ## Algorithm 2
#
# **Up to step 7**: train as before, then freeze the weights. **Step 10**: for each unit, average over many
# training mini-batches of size $m$,
#
# $$\mathrm{E}[x] = \mathrm{E}_B[\mu_B], \qquad \mathrm{Var}[x] = \tfrac{m}{m-1}\, \mathrm{E}_B[v_B].$$
#
# (The factor: within a mini-batch, values are a little nearer to *their own* mean than to the true one, so
# $v_B$ is too small by $(m-1)/m$ on average.) **Step 11**: with these fixed, BN is one straight line a unit,
#
# $$y = \frac{\gamma}{\sqrt{\mathrm{Var}[x] + \varepsilon}}\, x
#     + \Bigl(\beta - \frac{\gamma\, \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \varepsilon}}\Bigr).$$
#
# `dl.training.recalibrate` is step 10. The picture shows one unit of the last hidden layer: what goes into
# its BN, and what comes out. Both are on the tape: the results of the third Dense layer, and the inputs of
# the third sigmoid. In training each mini-batch draws a line of its own; at test time there is one.


# %%
def around_bn(tape):
    return tape.find(op="dense")[2].output.data, tape.find(op="sigmoid")[2].inputs[0].data


lines = []
with model.preserved():
    for images, _ in dl.batches(train[:600], 20, seed=SEED):
        with dl.Tape() as tape:
            model(images)
        lines.append(around_bn(tape))
dl.training.recalibrate(model, train[:10_000])
fixed = around_bn(dl.instruments.probe(model, train.images[:600]))    # `probe`: a tape in evaluation mode
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained", sharey=True)
for x, y in lines:
    order = x[:, 0].argsort()
    axes[0].plot(x[order, 0], y[order, 0], color="#0072B2", linewidth=0.8, alpha=0.6)
axes[0].set(ylabel="out of BN", title="training: 30 mini-batches of 20, a line each")
axes[1].plot(fixed[0][:, 0], fixed[1][:, 0], ".", color="#D55E00", markersize=2)
axes[1].set_title("test: E[x] and Var[x] of the population")
figure.supxlabel("into BN: x of one unit", fontsize="medium")
figure.suptitle(f"Algorithm 2: {train.title}")
figure.savefig(FIGURES / "07_algorithm_2.png", dpi=90)

# %% [markdown]
# ## The stand-in: moving averages
#
# Step 10 takes an extra pass through the data. "Using moving averages instead, we can track the accuracy of a
# model as it trains", says the paper. So `BatchNorm` keeps `running_mean` and `running_var`, and in training
# each mini-batch moves them a tenth of the way (`momentum=0.1`). They are free. But they begin at 0 and 1, of
# which a share of $0.9^t$ is left after $t$ steps, and they remember weights that have changed since. So we
# train once more, in the very same way, but measure with the moving averages.

# %%
_, with_moving = trained("moving")
ax = dl.plots.curves({"moving averages": with_moving, "step 10, at each point": history}, xscale="log")
ax.set_title(f"The same network, twice evaluated: {train.title}")
ax.figure.savefig(FIGURES / "07_moving_average.png", dpi=100)

# %% [markdown]
# Early on the moving averages make a decent network look bad. Later the two agree, as long as the weights
# change slowly. If an evaluation jumps up and down while the training loss falls calmly, suspect the moving
# averages first.
#
# ## Folding
#
# A straight line after a linear map is again a linear map. So at test time BN costs nothing: multiply its
# slope into the weights before it, put its intercept into a bias, and throw it away.

# %%
folded = fold_batch_norm(model)
print(folded)
difference = abs(dl.predict(folded, test.images[:1000]) - dl.predict(model, test.images[:1000])).max()
alone = np.concatenate([dl.predict(model, image[None]) for image in some])
together = dl.predict(model, some)
print(f"folded - unfolded: {difference:.1e}; alone - in company: {abs(alone - together).max():.1e}")

# %% [markdown]
# The folded network has no BN, the same answers, and for a single image the same as in company. Batch
# normalization was a scaffold: it was needed to build, and can be taken down.
#
# ## What this tutorial claimed

# %%
moving, population = (np.array(found.validation.accuracy) for found in (with_moving, history))
assert answer is None and np.ptp(twice, axis=0).max() < 1e-2, "two copies of any image look alike"
assert with_moving.train.loss == history.train.loss, "evaluating changes nothing"
assert (population - moving)[:3].max() > 0.1 and abs(population - moving)[-1] < 0.05, "late, not for ever"
slopes = [np.polyfit(x[:, 0], y[:, 0], 1)[0] for x, y in lines]
assert np.std(slopes) > 0.03 * abs(np.mean(slopes)), "each mini-batch has a line of its own"
residual = np.polyfit(fixed[0][:, 0], fixed[1][:, 0], 1, full=True)[1]
assert residual.sum() < 1e-4, "at test time there is one line"
assert difference < 1e-3 and not any(isinstance(layer, BatchNorm) for layer in folded)
assert np.allclose(alone, together, atol=1e-4), "no companions needed"
print("All that was claimed holds.")
