"""The pages in a real browser: Debian's chromium, headless. Skips where it, or selenium, is missing."""

from __future__ import annotations

import base64
import io
import json
import shutil

import pytest
from matplotlib.image import imread

from minidl import report

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SWITCHES = (
    # As root it runs without its sandbox only; the rest keeps the browser itself from the network.
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)
KINDS = ("compare", "train", "lab", "all")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="the tests in a browser need selenium")
    if not (BROWSER and DRIVER):
        pytest.skip("the tests in a browser need Debian's chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def addresses(runs, tmp_path_factory):
    page = tmp_path_factory.mktemp("all") / "all.html"
    page.write_text(report.run_page([report.read_run(folder) for folder in runs.values()]), encoding="utf-8")
    files = {kind: folder / "report.html" for kind, folder in runs.items()} | {"all": page}
    return {kind: file.as_uri() for kind, file in files.items()}


@pytest.fixture(params=KINDS)
def opened(request, browser, addresses):
    """The browser with a page open at 360 pixels' width."""
    show(browser, width=360)
    browser.get(addresses[request.param])
    return browser


def show(browser, width=1200, theme="light", medium=""):
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": features})
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def picture(browser):
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    return imread(io.BytesIO(base64.b64decode(shot["data"])))


def test_no_error_and_no_request_that_leaves_the_file(browser, addresses):
    for address in addresses.values():
        browser.get_log("performance")
        browser.get(address)
        assert browser.get_log("browser") == []
        events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        requests = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
        # Not those of the browser's own first page, which are to chrome://.
        sent = [r["request"]["url"] for r in requests if r["documentURL"] == address]
        assert sent[0] == address
        assert all(url.startswith("data:") for url in sent[1:]), sent
        assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_every_figure_has_a_name_and_a_description_for_those_who_cant_see_it(opened):
    tree = opened.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    names = [
        node["name"]["value"] for node in tree
        if node.get("role", {}).get("value") in ("img", "image") and not node["ignored"]
    ]
    drawings = opened.execute_script("return document.querySelectorAll('svg').length")
    assert len(names) == drawings > 0
    assert all(len(name) > 60 for name in names)
    assert opened.execute_script("return [...document.querySelectorAll('img')].every(i => i.alt)")


def test_nothing_is_wider_than_a_telephone(opened):
    opened.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert opened.execute_script("return document.documentElement.scrollWidth") == 360
    wide = opened.execute_script("""
        const inside = e => e.closest('.scroll') !== null;
        return [...document.body.querySelectorAll('*')]
            .filter(e => !inside(e) && e.getBoundingClientRect().right > 361)
            .map(e => e.tagName + ' ' + e.className);
    """)
    assert wide == []
    boxes = opened.execute_script("return [...document.querySelectorAll('.scroll')].map(b => b.tabIndex)")
    assert boxes and set(boxes) == {0}, "a keyboard can scroll them"


def test_text_is_large_enough_on_a_telephone(opened):
    smallest = opened.execute_script("""
        return Math.min(...[...document.querySelectorAll('p, li, td, th, h1, h2, h3, h4, code, summary')]
            .map(e => parseFloat(getComputedStyle(e).fontSize)));
    """)
    assert smallest >= 13
    widths = opened.execute_script(
        "return [...document.querySelectorAll('.card svg')]"
        ".map(e => e.getBoundingClientRect().width / e.viewBox.baseVal.width)"
    )
    assert min(widths) >= 0.75, "pixels for a point of a figure, whose letters have 8 to 10 points"


CONTRAST = """
    const channel = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const light = rgb => { const [r, g, b] = rgb.match(/[\\d.]+/g).map(Number).map(channel);
                           return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const ground = e => { for (; e; e = e.parentElement) {
        const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; }
        return 'rgb(255, 255, 255)'; };
    const words = 'p, li, td, th, h1, h2, h3, h4, a, summary, .badge, code';
    return Math.min(...[...document.querySelectorAll(words)]
        .map(e => { const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
                    return (a + 0.05) / (b + 0.05); }));
"""


def test_light_and_dark(opened):
    show(opened)
    opened.execute_script("window.scrollTo(0, 0)")
    light = picture(opened)
    assert opened.execute_script(CONTRAST) >= 4.5
    show(opened, theme="dark")
    dark = picture(opened)
    assert opened.execute_script(CONTRAST) >= 4.5
    assert light[0, 0, :3].mean() > 0.9
    assert dark[0, 0, :3].mean() < 0.2
    grounds = opened.execute_script(
        "return [...document.querySelectorAll('.card')].map(e => getComputedStyle(e).backgroundColor)"
    )
    assert set(grounds) == {"rgb(255, 255, 255)"}, "figures are drawn for white"


def test_print_has_every_figure_whole_and_leaves_the_data_out(opened):
    figures = opened.execute_script("return document.querySelectorAll('.card svg').length")
    show(opened, width=700, theme="dark", medium="print")
    paper = opened.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    shown = opened.execute_script("""
        return [...document.querySelectorAll('details.data')].filter(e => e.offsetParent !== null).length;
    """)
    assert shown == 0
    boxes = opened.execute_script("""
        return [...document.querySelectorAll('.card svg')].map(e => e.getBoundingClientRect())
            .map(b => [b.right, b.height]);
    """)
    assert len(boxes) == figures
    assert all(right <= 701 and 0 < height < 900 for right, height in boxes)
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    paper = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True}
    document = base64.b64decode(opened.execute_cdp_cmd("Page.printToPDF", paper)["data"])
    assert document.startswith(b"%PDF")
    assert document.count(b"/Type /Page\n") >= 2


def test_data_unfold_and_can_be_kept(opened):
    opened.execute_script("document.querySelector('summary').click()")
    assert opened.execute_script("return document.querySelector('details').open")
    rows = opened.execute_script(
        "return document.querySelector('details tbody').getBoundingClientRect().height"
    )
    assert rows > 20
    text = opened.execute_async_script("""
        const done = arguments[0], link = document.querySelector('a[download]');
        done(decodeURIComponent(link.href.split(',').slice(1).join(',')));
    """)
    lines = text.strip().split("\n")
    assert len(lines) > 2 and "," in lines[0]
