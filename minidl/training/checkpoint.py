"""Checkpoints: a model, and its optimizer if wished, in a file from which training goes on bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from minidl.engine.array import Array
from minidl.files import replacing
from minidl.layers import Layer
from minidl.optim import Optimizer

_VERSION = 1


def save_checkpoint(path: str | Path, model: Layer, optimizer: Optimizer | None = None) -> None:
    """Write a model to a file: parameters, buffers, Dropout's generators, and the optimizer's state if given.

    The file is written whole or not at all. It is NumPy's .npz format, without pickle: other tools can read
    it, and a stranger's file is safe to open. Its arrays are named "model/" + the dotted name, such as
    "model/1.weight".

    Args:
        path: the file; its name is taken as it is.
        model: any layer. Without an optimizer this saves its weights.
        optimizer: what trains it.

    Example:
        >>> import tempfile
        >>> from minidl.layers import Dense
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_checkpoint(f"{folder}/model.npz", Dense(2, 1, init="zeros"))
        ...     list(np.load(f"{folder}/model.npz"))
        ['version', 'model/weight', 'model/bias']

    """
    _check("save_checkpoint", model, optimizer)
    entries: dict[str, Any] = {"version": _VERSION}
    entries |= {f"model/{name}": array for name, array in model.state_dict().items()}
    for name, generator in model.generators().items():
        entries[f"generator/{name}"] = json.dumps(generator.bit_generator.state, default=np.ndarray.tolist)
    if optimizer is not None:
        entries |= {f"optimizer/{name}": value for name, value in optimizer.state_dict().items()}
    arrays = {name: np.asarray(value) for name, value in entries.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"save_checkpoint expects arrays of numbers, got {array.dtype} in {name}")
    with replacing(Path(path)) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_checkpoint(path: str | Path, model: Layer, optimizer: Optimizer | None = None) -> None:
    """Read what `save_checkpoint` wrote into a model of the same build, and an optimizer of the same kind.

    A training that goes on from here gives the same bits as one that never stopped, if it gets the same
    batches: their order isn't in the file. Without `optimizer` the optimizer's state in the file, if any, is
    left alone.

    Args:
        path: the file.
        model: any layer with the same names, shapes and dtypes.
        optimizer: with the same options, made from this model's parameters.

    Raises:
        ValueError: if the file is no checkpoint, or if anything is missing, unexpected, misshapen or of
            another dtype; nothing has changed then.

    Example:
        Go on with an epoch that was left in the middle:

        >>> from itertools import islice
        >>> from minidl.datasets import batches
        >>> data = np.zeros((10, 2)), np.zeros(10, int)
        >>> steps_done = 3      # optimizer.steps
        >>> rest = islice(batches(data, 2, epochs=2, seed=0), steps_done, None)
        >>> len(list(rest))
        7

    """
    _check("load_checkpoint", model, optimizer)
    entries = _read(Path(path))
    state = _part(entries, "model")
    own = model.state_dict()
    differing = [n for n in own if n in state and state[n].dtype != own[n].dtype]
    if differing:
        name = differing[0]
        raise ValueError(
            f"{path} has {name} as {state[name].dtype}, the model as {own[name].dtype}: "
            f"use model.astype(np.{state[name].dtype}) before load_checkpoint"
        )
    generators = model.generators()
    noise = _noise(path, _part(entries, "generator"), generators)
    memory = _part(entries, "optimizer")
    if optimizer is not None and not memory:
        raise ValueError(f"{path} holds no optimizer: it was saved without one; load it with model alone")
    before = None if optimizer is None else optimizer.state_dict()
    if optimizer is not None:
        optimizer.load_state_dict(memory)
    try:
        model.load_state_dict(state)
    except ValueError:
        if optimizer is not None and before is not None:
            optimizer.load_state_dict(before)
        raise
    for name, generator in generators.items():
        generator.bit_generator.state = noise[name]


def _check(where: str, model: Layer, optimizer: Optimizer | None) -> None:
    if not isinstance(model, Layer) or not isinstance(optimizer, Optimizer | None):
        kinds = f"{type(model).__name__} and {type(optimizer).__name__}"
        raise TypeError(f"{where} expects (path, model, optimizer), got {kinds} as the last two: swap them")


def _read(path: Path) -> dict[str, Array]:
    with path.open("rb") as opened:     # np.load(path) would leave a damaged file open
        try:
            with np.load(opened, allow_pickle=False) as file:
                entries = {name: file[name] for name in file.files}
                version = int(entries.pop("version"))
        except Exception as error:      # zipfile, zlib and NumPy raise a dozen kinds for a damaged file
            what = "is no checkpoint, or damaged: expected one of save_checkpoint"
            raise ValueError(f"{path} {what}") from error
    if version != _VERSION:
        raise ValueError(f"{path} is a checkpoint of version {version}, this minidl reads version {_VERSION}")
    return entries


def _noise(
    path: str | Path, texts: dict[str, Array], generators: dict[str, np.random.Generator]
) -> dict[str, Any]:
    """The states of the generators in the file, each tried on a generator of its kind."""
    wanted = {name: type(generator.bit_generator) for name, generator in generators.items()}
    try:
        states = {name: json.loads(str(text)) for name, text in texts.items()}
        found = {name: state["bit_generator"] for name, state in states.items()}
        if found == {name: kind.__name__ for name, kind in wanted.items()}:
            for name, kind in wanted.items():
                kind().state = states[name]
            return states
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"{path} is damaged: a generator of noise in it has no state") from error
    kinds = {name: kind.__name__ for name, kind in wanted.items()}
    raise ValueError(f"{path} has generators of noise {found}, the model {kinds}: build the same model")


def _part(entries: dict[str, Array], kind: str) -> dict[str, Array]:
    prefix = f"{kind}/"
    return {name.removeprefix(prefix): array for name, array in entries.items() if name.startswith(prefix)}
