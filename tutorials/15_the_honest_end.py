# %% [markdown]
# # 15 The honest end: is it covariate shift?
#
# The paper's title explains batch normalization: "by reducing internal covariate shift". Layers learn on
# inputs whose distribution moves while the layers below learn; batch normalization holds the distributions
# still; and *that is why* it helps. Tutorial 10 showed the first two parts. The third is a claim about
# causes, and a picture of two things that occur together doesn't prove it.
#
# Santurkar et al. (2018, arXiv:1805.11604) put it to the test in a way that you can repeat in ten lines: keep
# batch normalization, but move its distributions on purpose, at random, at every step.

# %%
import json
import os
import sys
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl.experiments import lab
from minidl.layers import BatchNorm, Dense, Flatten, Sequential, Sigmoid

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # the variables are for notebooks
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FOLDER = Path(__file__).parent if "__file__" in globals() else Path()
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
(FIGURES / "fast").mkdir(parents=True, exist_ok=True)

# With --fast, and where MNIST can't be had: digits that minidl draws itself, which are synthetic.
train, test, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
print(notice or f"data: {train.title}")
rng = np.random.default_rng(SEED)


# %%
class NoisyBatchNorm(BatchNorm):
    """BN whose outputs are shifted and stretched at random, each feature its own way, anew at every step."""

    def forward(self, x):
        y = super().forward(x)
        if not self.training:
            return y
        stretch = rng.uniform(0.75, 1.25, self.num_features).astype(x.dtype)
        return y * stretch + rng.uniform(-1, 1, self.num_features).astype(x.dtype)


def network(norm, init):
    layers, features = [Flatten()], 28 * 28
    for _ in range(3):
        layers += [Dense(features, 100, init=init), *([norm(100)] if norm else []), Sigmoid()]
        features = 100
    return Sequential(*layers, Dense(100, 10, init=init), seed=SEED)


# %% [markdown]
# On the way we measure the *jump*: how far the mean input of a sigmoid of the last hidden layer moves from
# one step to the next, in units of its spread. If shift were the disease, this would be the fever.


# %%
class Jumps(dl.Callback):
    def on_start(self, state):
        self.found, self.before = [], None

    def on_gradients(self, state):
        x = state.tape.find(op="sigmoid")[-1].inputs[0].data
        if self.before is not None:
            self.found.append(float(np.median(abs(x.mean(axis=0) - self.before) / x.std(axis=0))))
        self.before = x.mean(axis=0)


WITHOUT, BN, NOISY = "without", "BN", "noisy BN"
ARMS = {
    WITHOUT: (None, partial(dl.init.glorot_uniform, gain=4)),
    BN: (BatchNorm, dl.init.glorot_uniform),
    NOISY: (NoisyBatchNorm, dl.init.glorot_uniform),
}
STEPS = 200 if FAST else 3000
histories, jumps, late = {}, {}, {}
for arm, (norm, init) in ARMS.items():
    model, watch = network(norm, init), Jumps()
    histories[arm] = dl.fit(
        model, train, optimizer=dl.optim.SGD(model.parameters(), lr=1.0), steps=STEPS, seed=SEED,
        validation=test[:2000], validate_every=STEPS // 10, statistics="population", callbacks=[watch],
    )
    jumps[arm] = watch.found
    late[arm] = np.mean(histories[arm].validation.accuracy[5:])    # a single reading wavers by a point or two
    print(f"{arm}: test accuracy in the second half of training {100 * late[arm]:.1f} %, "
          f"jump {np.mean(jumps[arm]):.2f} spreads a step")

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
dl.plots.curves(histories, ax=left)
left.set_ylabel("accuracy, 2,000 test images (%)")
left.set_title(f"Learning rate 1: {train.title}")
left.set_ylim(0.7, 1)
dl.plots.bands({arm: (np.arange(2, STEPS + 1), found) for arm, found in jumps.items()}, right,
               ylabel="jump of a sigmoid's mean input / spread", xscale="log")
right.set_title(f"How far inputs move in one step: {train.title}")
figure.savefig(FIGURES / "15_noisy_batch_norm.png", dpi=95)

# %% [markdown]
# The noisy network's distributions jump at every step, after the first few further than those of the network
# without batch normalization. It hardly cares: it learns nearly as well as the quiet one. So whatever batch
# normalization does for training, holding distributions still can't be the heart of it. (Santurkar et al.'s
# own explanation is a smoother loss; that is the claim "landscape" below.)
#
# Doubt this tutorial as well: without batch normalization the network is as good here, at *this* learning
# rate and with its good initial weights. There is nothing to explain at rate 1; there was at 8. Bjorck et al.
# (2018, arXiv:1806.02375) say just that: the gain is the larger learning rates, and the rest follows.
#
# ## All verdicts
#
# The laboratory (`minidl lab list`) tests each claim about batch normalization with ten seeds (CNNs five),
# with rates chosen for each arm on other seeds, and with the smallest effect that matters written down
# *before* the first run. `results.json` holds what it found on MNIST. You needn't believe its verdicts: it
# has the difference of each seed, so we compute the intervals and the verdicts again.

# %%
published = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
bars, again = [], {}
for name, found in published["experiments"].items():
    smallest = lab.claims()[name].smallest
    intervals = {key: lab.paired_interval(found["contrasts"][key]["differences"]) for key in smallest}
    again[name] = lab.verdict(intervals, smallest)
    print(f"{found['verdict'].upper():14} {name}: {found['claim']} {found['remark']}")
    for key, interval in intervals.items():
        low, high = interval.decisive
        bars.append((f"{name}: {key}", (interval.mean - smallest[key]) / max((high - low) / 2, 1e-12)))

# %% [markdown]
# And as a picture: where each contrast lies, seen from the smallest effect that matters, in units of half its
# own 95 % interval. Right of the grey band the effect is surely large enough; left of it surely too small;
# inside nobody knows. A claim is *supported* only if all its contrasts lie on the right.

# %%
names, places = zip(*reversed(bars), strict=True)
figure, ax = plt.subplots(figsize=(9, 1 + 0.24 * len(bars)), layout="constrained")
ax.axvspan(-1, 1, color="#DDDDDD", label="not decided")
ax.plot(np.clip(places, -30, 30), range(len(names)), "o", color=dl.plots.arm_style(0).color)
ax.set_yticks(range(len(names)), names, fontsize="small")
ax.set_xscale("symlog", linthresh=2)
ax.set(xlabel="(effect - smallest that matters) / half of its interval, cut at 30", xlim=(-35, 35))
ax.set_title("What the laboratory found on MNIST")
ax.grid(axis="y", color="#EEEEEE")
ax.legend()
figure.savefig(FIGURES / "15_verdicts.png", dpi=80)

# %% [markdown]
# If few claims come out whole, that isn't a scandal: it is what testing them one at a time looks like, on one
# small data set, with opponents that were given good initial weights and their own best learning rates. A
# claim that isn't supported here may hold in deeper networks and on other data. You have the tools to see.
#
# ## What this tutorial claimed

# %%
jump = {arm: np.mean(found) for arm, found in jumps.items()}
assert jump[BN] < 0.02 < jump[WITHOUT] < jump[NOISY], "noise should move distributions further than learning"
assert late[NOISY] > late[BN] - (0.06 if FAST else 0.015), "and do little or no harm"
assert again == {name: found["verdict"] for name, found in published["experiments"].items()}
print("All that was claimed holds.")
