# %% [markdown]
# # 03 The disease: sigmoids that saturate, and gradients that fade
#
# One hidden layer of sigmoids learnt digits easily. Six of them learn nothing. This tutorial finds out why,
# with three instruments: where the inputs of the sigmoids lie, how large the gradients are, and how many
# sigmoids are *saturated*.

# %%
import os
import sys
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minidl as dl
from minidl.layers import Dense, Flatten, Sequential, Sigmoid

FAST = "--fast" in sys.argv or "MINIDL_FAST" in os.environ    # the variables are for notebooks
SEED = int(sys.argv[sys.argv.index("--seed") + 1] if "--seed" in sys.argv else os.getenv("MINIDL_SEED", 0))
FIGURES = (Path(__file__).parent if "__file__" in globals() else Path()) / "figures"
(FIGURES / "fast").mkdir(parents=True, exist_ok=True)

train, _, notice = (*dl.datasets.stroke_digits(), None) if FAST else dl.datasets.mnist_or_stroke_digits()
FIGURES = FIGURES / "fast" if train.synthetic else FIGURES    # what the pages show is MNIST
train, validation = train.split(55_000, seed=0)
images, labels = train.images[:500], train.labels[:500]    # a fixed probe, to look into the networks with
print(notice or f"data: {train.title}")

# %% [markdown]
# ## One sigmoid
#
# The slope of a sigmoid is $\sigma'(x) = \sigma(x)(1 - \sigma(x))$. It is never above 1/4, and where
# $|x| > 3$ it is below 0.05: there the sigmoid is saturated. Whatever gradient comes from above is multiplied
# by this slope, once in every layer. A saturated sigmoid lets next to nothing through; but even a sigmoid in
# the very middle of its range takes away three quarters.
#
# ## Six layers of them, before any training
#
# How are the inputs of the sigmoids distributed in each layer? That depends on the scale of the initial
# weights. Three starts: *small* (standard deviation 0.1), *large* (1), and *careful* (four times Glorot &
# Bengio's rule of 2010, which makes up for the slope of 1/4).

# %%
careful_start = partial(dl.init.glorot_uniform, gain=4)
STARTS = {"small": dl.init.gaussian(0.1), "careful": careful_start, "large": dl.init.gaussian(1.0)}


def network(start, depth=6):
    sizes = [784, *[100] * depth]
    hidden = [(Dense(n, 100, init=STARTS[start]), Sigmoid()) for n in sizes[:-1]]
    return Sequential(Flatten(), *sum(hidden, ()), Dense(100, 10, init=STARTS[start]), seed=SEED)


edges = np.linspace(-15, 15, 91)
saturated, spread = {}, {}
figure, axes = plt.subplots(1, 3, figsize=(11, 4.2), layout="constrained")
for ax, start in zip(axes, STARTS, strict=True):
    tape = dl.instruments.probe(network(start), images)
    saturated[start] = [layer.saturated for layer in dl.instruments.saturation(tape)]
    inputs = [record.inputs[0].data for record in tape.find(op="sigmoid")]
    spread[start] = [x.std(axis=0).mean() for x in inputs]    # from image to image, unit by unit
    shares = [np.histogram(np.clip(x, -14.9, 14.9), edges)[0] for x in inputs]
    dl.plots.ridgeline(edges, shares, list("123456"), ax, xlabel="input x", ylabel="layer", sigmoid=True)
    ax.set_title(f"{start}: {100 * np.mean(saturated[start]):.0f} % saturated")
figure.suptitle(f"Inputs of the sigmoids in six layers before training (grey: saturated): {train.title}")
figure.savefig(FIGURES / "03_inputs.png", dpi=90)
print("small start, how far a unit's input varies from image to image:", np.round(spread["small"], 4))

# %% [markdown]
# With the large start most sigmoids are saturated before the first step. With the small one none is, but look
# at the numbers printed: from layer to layer a unit's input varies less and less with the image, as if the
# upper layers saw the same image again and again.
#
# ## The gradient on its way down
#
# Now one replay of the tape, and the size of the gradient of each weight matrix, from the first layer up.

# %%
flow = {}
for start in STARTS:
    model = network(start)
    with dl.Tape() as tape:
        loss = dl.losses.cross_entropy(model(images), labels)
    tape.backward(loss)
    found = dl.instruments.parameter_gradients(model)
    flow[start] = np.array([row.gradient for row in found if row.name.endswith("weight")])
