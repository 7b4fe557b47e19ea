"""The page in a real browser: every key does what it says, nothing is logged, nothing leaves the file."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
from chromium import opened
from test_page import COVERAGE, MANIFEST, failing

from recomp.media.approvals import apply_approvals
from recomp.media.compare import HashLists, compare_exact
from recomp.report import write_report
from recomp.report.page import Frame

MODES = ["a", "b", "flicker", "blend", "slider", "side", "difference", "heat"]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write_full(folder)
    return folder / "report.html"


def write_full(folder) -> None:
    """A page with every section that there is: a pair, a film with a drop in it, scenes with a past, sound, gates."""
    report = failing(folder)
    video = report["video"]
    frames = [f"{k:064x}" for k in range(60)]
    lists = (
        HashLists(frames, frames),
        HashLists([*frames[:20], *frames[23:33], "f" * 64, *frames[34:], "e" * 64], frames),
    )
    video |= {key: value for key, value in compare_exact(*lists)["video"].items() if "comparison" in key}
    apply_approvals(report, *lists, [])
    video["gates"] = [
        {"gate": "coverage", "scene": None, "value": 0.9, "limit": 0.98, "sense": "at least", "margin": -0.08,
         "status": "failed"}
    ]  # fmt: skip
    video["measurements"] = {
        "lead": 0, "missing": [[20, 3]], "extra": [[56, 1]], "ticks": [0, 30, 59], "ssim": [1.0, 0.9, 0.99],
        "null_ssim": [0.99, 0.98, 0.99], "sound": {"skew_ms": 4.0},
    }  # fmt: skip
    pictures = [np.full((36, 64, 4), 40 * k, np.uint8) for k in range(5)]
    strip = [Frame(12 * k, "door", p, 12 * k, p if k != 2 else None) for k, p in enumerate(pictures)]
    history = {scene["scene"]: ["1" * 64, "2" * 64, "1" * 64, scene["digest"]] for scene in video["scenes"]}
    write_report(
        folder / "report.html", MANIFEST, report, folder=folder, coverage=COVERAGE, input_ticks=[5], strip=strip,
        loudness=[0.5] * 60, reference_loudness=[0.4] * 60, history=history,
    )  # fmt: skip


@pytest.fixture(scope="module")
def browser(page):
    with opened(page) as chromium:
        yield chromium


def mode(browser) -> str:
    return browser.page.evaluate(
        "[...document.getElementById('pair').classList].find(c => c.startsWith('mode-')).slice(5)"
    )


def test_it_opens_with_the_flicker(browser):
    assert mode(browser) in ("flicker", "side"), "side by side where the person asked for less motion"


@pytest.mark.parametrize("number", range(1, 9))
def test_each_number_is_a_way_to_look(browser, number):
    browser.page.keyboard.press(str(number))
    assert mode(browser) == MODES[number - 1]
    pressed = browser.page.evaluate(
        "[...document.querySelectorAll('[aria-pressed=true]')].map(b => b.dataset.mode).join()"
    )
    assert pressed == MODES[number - 1]


def test_flicker_shows_both_sides_in_turn(browser):
    browser.page.keyboard.press("3")
    seen = browser.page.evaluate(
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
    browser.page.keyboard.press("1")
    assert browser.page.evaluate(visible) == "visible,hidden"
    browser.page.keyboard.press("2")
    assert browser.page.evaluate(visible) == "hidden,visible"


def test_heat_is_hot_where_the_pictures_differ_and_nowhere_else(browser):
    browser.page.keyboard.press("8")
    pixel = "[...document.getElementById('sheet').getContext('2d').getImageData({}, {}, 1, 1).data].slice(0, 3)"
    red, _, blue = browser.page.evaluate(pixel.format(55, 25))
    assert red > 150 and blue < red / 2
    cold = browser.page.evaluate(pixel.format(150, 80))
    assert max(cold) - min(cold) == 0, "grey"


def test_difference_is_black_where_nothing_differs(browser):
    browser.page.keyboard.press("7")
    pixel = "[...document.getElementById('sheet').getContext('2d').getImageData({}, {}, 1, 1).data].slice(0, 3)"
    assert max(browser.page.evaluate(pixel.format(55, 25))) == 255
    assert max(browser.page.evaluate(pixel.format(150, 80))) == 0


def test_zoom_brings_the_box_to_the_middle(browser):
    browser.page.keyboard.press("2")
    browser.page.keyboard.press("z")
    scale = browser.page.evaluate("getComputedStyle(document.querySelector('#pair .capture img')).transform")
    assert scale.startswith("matrix(1.7") or scale.startswith("matrix(2.")
    browser.page.keyboard.press("z")
    assert browser.page.evaluate("document.getElementById('pair').classList.contains('zoomed')") is False


def test_every_control_is_reached_by_the_tab_key_and_has_a_name(browser):
    nameless = browser.page.evaluate(
        """[...document.querySelectorAll('button, input, summary, [tabindex]')].filter(e =>
            !(e.textContent.trim() || e.getAttribute('aria-label') || e.closest('label')?.textContent.trim())).length"""
    )
    assert nameless == 0
    hidden = "document.querySelectorAll('[tabindex=\"-1\"]').length"
    assert browser.page.evaluate(hidden) == 0


def test_headings_landmarks_and_pictures_make_an_outline(browser):
    levels = browser.page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    assert browser.page.evaluate("document.querySelectorAll('main, header').length") == 2
    assert browser.page.evaluate("[...document.images].every(i => i.alt)")
    assert browser.page.evaluate(
        "[...document.querySelectorAll('section')].every(s => s.getAttribute('aria-labelledby'))"
    )
    assert browser.page.evaluate("[...document.querySelectorAll('th')].every(t => t.scope)")


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
    browser.page.emulate_media(color_scheme=scheme)
    assert browser.page.evaluate(CONTRAST) == ""


AXE = """axe.run(document, { resultTypes: ["violations"] })
  .then(found => found.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 120)).join(" | ")))"""


@pytest.mark.parametrize("scheme, width", [("light", 1280), ("dark", 1280), ("light", 360)])
def test_an_accessibility_checker_has_nothing_to_say(browser, scheme, width):
    """Deque's axe, all of its rules, in both colour schemes and at phone width, with every detail open."""
    browser.page.emulate_media(color_scheme=scheme)
    browser.page.set_viewport_size({"width": width, "height": 900})
    browser.page.keyboard.press("6")
    browser.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.page.evaluate((files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8") + "; 0")
    assert browser.page.evaluate(AXE) == []
    browser.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
    browser.page.set_viewport_size({"width": 1280, "height": 900})


def test_the_film_has_both_sides_and_the_threads_between_them(browser):
    assert browser.page.evaluate("document.querySelectorAll('.strip img[alt^=Capture]').length") == 5
    assert browser.page.evaluate("document.querySelectorAll('.strip img[alt^=Reference]').length") == 4
    assert browser.page.evaluate(
        "[...document.querySelectorAll('.weave polygon')].map(p => p.getAttribute('class')).join()"
    ) == ("missing,extra")
    top, bottom = browser.page.evaluate(
        "(l => [+l.getAttribute('x1'), +l.getAttribute('x2')])([...document.querySelectorAll('.weave line')].at(-1))"
    )
    assert top > bottom, "behind the drop the capture is early"


def test_a_scene_shows_its_past_and_the_command_that_approves_it(browser):
    dots = browser.page.evaluate(
        "[...document.querySelector('.dots').querySelectorAll('.dot')].map(d => d.textContent).join('')"
    )
    assert dots == "abac"
    assert "recomp accept --scene" in browser.page.evaluate("document.querySelector('.command').textContent")


@pytest.mark.parametrize("width", [320, 390, 768, 1600])
def test_nothing_sticks_out_at_any_width(browser, page, width):
    """Below 500 as a phone does it, which believes what the page says of its width."""
    sized = browser.page.context.browser.new_page(viewport={"width": width, "height": 800}, is_mobile=width < 500)
    sized.goto(page.as_uri())
    assert sized.evaluate("document.documentElement.scrollWidth") <= width
    sized.close()


def test_nothing_was_logged_and_nothing_was_fetched(browser, page):
    """Last, after every key above."""
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [page.as_uri()]
