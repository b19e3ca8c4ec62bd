"""The page: what it says, in which order, and that it needs nothing but itself."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from itertools import pairwise
from urllib.parse import unquote

import pytest

from minidl import report
from minidl.experiments.lab import judge, scale_of
from minidl.report.figure_records import FigureData, Matrix, Panel, Series
from minidl.report.page import Drawn, Run, run_page
from minidl.report.page.figures import figure
from minidl.report.page.html import Html, joined, tag
from minidl.report.page.section import spans
from minidl.report.page.svg import inline_svg
from tests.experiments.lab.test_runs import tiny
from tests.report.runs import Page
from tests.report.test_comparison import made_up

KINDS = ("compare", "train", "lab")
SVG = '<?xml version="1.0"?><svg viewBox="0 0 72 36" xmlns="http://www.w3.org/2000/svg"><g id="a"/></svg>'
NAN = float("nan")


def page_of(*records) -> Page:
    return Page(run_page([Run(f"run{i}", record, ()) for i, record in enumerate(records)]))


@pytest.fixture(scope="module")
def pages(runs):
    return {kind: (folder / "report.html").read_text(encoding="utf-8") for kind, folder in runs.items()}


@pytest.fixture(scope="module", params=KINDS)
def content(request, pages):
    return pages[request.param]


def test_a_page_is_what_the_command_makes_of_its_folder(runs, pages):
    for kind, folder in runs.items():
        assert report.run_page([report.read_run(folder)]) == pages[kind]


def test_a_page_refers_to_nothing_outside(content):
    assert "http" not in content.replace("http-equiv", "")
    assert "<script" not in content
    assert "@import" not in content
    for name, attributes in Page(content).tags:
        for key in ("src", "href", "xlink:href", "action", "data"):
            address = attributes.get(key, "data:")
            assert address.startswith(("data:", "#")), (name, address[:80])
    assert set(re.findall(r"url\((.)", content)) <= {"#"}


def test_elements_are_closed_ids_are_unique_and_references_lead_somewhere(content):
    page = Page(content)
    assert page.errors == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = re.findall(r'(?:url\(#|href="#)([^")]+)', content)
    used += [i for _, a in page.tags for i in a.get("aria-labelledby", "").split()]
    assert used
    assert set(used) <= set(ids)


def test_headings_have_an_order(content):
    page = Page(content)
    levels = [int(name[1]) for name, _ in page.tags if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.of("html")[0]["lang"] == "en"
    assert page.of("meta")[1]["content"].startswith("width=device-width")
    order = [text.removeprefix("h2 ") for text in page.headings if text.startswith("h2")]
    last = ["Settings", "Environment", "Seeds", "The command that repeats it"]
    assert order == [name for name in ("Figures", "Numbers", "Notes", *last) if name in order]
    assert {"Figures", *last} <= set(order)


def test_every_figure_has_a_title_a_description_and_its_data(runs, pages):
    for kind, folder in runs.items():
        page = Page(pages[kind])
        names = {path.stem for path in folder.glob("*.svg")}
        drawings = [a for a in page.of("svg") if "aria-labelledby" in a]
        assert len(drawings) == len(page.of("figure")) == len(names) > 0
        assert all(a["role"] == "img" for a in page.of("svg"))
        descriptions = re.findall(r"<desc [^>]*>([^<]*)</desc>", pages[kind])
        assert len(descriptions) == len(names)
        assert all(len(text) > 60 for text in descriptions)
        files = [a["download"] for a in page.of("a") if "download" in a]
        assert len(files) == len(set(files))
        assert {re.sub(r"-\d+\.csv$|\.csv$", "", name) for name in files} == names


def test_synthetic_data_is_called_so_before_the_figures(content):
    page = Page(content)
    assert page.text.index("The data is synthetic") < page.text.index("The data behind this figure")
    assert "synthetic" not in page_of(tiny_on_mnist()).text


def test_no_path_of_this_machine(content, runs):
    assert str(runs["lab"].parent) not in content
    assert "/home" not in content and "/root" not in content and "/tmp" not in content


def tiny_on_mnist(**changes):
    return replace(tiny("figure1"), data="MNIST", **changes)


def test_a_preview_has_no_verdict():
    text = page_of(tiny_on_mnist()).text
    assert "preview: no verdict" in text
    assert "SUPPORTED" not in text


@pytest.mark.parametrize("verdict", ["supported", "not supported", "mixed", "inconclusive"])
def test_a_verdict_comes_before_the_claim_and_its_contrasts(verdict):
    result = tiny_on_mnist(scale=scale_of("default"), verdict=verdict, remark="a remark")
    text = page_of(result).text
    parts = [f"{verdict.upper()} (a remark)", result.claim.claim, result.claim.source]
    for contrast in result.claim.contrasts:
        mean = result.intervals[contrast.name].mean
        parts += [f"{contrast.name}: {contrast.question}", f"Mean {mean:+.3g}"]
    places = [text.index(part) for part in [*parts, "Figures", *result.analysis.numbers, "Settings"]]
    assert places[:-2] == sorted(places[:-2])


def test_what_a_contrast_found_is_said_in_words_and_drawn():
    result = tiny_on_mnist(scale=scale_of("default"))
    contrasts = result.claim.contrasts
    differences = {c.name: [c.smallest + shift, c.smallest + shift + 0.001 * (1 + abs(shift))]
                   for c, shift in zip(contrasts, (5.0, -5.0, 0.0), strict=True)}
    analysis = replace(result.analysis, contrasts=differences, against_paper={})
    intervals, *_ = judge(result.claim, analysis, result.scale)
    page = page_of(replace(result, analysis=analysis, intervals=intervals))
    charts = [a["aria-label"] for a in page.of("svg")]
    for chart, contrast, found in zip(charts, contrasts, ("reached", "missed", "undecided"), strict=True):
        assert chart.startswith(f"{contrast.name}, {found}. Mean ")
    for line in page.of("line"):
        assert all(0 <= float(line[key]) <= 360 for key in ("x1", "x2"))


def test_the_headline_of_a_comparison_follows_from_its_runs():
    comparison = made_up(diverge=True)
    runs = [
        replace(r, test_accuracy=0.97, outcome="trained") if r.config.batch_norm and r.config.lr == 8 else r
        for r in comparison.results
    ]
    text = page_of(replace(comparison, results=tuple(runs))).text
    # The validation accuracies of both rates are alike: the first of them counts as best.
    assert "after 100 steps" in text
    assert "plain, N(0, 0.1^2) 83.0 % (lr 0.5)" in text
    assert "plain, N(0, 0.1^2): none; plain, Glorot x 4: none; BN, N(0, 0.1^2): 8." in text
    assert "97.0 (97.0 to 97.0)" in text
    assert "non-finite 2" in text


def test_an_interrupted_comparison_says_so():
    comparison = replace(made_up(), results=made_up().results[:3], interrupted=True)
    text = page_of(comparison).text
    assert "interrupted: it holds the runs that were done by then" in text
    assert "No single command does these runs" in text


def test_several_runs_verdicts_first_and_no_id_twice(runs):
    read = [report.read_run(folder) for folder in runs.values()]
    content = run_page([*read, read[0]])
    page = Page(content)
    assert page.errors == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert page.headings[0] == "h1 4 runs of minidl"
    assert [text for text in page.headings if text.startswith("h2")][2].startswith("h2 minidl lab: figure1")
    overview = page.text[: page.text.index("The data is synthetic")]
    assert "preview: no verdict" in overview and "Test accuracy" in overview and "(train)" in overview
    assert overview.count("synthetic data") >= 4
    links = [a["href"] for a in page.of("a") if a["href"].startswith("#")]
    assert links == ["#run-1", "#run-2", "#run-3", "#run-4"]
    with pytest.raises(ValueError, match="at least one run"):
        run_page([])


EVIL = '<script>alert("1")</script>&"\''


def test_text_of_others_is_escaped():
    result = tiny_on_mnist()
    evil = replace(
        result, data=EVIL, remark=EVIL,
        claim=replace(result.claim, claim=EVIL, source=EVIL),
        analysis=replace(result.analysis, notes=[EVIL], numbers={EVIL: (1.0, EVIL)}),
    )
    panel = Panel(EVIL, EVIL, EVIL, (Series(EVIL, [EVIL], [1.0]),), (), {EVIL: 1.0})
    drawn = Drawn(FigureData("f", EVIL, EVIL, (panel,)), SVG)
    page = Page(run_page([Run(EVIL, evil, (drawn,))] * 2))
    assert page.of("script") == []
    assert page.errors == []
    assert page.text.count(EVIL) > 10


def test_html_is_escaped_once():
    assert joined(("a<b", Html("<br>"))) == "a&lt;b<br>"
    assert tag("p", "x", class_='"', hidden=True, title=None) == '<p class="&quot;" hidden>x</p>'


def test_an_svg_loses_what_a_page_has_no_use_for():
    text = inline_svg(SVG, "p-", "title", "words <")
    assert text.startswith('<svg viewBox="0 0 72 36"')
    assert '<g id="p-a"/>' in text
    assert "words &lt;" in text
    assert "xmlns" not in text
    with pytest.raises(ValueError, match="an SVG file of Matplotlib's"):
        inline_svg("<svg>", "p-", "title", "words")


def tables(*panels: Panel) -> tuple[Page, list[list[list[str]]]]:
    page = Page(figure(Drawn(FigureData("name", "a title\nbelow it", "alt", panels), SVG), "f-", 2))
    files = [a["href"] for a in page.of("a")]
    texts = [unquote(href.removeprefix("data:text/csv;charset=utf-8,")) for href in files]
    return page, [list(csv.reader(io.StringIO(text))) for text in texts]


def test_lines_share_a_table_where_they_share_their_x():
    line = Series("a, b", [1.0, 10.0], [0.123456789, 1500.0])
    band = Series("band", [1.0, 10.0], [], [0.0, NAN], [1.0, 2.0])
    late = Series("late", [10.0], [7.0])
    gone = Series("a, b diverged", [10.0], [NAN], diverged=True)
    page, (rows,) = tables(Panel("", "step", "loss", (line, band, late, gone), (), {"chance": 0.1}))
    assert rows == [
        ["step", "a, b", "band: low", "band: high", "late", "a, b diverged"],
        ["1", "0.123456789", "0", "1", "", ""],
        ["10", "1500", "", "2", "7", "x"],
    ]
    assert "0.12346" in page.text and "1,500" in page.text
    assert "chance: 0.1." in page.text
    assert page.of("a")[0]["download"] == "name.csv"


def test_lines_that_share_no_x_stand_below_each_other():
    begins = {"a": 0.0, "b": 0.5, "c": 0.25}
    lines = tuple(Series(name, [at, at + 1], [1.0, 2.0]) for name, at in begins.items())
    _, (rows,) = tables(Panel("", "x", "y", lines))
    assert rows[0] == ["", "x", "y"]
    assert [row[:2] for row in rows[1:]] == [
        ["a", "0"], ["a", "1"], ["b", "0.5"], ["b", "1.5"], ["c", "0.25"], ["c", "1.25"]
    ]


def test_seeds_of_a_category_have_a_row_each():
    _, (rows,) = tables(Panel("", "", "accuracy", (
        Series("each seed", ["BN", "BN"], [1.0, 2.0]), Series("median", ["BN"], [1.5]),
        Series("each seed", ["plain"], [3.0]), Series("median", ["plain"], [3.0]),
    )))
    assert rows == [["x", "each seed", "median"], ["BN", "1", "1.5"], ["BN", "2", ""], ["plain", "3", "3"]]


def test_a_crowd_of_lines_is_in_the_file_and_the_page_says_so():
    crowd = tuple(Series(f"unit {i}", [1.0], [float(i)]) for i in range(20))
    page, (rows,) = tables(Panel("", "step", "x", (Series("median", [1.0], [5.0]),), crowd))
    assert len(rows[0]) == 22
    assert "The 20 faint lines are in the CSV file alone." in page.text
    assert len(page.of("th")) == 3


def test_a_matrix_shows_what_is_written_in_it_and_keeps_the_numbers():
    values, written = [[0.51, 0.49], [NAN, 1.0]], [["51", "49"], ["", "100"]]
    matrix = Matrix(["r1", "r2"], ["c1", "c2"], values, written, "share")
    page, files = tables(Panel("one", "to", "from", matrix=matrix), Panel("two", captions=("a 3", "a 5")))
    assert files[0] == [["", "c1", "c2"], ["r1", "0.51", "0.49"], ["r2", "", "1"]]
    assert files[1] == [["", "what is written"], ["1", "a 3"], ["2", "a 5"]]
    assert "one: share, from in rows, to in columns" in page.text
    assert "100" in page.text and "0.51" not in page.text
    assert [a["download"] for a in page.of("a")] == ["name-1.csv", "name-2.csv"]
    bare = replace(matrix, written=[])
    assert "0.51" in tables(Panel("one", matrix=bare))[0].text


def test_seeds_in_short():
    assert spans([]) == ""
    assert spans([5, 4, 4, 9]) == "4 to 5, 9"


def test_a_folder_without_figures_says_so():
    assert "This folder has no figures." in page_of(tiny_on_mnist()).text


@pytest.mark.parametrize("name", ["learning-rates", "dropout", "cnn", "layer-dependence", "saturation"])
def test_every_experiment_has_a_page(name):
    page = page_of(tiny(name))
    assert page.errors == []
    for arm in {r.job.arm for r in tiny(name).records}:
        assert arm in page.text