ax = dl.plots.gradient_flow(list("1234567"), flow)
ax.set_title(f"Gradients of the weights before training: {train.title}")
ax.figure.savefig(FIGURES / "03_gradient_flow.png", dpi=100)
factor = (flow["small"][5] / flow["small"][0]) ** (1 / 5)
print(f"small start: {factor:.1f} times smaller with each layer down")

# %% [markdown]
# With the small start the first layer gets a gradient thousands of times smaller than the last. It would
# learn, but not in our lifetime. No sigmoid is saturated there! The gradient *vanishes* because every layer
# multiplies it by a slope of 1/4 and by small weights.
#
# ## Training them
#
# One layer and six with the small start, six with the careful one, at two learning rates. `Watch` notes the
# saturated sigmoids of each layer on the way, often at first.


# %%
class Watch(dl.Callback):
    def __init__(self):
        self.steps, self.found = [], []

    def on_step(self, state):
        if state.step in (0, 1, 2, 3, 4, 6, 8, 11, 16, 25, 50, 100, 200, 400):
            self.steps.append(state.step)
            self.found.append(dl.instruments.saturation(dl.instruments.probe(state.model, images)))

    on_start = on_step


runs = {
    "1 layer, small start, lr 0.5": ("small", 1, 0.5),
    "6 layers, small start, lr 0.5": ("small", 6, 0.5),
    "6 layers, careful start, lr 0.5": ("careful", 6, 0.5),
    "6 layers, careful start, lr 2": ("careful", 6, 2.0),
}
histories, watches = {}, {}
for name, (start, depth, lr) in runs.items():
    model, watches[name] = network(start, depth), Watch()
    histories[name] = dl.fit(
        model, train, optimizer=dl.optim.SGD(model.parameters(), lr=lr), steps=400, seed=SEED,
        validation=validation[:1000], callbacks=[watches[name]],
    )
ax = dl.plots.curves(histories)
ax.set_title(f"Depth, start and learning rate: {train.title}")
ax.figure.savefig(FIGURES / "03_training.png", dpi=100)

# %% [markdown]
# The careful start saves six layers at learning rate 0.5, and not at 2. What happened there? A sigmoid that
# is saturated for *some* images is useful: it has decided. One that is saturated on the same side for all of
# them says nothing any more, and lets no gradient through. Call it **dead**.

# %%
last = watches["6 layers, careful start, lr 2"]
shares = {f"layer {i + 1}": [row[i].saturated for row in last.found] for i in (0, 2, 4, 5)}
dead = {f"layer {i + 1}": [row[i].dead for row in last.found] for i in (0, 2, 4, 5)}
ax = dl.plots.saturation(last.steps, shares, dead)
ax.set_title(f"Careful start, lr 2: {train.title}")
ax.figure.savefig(FIGURES / "03_dying.png", dpi=100)

# %% [markdown]
# Sixteen steps are enough. It begins at the top (Glorot & Bengio saw this in 2010): the last two layers die
# and shield those below from the gradient, which stay as they are. So a deep sigmoid network walks on a
# ridge. On one side gradients vanish, on the other sigmoids die; a careful start sets it on the ridge, and a
# long step pushes it off. What if something *held* the inputs of the sigmoids where they have a slope, at
# every step? That is batch normalization: tutorial 04.
#
# ## What this tutorial claimed

# %%
final = {name: history.validation.accuracy[-1] for name, history in histories.items()}
one, six, careful, hurried = final.values()
assert factor > 2.5 and flow["small"][0] < 0.01 * flow["small"][5], "small start: the gradient vanishes"
assert flow["careful"][0] > 0.02 * flow["careful"][5], "careful start: it arrives"
assert max(saturated["small"]) < 0.05 and min(saturated["large"]) > 0.5
assert spread["small"][5] < 0.01 * spread["small"][0], "small start: upper layers see hardly a difference"
assert one > 0.8 and six < 0.25, "one layer learns, six don't"
assert careful > 0.5 and hurried < 0.25, "a careful start saves six layers, until the step is too long"
assert last.found[-1][5].dead > 0.9 and last.found[-1][0].dead < 0.2, "the last layer dies, not the first"
print("All that was claimed holds.")
