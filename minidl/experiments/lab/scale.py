"""How large an experiment is run: a preview in a minute, the default, or the paper's scale."""

from __future__ import annotations

from dataclasses import dataclass, replace

from minidl.checks import whole


@dataclass(frozen=True)
class Scale:
    """The size of an experiment.

    Attributes:
        name: "quick", "default" or "full".
        mlp_seeds: seeds of an MLP that are reported, 0 to mlp_seeds - 1.
        cnn_seeds: likewise of a CNN.
        choice_seeds: seeds on which rates and scales are chosen; never reported.
        mlp_steps: training steps of an MLP.
        cnn_steps: training steps of a CNN.
        image: height and width of a CNN's images; 14 averages 2 x 2 pixels.
        channels: feature maps of a CNN's two convolutions.

    """

    name: str
    mlp_seeds: int
    cnn_seeds: int
    choice_seeds: int
    mlp_steps: int
    cnn_steps: int
    image: int
    channels: tuple[int, int]

    @property
    def is_preview(self) -> bool:
        """Whether it is too small for a verdict."""
        return self.name == "quick"

    def of(self, quick: float, default: float, full: float | None = None) -> int:
        """A number that depends on the scale, such as steps; `full` is as `default` unless given."""
        large = default if full is None else full
        return int({"quick": quick, "default": default, "full": large}[self.name])


SCALES = {
    scale.name: scale
    for scale in (
        Scale("quick", 2, 2, 1, 300, 150, 14, (4, 8)),
        Scale("default", 10, 5, 2, 2_000, 1_000, 28, (8, 16)),
        Scale("full", 10, 5, 2, 50_000, 5_000, 28, (16, 32)),
    )
}


def scale_of(name: str, seeds: int | None = None) -> Scale:
    """A scale by its name, with another number of reported seeds if one is given.

    Raises:
        ValueError: an unknown name, or fewer than 2 seeds: one has no spread.

    Example:
        >>> scale_of("quick").mlp_seeds, scale_of("default", seeds=3).cnn_seeds
        (2, 3)

    """
    if name not in SCALES:
        raise ValueError(f"scale_of expects one of {', '.join(SCALES)}, got {name!r}")
    if seeds is None:
        return SCALES[name]
    seeds = whole("scale_of", "seeds", seeds, least=2)
    return replace(SCALES[name], mlp_seeds=seeds, cnn_seeds=seeds)
