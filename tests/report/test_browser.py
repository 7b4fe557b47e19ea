"""The page in a real browser: every key does what it says, nothing is logged, nothing leaves the file."""

from __future__ import annotations

import pytest
from chromium import Chromium
from test_page import COVERAGE, MANIFEST, failing

from recomp.report import write_report

MODES = ["a", "b", "flicker", "blend", "slider", "side", "difference", "heat"]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write_report(folder / "report.html", MANIFEST, failing(folder), folder=folder, coverage=COVERAGE, input_ticks=[5])
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser(page):
    with Chromium() as chromium:
        chromium.open(page)
        yield chromium


def mode(browser) -> str:
    return browser.run("[...document.getElementById('pair').classList].find(c => c.startsWith('mode-')).slice(5)")


def test_it_opens_with_the_flicker(browser):
    assert mode(browser) in ("flicker", "side"), "side by side where the person asked for less motion"


@pytest.mark.parametrize("number", range(1, 9))
def test_each_number_is_a_way_to_look(browser, number):
    browser.press(str(number))
    assert mode(browser) == MODES[number - 1]
    pressed = browser.run("[...document.querySelectorAll('[aria-pressed=true]')].map(b => b.dataset.mode).join()")
    assert pressed == MODES[number - 1]


def test_flicker_shows_both_sides_in_turn(browser):
    browser.press("3")
    seen = browser.run(
        """new Promise(done => {
            const seen = new Set(), pair = document.getElementById('pair');
            const look = () => { seen.add(pair.classList.contains('show-a') ? 'a' : 'b');
                                 seen.size == 2 ? done(2) : setTimeout(look, 20); };
            look();
            setTimeout(() => done(seen.size), 5000);
        })"""
    )
    assert seen == 2


def test_a_and_b_hide_the_other_side(browser):
    visible = "[...document.querySelectorAll('#pair .side')].map(s => getComputedStyle(s).visibility).join()"
    browser.press("1")
    assert browser.run(visible) == "visible,hidden"
    browser.press("2")
    assert browser.run(visible) == "hidden,visible"


def test_heat_is_hot_where_the_pictures_differ_and_nowhere_else(browser):
    browser.press("8")
    pixel = "[...document.getElementById('sheet').getContext('2d').getImageData({}, {}, 1, 1).data].slice(0, 3)"
    red, _, blue = browser.run(pixel.format(55, 25))
    assert red > 150 and blue < red / 2
    cold = browser.run(pixel.format(150, 80))
    assert max(cold) - min(cold) == 0, "grey"


def test_difference_is_black_where_nothing_differs(browser):
    browser.press("7")
    pixel = "[...document.getElementById('sheet').getContext('2d').getImageData({}, {}, 1, 1).data].slice(0, 3)"
    assert max(browser.run(pixel.format(55, 25))) == 255
    assert max(browser.run(pixel.format(150, 80))) == 0


def test_zoom_brings_the_box_to_the_middle(browser):
    browser.press("2")
    browser.press("z")
    scale = browser.run("getComputedStyle(document.querySelector('#pair .capture img')).transform")
    assert scale.startswith("matrix(1.7") or scale.startswith("matrix(2.")
    browser.press("z")
    assert browser.run("document.getElementById('pair').classList.contains('zoomed')") is False


def test_every_control_is_reached_by_the_tab_key_and_has_a_name(browser):
    nameless = browser.run(
        """[...document.querySelectorAll('button, input, summary, [tabindex]')].filter(e =>
            !(e.textContent.trim() || e.getAttribute('aria-label') || e.closest('label')?.textContent.trim())).length"""
    )
    assert nameless == 0
    hidden = "document.querySelectorAll('[tabindex=\"-1\"]').length"
    assert browser.run(hidden) == 0


def test_headings_landmarks_and_pictures_make_an_outline(browser):
    levels = browser.run("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    assert browser.run("document.querySelectorAll('main, header').length") == 2
    assert browser.run("[...document.images].every(i => i.alt)")
    assert browser.run("[...document.querySelectorAll('section')].every(s => s.getAttribute('aria-labelledby'))")
    assert browser.run("[...document.querySelectorAll('th')].every(t => t.scope)")


CONTRAST = """(() => {
  const rgb = text => text.match(/[0-9.]+/g).map(Number);
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
                       return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
                        if (c.length < 4 || c[3] > .5) return c.slice(0, 3); } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim())) continue;
    if (!e.getClientRects().length || ['SCRIPT', 'STYLE'].includes(e.tagName)) continue;
    const style = getComputedStyle(e);
    let opacity = 1;
    for (let p = e; p; p = p.parentElement) opacity *= +getComputedStyle(p).opacity;
    const back = ground(e), fore = rgb(style.color).slice(0, 3).map((v, k) => v * opacity + back[k] * (1 - opacity));
    const [a, b] = [light(fore), light(back)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05), large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) bad.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
  }
  return bad.join('; ');
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_asks_for(browser, scheme):
    """4.5 to 1, large text 3 to 1 (WCAG 2.1, 1.4.3), in both colour schemes."""
    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    assert browser.run(CONTRAST) == ""


@pytest.mark.parametrize("width", [320, 390, 768, 1600])
def test_nothing_sticks_out_at_any_width(browser, width):
    browser.send("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
    assert browser.run("document.documentElement.scrollWidth") <= width
    browser.send("Emulation.clearDeviceMetricsOverride")


def test_nothing_was_logged_and_nothing_was_fetched(browser, page):
    """Last, after every key above."""
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [page.as_uri()]
