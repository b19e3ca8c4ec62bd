"""What is published of a run of the laboratory: small enough for a repository, whole enough to judge again.

Of every run its scalars stay, those of the runs that chose among them; so `analyse()` and the verdicts can be
computed again by anyone. Series go, but for what an experiment's `analyse()` reads (its `essential_series`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, cast

import numpy as np

from minidl.experiments.lab.experiment import Analysis, ExperimentModule, LabResult, experiments
from minidl.experiments.lab.jobs import CHOICE, FIRST_CHOICE_SEED, REPORT, Job, Record, module_of
from minidl.experiments.lab.statistics import paired_interval
from minidl.experiments.lab.stored import numbers, settings_from_plain
from minidl.experiments.record import to_plain

DIGITS = 6      # significant ones that are kept

Published = dict[str, Any]
Essential = Callable[[Record], dict[str, Any]]


def published(results: Iterable[LabResult]) -> Published:
    """The header and all experiments, as plain data for JSON.

    Raises:
        ValueError: previews, which have no verdict; or runs on different data, scales or versions.

    """
    results = list(results)
    headers = [_header(result) for result in results]
    for result, header in zip(results, headers, strict=True):
        if result.scale.is_preview:
            raise ValueError(f"{result.claim.experiment}: a preview has no verdict: run it without --quick")
        for key, value in header.items():
            if value != headers[0][key]:
                raise ValueError(
                    f"{result.claim.experiment}: expected {key} {headers[0][key]} as in "
                    f"{results[0].claim.experiment}, got {value}: publish runs that were made alike"
                )
    return {
        "header": headers[0] if headers else {},
        "experiments": {result.claim.experiment: _experiment(result) for result in results},
    }


def merged(old: Published, new: Published) -> Published:
    """Published experiments with others beside them or in their place, in the order of the claims.

    Raises:
        ValueError: they weren't made alike.

    """
    for key, value in new["header"].items():
        if value != old["header"][key]:
            raise ValueError(
                f"expected {key} {old['header'][key]} as in the file, got {value}: name another file"
            )
    both = {**old["experiments"], **new["experiments"]}
    return {**old, "experiments": {name: both[name] for name in experiments() if name in both}}


def records_of(name: str, experiment: Mapping[str, Any]) -> list[Record]:
    """The records of a published experiment, without the series that its analysis doesn't read."""
    records = []
    for run in experiment["runs"]:
        settings = settings_from_plain({**experiment["common settings"], **run["settings"]})
        for i, seed in enumerate(run["seeds"]):
            values = {key: float(of_seeds[i]) for key, of_seeds in run["values"].items()}
            series = {key: numbers(of_seeds[i]) for key, of_seeds in run.get("series", {}).items()}
            purpose = CHOICE if seed >= FIRST_CHOICE_SEED else REPORT
            job = Job(name, run["arm"], seed, purpose, settings)
            records.append(Record(job, values, series, 0.0))
    return records


def analysed(name: str, experiment: Mapping[str, Any]) -> Analysis:
    """What the published runs of an experiment say, computed again."""
    return cast(ExperimentModule, module_of(name)).analyse(records_of(name, experiment))


def published_text(content: Published) -> str:
    """The content as JSON with a line for each group of runs, so that differences can be read."""
    experiments = []
    for name, experiment in content["experiments"].items():
        entries = [f"{json.dumps(key)}: {json.dumps(experiment[key])}" for key in experiment if key != "runs"]
        runs = ",\n".join(f"  {_compact(run)}" for run in experiment["runs"])
        entries.append(f'"runs": [\n{runs}\n ]')
        inside = ",\n ".join(entries)
        experiments.append(f"{json.dumps(name)}: {{\n {inside}\n}}")
    inside = ",\n".join(experiments)
    return f'{{\n"header": {json.dumps(content["header"])},\n"experiments": {{\n{inside}\n}}\n}}\n'


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _header(result: LabResult) -> dict[str, Any]:
    scale = asdict(result.scale)
    kinds = {"MLP": "mlp_seeds", "CNN": "cnn_seeds", "choice": "choice_seeds"}
    seeds = {kind: scale.pop(key) for kind, key in kinds.items()}
    header: dict[str, Any] = to_plain({
        "data": result.data, "scale": scale, "seeds": seeds, "versions": asdict(result.environment),
    })
    return header


def _experiment(result: LabResult) -> dict[str, Any]:
    module = module_of(result.claim.experiment)
    essential: Essential = getattr(module, "essential_series", lambda record: {})
    plain = [to_plain(r.job.settings) for r in result.records]
    common = {k: v for k, v in plain[0].items() if all(k in s and s[k] == v for s in plain)} if plain else {}
    paper = result.analysis.against_paper
    contrasts = {
        contrast.name: {
            **to_plain(result.intervals[contrast.name]),
            "question": contrast.question,
            "smallest": contrast.smallest,
            "unit": contrast.unit,
            "differences": result.analysis.contrasts[contrast.name],
            "against plain-paper": to_plain(paired_interval(paper[contrast.name])) if paper else None,
        }
        for contrast in result.claim.contrasts
    }
    groups: dict[str, dict[str, Any]] = {}
    for r in result.records:
        key = json.dumps([r.job.purpose, r.job.arm, to_plain(r.job.settings), sorted(r.values)])
        group = groups.setdefault(key, {
            "arm": r.job.arm, "seeds": [],
            "settings": {k: v for k, v in to_plain(r.job.settings).items() if k not in common},
            "values": {name: [] for name in r.values},
        })
        group["seeds"].append(r.job.seed)
        for name, value in r.values.items():
            group["values"][name].append(_rounded(value))
        for name, series in essential(r).items():
            group.setdefault("series", {}).setdefault(name, []).append(_rounded(series))
    return {
        "claim": result.claim.claim,
        "source": result.claim.source,
        "verdict": result.verdict,
        "remark": result.remark,
        "seconds": round(result.seconds),
        "contrasts": contrasts,
        "numbers": to_plain(result.analysis.numbers),
        "notes": result.analysis.notes,
        "common settings": common,
        "runs": list(groups.values()),
    }


def _rounded(value: Any, digits: int = DIGITS) -> Any:
    if isinstance(value, list):
        return [_rounded(v, digits) for v in value]
    if not np.isfinite(value):
        return to_plain(float(value))
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() else rounded
