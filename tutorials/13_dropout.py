# %% [markdown]
# # 13 Dropout, and whether BN's noise replaces it
#
# Dropout switches units off at random while training, so that no unit can rely on a certain other one. It is
# noise with a purpose: it keeps a network from learning its training images by heart. Batch normalization is
# noisy as well, without having been asked: what it does with an image depends on the 59 others that happen to
# be in the batch. Ioffe & Szegedy (2015, section 3.4) found that in a batch-normalized network dropout "can
# be either removed or reduced in strength". Let us measure the noise first, and then what each does.

# %%
import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl.layers import BatchNorm, Dense, Dropout, Flatten, ReLU, Sequential

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # the variables are for notebooks
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
(FIGURES / "fast").mkdir(parents=True, exist_ok=True)

# With --fast, and where MNIST can't be had: digits that minidl draws itself, which are synthetic.
train, test, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
print(notice or f"data: {train.title}")

# %% [markdown]
# ## How noisy is batch normalization?
#
# One image, many random companions. We send the same image through `Dense`, `BatchNorm` and `ReLU` in
# training mode, each time in another batch, and see how much its activations waver, relative to their spread
# over images. The same for dropout with the rate 0.5.


# %%
def wavering(layer, batch_size, draws=100):
    """Standard deviation of one image's activations over random batches, over that between images."""
    model = Sequential(Flatten(), Dense(28 * 28, 256), layer, ReLU(), seed=SEED)
    generator = np.random.default_rng(SEED)
    found = []
    with model.preserved():
        for _ in range(draws):
            companions = train.images[generator.integers(1, 10_000, batch_size - 1)]
            found.append(model(np.concatenate([train.images[:1], companions])).data)
    between = np.concatenate(found).std(axis=0).mean()
    return float(np.array([activations[0] for activations in found]).std(axis=0).mean() / between)


SIZES = (4, 16, 64, 256)
of_bn = [wavering(BatchNorm(256), size) for size in SIZES]
of_dropout = wavering(Dropout(0.5), 16)
print("BN:", *(f"batch of {size}: {100 * noise:.0f} %;" for size, noise in zip(SIZES, of_bn, strict=True)),
      f"dropout 0.5: {100 * of_dropout:.0f} %")

# %% [markdown]
# Batch normalization's noise falls with the root of the batch size, as that of any average. At 64 it is small
# beside dropout's, and nobody set it: it comes with the batch size, which is chosen for other reasons.
#
# ## What does it do?
#
# A few images, a wide network, many steps: it will learn them by heart. *Overfitting* is the gap between the
# accuracy on those images and on images that it hasn't seen. Four networks: with neither, with dropout, with
# batch normalization, with both.

# %%
few = train[:500] if FAST else train[:1000]
unseen = test[:2000] if FAST else test
SEEDS = [SEED + more for more in ([0] if FAST else [0, 100, 200])]
STEPS, RATE = 150 if FAST else 1000, 0.2
ARMS = {"neither": (False, 0), "dropout": (False, RATE), "BN": (True, 0), "both": (True, RATE)}


def network(batch_norm, dropout, seed):
    layers, features = [Flatten()], 28 * 28
    for _ in range(3):
        layers += [Dense(features, 256), *([BatchNorm(256)] if batch_norm else []), ReLU(), Dropout(dropout)]
        features = 256
    return Sequential(*layers, Dense(256, 10), seed=seed)


histories, seen, new = {}, {}, {}
for arm, (batch_norm, dropout) in ARMS.items():
    histories[arm], found = [], []
    for seed in SEEDS:
        model = network(batch_norm, dropout, seed)
        histories[arm].append(dl.fit(
            model, few, optimizer=dl.optim.SGD(model.parameters(), lr=0.1), batch_size=50, steps=STEPS,
            seed=seed, validation=unseen, validate_every=STEPS // 10, statistics="population",
        ))
        on_seen = dl.evaluate(model, few, statistics="population", training_data=few).accuracy
        found.append((on_seen, histories[arm][-1].validation.accuracy[-1]))
    seen[arm], new[arm] = np.mean(found, axis=0)
    print(f"{arm}: accuracy {100 * seen[arm]:.1f} % on seen images, {100 * new[arm]:.1f} % on new ones")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
left.loglog(SIZES, of_bn, marker="o", label="BN")
left.loglog(SIZES, of_bn[0] * np.sqrt(4 / np.array(SIZES)), color="grey", linestyle=":", label="1 / √m")
left.axhline(of_dropout, color="black", linestyle="--", label="dropout, rate 0.5")
left.set(xlabel="batch size m", ylabel="noise of an activation / its spread")
left.set_title(f"Noise in training: {few.title}")
left.set_xticks(SIZES, SIZES)
left.minorticks_off()
left.set_yticks([0.05, 0.1, 0.2, 0.5], ["0.05", "0.1", "0.2", "0.5"])
left.legend()
dl.plots.curves(histories, ax=right)
right.set_ylabel("accuracy on new images (%)")
right.set_title(f"Trained on {len(few):,} images: {few.title}")
right.set_ylim(new["neither"] - 0.1, max(new.values()) + 0.02)
figure.savefig(FIGURES / "13_dropout.png", dpi=95)

# %% [markdown]
# All four learn their images by heart, to 100 % or nearly. So neither kind of noise *prevents* overfitting.
# But on MNIST each of the two makes the network better on new images, by a point or so, and both together are
# no worse than either.
#
# Does batch normalization replace dropout? Here it did most of what dropout did. Before you carry that
# further:
#
# - Nobody chose the rates here: learning rate, dropout's rate and the number of steps are one guess for all
#   four. The laboratory's experiment `dropout` chooses them for each arm, for three sizes of the training
#   set, and takes ten seeds. There batch normalization alone came out ahead of dropout alone, and adding
#   dropout to it gained nothing that matters (tutorial 15 shows the verdict).
# - That BN's *noise* is what helps is a guess: batch normalization changes more than that, the learning rates
#   that it bears above all.
# - With more images all differences shrink. On large data the paper removed dropout and was better, but it
#   changed other things at the same time (section 4.2.1), so that isn't a clean comparison either.
#
# Should you use both, put dropout behind the last batch normalization, or recalibrate as we did: in front of
# one it changes the variance in training but not in evaluation, and moving averages are then wrong at test
# time (Li et al. 2018, arXiv:1801.05134).

# %% [markdown]
# ## What this tutorial claimed

# %%
slope = np.polyfit(np.log(SIZES), np.log(np.maximum(of_bn, 1e-9)), 1)[0]
assert abs(slope + 0.5) < 0.1, "BN's noise should fall with the root of the batch size"
assert 0 < of_bn[SIZES.index(64)] < of_dropout / 2, "at usual batch sizes it should be smaller than dropout's"
assert seen["BN"] > 0.99 and seen["BN"] - new["BN"] > 0.05, "BN shouldn't keep a network from overfitting"
least = -0.03 if FAST else 0.002    # 500 synthetic digits and 150 steps can't tell tenths
assert new["BN"] - new["neither"] > least, "BN should help on new images"
assert new["dropout"] - new["neither"] > least, "and so should dropout"
assert new["both"] - max(new["BN"], new["dropout"]) > (-0.03 if FAST else -0.005), "both should do no harm"
print("All that was claimed holds.")
