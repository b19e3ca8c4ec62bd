"""Population statistics for batch normalization, computed with the weights frozen (Algorithm 2, step 10)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from minidl.checks import whole
from minidl.datasets import Data, as_pair
from minidl.engine.tape import active_tape
from minidl.layers import BatchNorm, Layer
from minidl.training.checks import check_model

# Statistics don't need the batches of the training: larger ones are about twice as fast as batches of 60, and
# nearer to the population, as the layers before were normalised with less noise. 10 of them are nearly exact
# (Wu & Johnson 2021).
BATCH_SIZE = 1000


def recalibrate(model: Layer, data: Data, batch_size: int = BATCH_SIZE, batches: int | None = None) -> None:
    """Replace each BatchNorm's running statistics by averages over batches of data, with frozen weights.

    running_mean = average of the batches' means, running_var = average of m'/(m'-1) times their biased
    variances. The BatchNorms work in training mode meanwhile, all other layers in evaluation mode; afterwards
    each has its own mode and momentum again, and `batches_seen` is the number of batches averaged. A model
    without BatchNorm stays as it is. If something goes wrong half-way the old statistics are kept.

    Args:
        model: any layer.
        data: a Dataset, or a pair (inputs, targets); training data. Its first examples are taken in their
            order, in full batches: shuffle it first if it is sorted by class.
        batch_size: examples a batch.
        batches: how many; None for all full ones.

    Raises:
        ValueError: if data has fewer than one full batch, or fewer than `batches`, or holds NaN or infinity.

    Source: Ioffe & Szegedy 2015, Algorithm 2, step 10. Wu & Johnson 2021 (arXiv:2105.07576) call it
    PreciseBN.

    Example:
        >>> import numpy as np
        >>> model = BatchNorm(1)
        >>> recalibrate(model, ([[1.0], [3.0], [5.0], [9.0]], [0, 0, 0, 0]), batch_size=2)
        >>> model.running_mean, model.running_var       # variances 1 and 4, times 2/1, averaged
        (array([4.5], dtype=float32), array([5.], dtype=float32))

    """
    check_model("recalibrate", model)
    inputs, _ = as_pair(data, "recalibrate")
    size = whole("recalibrate", "batch_size", batch_size)
    least = 1 if batches is None else whole("recalibrate", "batches", batches)
    full = len(inputs) // size
    if full < least:
        raise ValueError(
            f"recalibrate expects {least} full {'batch' if least == 1 else 'batches'} of {size} examples, "
            f"got {len(inputs)} examples: use batch_size={max(1, len(inputs) // least)} or less, or more data"
        )
    norms = [layer for _, layer in model.named_layers() if isinstance(layer, BatchNorm)]
    if not norms:
        return
    if active_tape() is not None:
        raise RuntimeError("recalibrate would be recorded: call it outside `with Tape()`")
    old = {norm: (norm.momentum, norm.running_mean, norm.running_var, norm.batches_seen) for norm in norms}
    done = False
    with model.evaluating():
        try:
            for norm in norms:
                norm.reset_statistics()
                norm.momentum = None
                norm.training = True
            count = full if batches is None else least
            for i in range(count):
                model(inputs[i * size : (i + 1) * size])
            refusing = [norm for norm in norms if norm.batches_seen < count]
            if refusing and not np.isfinite(used := inputs[: count * size]).all():
                bad = next(i for i, example in enumerate(used) if not np.isfinite(example).all())
                raise ValueError(f"recalibrate got NaN or infinity in example {bad}: leave it out")
            for norm in refusing:   # the network itself overflows, and it must not look as if it didn't
                norm.running_var = np.full_like(norm.running_var, np.nan)
            done = True
        finally:
            for norm, (momentum, mean, var, seen) in old.items():
                norm.momentum = momentum
                if not done:
                    norm.running_mean, norm.running_var, norm.batches_seen = mean, var, seen


@contextmanager
def recalibrated(
    model: Layer, data: Data, batch_size: int = BATCH_SIZE, batches: int | None = None
) -> Iterator[None]:
    """Population statistics inside this `with`, see `recalibrate`; afterwards the old ones, bit for bit.

    Example:
        >>> import numpy as np
        >>> model = BatchNorm(1)
        >>> with recalibrated(model, ([[1.0], [3.0]], [0, 0]), batch_size=2):
        ...     print(model.running_mean)
        [2.]
        >>> model.running_mean
        array([0.], dtype=float32)

    """
    with model.preserved():
        recalibrate(model, data, batch_size, batches)
        yield
