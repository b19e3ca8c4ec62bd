# %% [markdown]
# # 08 Mini-batches: noise, size, the last short one, and companions
#
# Batch normalization is the layer in which examples meet. What one image becomes depends on the others that
# chance put into its mini-batch. Is that a defect, a nuisance, or a gift? First measure it.

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

train, test, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
train, validation = train.split(55_000, seed=0)
rng = np.random.default_rng(SEED)
print(notice or f"data: {train.title}")


def network(batch_norm, init):
    layers, features = [Flatten()], 784
    for _ in range(3):
        layers += [Dense(features, 100, init=init), *([BatchNorm(100)] if batch_norm else []), Sigmoid()]
        features = 100
    return Sequential(*layers, Dense(100, 10, init=init), seed=SEED)


def trained(model, lr, batch_size, steps):
    dl.fit(
        model, train, optimizer=dl.optim.SGD(model.parameters(), lr=lr), batch_size=batch_size, steps=steps,
        seed=SEED,
    )
    return dl.evaluate(model, validation[:2000], statistics="population", training_data=train).accuracy


small = dl.init.gaussian(0.1)
model = network(True, small)
print(f"accuracy {trained(model, 0.5, 60, 300 if FAST else 1500):.3f}")

# %% [markdown]
# ## Noise
#
# Take one image of the test set, and send it through the trained network again and again, *in training mode*,
# with other companions each time. Its logits differ from time to time. How much depends on the number of
# companions: a mean over $m$ values is uncertain by $1/\sqrt m$ of their spread.


# %%
def answers(image, companions, m, times=100):
    """The logits of one image among m - 1 of the companions, in training mode; (times, 10)."""
    with model.preserved():    # also puts the running statistics back
        return np.array([
            model(np.concatenate([image[None], rng.choice(companions.images, m - 1)])).data[0]
            for _ in range(times)
        ])


sizes = np.array([4, 8, 16, 32, 64, 128])
noise = np.array([answers(test.images[0], test, m).std(axis=0).mean() for m in sizes])
power = np.polyfit(np.log(sizes), np.log(noise), 1)[0]
print(f"noise of the logits: {noise.round(2)} for m = {sizes}, about m to the power {power:.2f}")

# %% [markdown]
# ## Companions
#
# Noise is harmless when the companions are drawn at random, and treacherous when they aren't. Suppose that
# the test images come sorted by class, and somebody evaluates in training mode. A mini-batch of sevens has a
# mean that looks like a seven, and normalizing takes it away: what all have in common, no one can see.

# %%
some = test[:2000]
orders = {"shuffled": np.arange(2000), "sorted by class": some.labels.argsort(kind="stable")}
accuracy = {}
for name, order in orders.items():
    data = some[order]
    with model.preserved():
        said = np.concatenate([
            model(images).data.argmax(axis=1) for images, _ in dl.batches(data, 50, shuffle=False)
        ])
    accuracy[f"training mode, {name}"] = np.mean(said == data.labels)
    accuracy[f"evaluation mode, {name}"] = dl.evaluate(model, data).accuracy
for name, share in accuracy.items():
    print(f"{name:32s} {100 * share:.1f} %")

figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
axes[0].loglog(sizes, noise, "o-", color="#0072B2", label="measured")
axes[0].loglog(sizes, noise[0] * np.sqrt(sizes[0] / sizes), "--", color="#666666", label="1 / sqrt(m)")
axes[0].set(xlabel="mini-batch size m", ylabel="noise of the logits", title="one image, random companions")
axes[0].legend()
axes[1].barh(list(accuracy), [100 * share for share in accuracy.values()], color=["#D55E00", "#0072B2"] * 2)
axes[1].set(xlabel="accuracy (%)", title="companions in mini-batches of 50")
figure.suptitle(f"What companions do: {test.title}")
figure.savefig(FIGURES / "08_companions.png", dpi=90)

# %% [markdown]
# ## Size
#
# How small may a mini-batch be? Train with several sizes, all with the same number of steps, and beside it
# the plain network with a careful start, which suffers from small mini-batches too: its gradients are noisy.

# %%
careful = partial(dl.init.glorot_uniform, gain=4)
batch_sizes, steps = ([2, 8, 60], 250) if FAST else ([2, 4, 8, 16, 60, 200], 1500)
found = {
    name: (batch_sizes, [100 * trained(network(batch_norm, init), 0.5, m, steps) for m in batch_sizes])
    for name, batch_norm, init in (("batch norm", True, small), ("plain, careful start", False, careful))
}
ax = dl.plots.bands(found, ylabel="validation accuracy (%)", xlabel="mini-batch size", xscale="log")
ax.set_title(f"{steps} steps at learning rate 0.5: {train.title}")
ax.figure.savefig(FIGURES / "08_batch_size.png", dpi=100)
for name, (_, percent) in found.items():
    print(f"{name:20s}", dict(zip(batch_sizes, np.round(percent, 1).tolist(), strict=True)))

# %% [markdown]
# At two images BN has nothing but signs (tutorial 04). At eight it is usable, and from a few dozen on its
# noise hardly matters; some say that a little of it even helps against overfitting (tutorial 13). Note the
# other curve: with a careful start and this learning rate the plain network needs no BN, and with very small
# mini-batches it is better off without.
#
# ## The last short one
#
# An epoch seldom divides evenly: 121 images in mini-batches of 60 leave one alone at the end, and a training
# stops there with an error, perhaps after hours. `drop_last=True` leaves the rest out (in a shuffled epoch it
# is another rest each time). `dl.fit` does so by itself where a lone image would be left over.

# %%
refused = ""
with model.preserved():
    try:
        for images, _ in dl.batches(train[:121], 60, seed=SEED):
            model(images)
    except ValueError as error:
        refused = str(error)
    whole = [len(model(images).data) for images, _ in dl.batches(train[:121], 60, seed=SEED, drop_last=True)]
print(refused)
print(f"with drop_last=True: {whole}")

# %% [markdown]
# ## What this tutorial claimed

# %%
assert -0.8 < power < -0.3, "noise should fall about as 1 / sqrt(m)"
right, wrong = accuracy["training mode, shuffled"], accuracy["training mode, sorted by class"]
assert right > 0.8 and wrong < right - 0.2, "companions of one class should spoil it"
kept = [accuracy[f"evaluation mode, {name}"] for name in orders]
assert np.isclose(*kept) and kept[0] > 0.8, "in evaluation mode companions don't matter"
normalized, plain = (dict(zip(*pair, strict=True)) for pair in found.values())
assert normalized[60] > normalized[2] + 10, "mini-batches of two are too small"
assert plain[2] > normalized[2], "for BN even more than for the plain network"
assert normalized[60] > 80 and normalized[60] - normalized[8] < 20, "eight are usable"
assert "drop_last" in refused and whole == [60, 60]
print("All that was claimed holds.")
