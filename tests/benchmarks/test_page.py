"""The page shows what was measured, and nothing else."""

from __future__ import annotations

from tests.benchmarks import page


def test_the_table_in_the_readme_is_that_of_the_runs():
    text = (page.HERE / "README.md").read_text(encoding="utf-8")
    assert page.insert(text, page.page()) == text
    assert text.count(page.BEGIN) == text.count(page.END) == 1


def test_a_figure_short_of_its_target_is_bold(tmp_path):
    row = {
        "work": "training x", "against": "PyTorch", "ours": "1 ms", "theirs": "2 ms", "setting": "1 thread",
        "figure": 1.234, "unit": "x", "target": 1.5, "at_least": True, "allocator": {"value": 0.5},
    }
    for i, reached in enumerate((True, False, None)):
        run = {
            "date": "2026-01-01", "processor": "P", "cores": 2, "system": "S", "python": "3",
            "versions": {"a": "A 1"}, "rows": [{**row, "reached": reached}],
        }
        (tmp_path / f"run-{i}.json").write_text(page.json.dumps(run), encoding="utf-8")
    *_, line = page.page(tmp_path).splitlines()
    assert line == (
        "| training x | 1 ms | PyTorch 2 ms | 1 thread | 1.23x | **1.23x** | 1.23x | >= 1.5 | 0.50x |"
    )
