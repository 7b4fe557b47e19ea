"""The page of a batch: regressions first, one file, nothing from outside, and text stays text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recomp.report.batch import batch_verdict, render_batch, write_batch_report
from report.chromium import opened


def unit(name: str, status: str = "passed", **facts: Any) -> dict[str, Any]:
    return {"unit": name, "title": name, "status": status, "seconds": 1.5, "steps": [7, 6], **facts}


def row(run: int, **facts: Any) -> dict[str, Any]:
    return {"run": run, "time": f"2026-11-{run:02d}T02:00:00Z", "counts": {"passed": 1, "failed": 1}, **facts}


WORSE = {"unit": "<b>ember", "before": "passed", "after": "failed", "error": "run: <script>alert(1)</script>"}


def test_regressions_come_first_and_everything_is_text(tmp_path: Path) -> None:
    units = [unit("alpha"), unit("<b>ember", "failed", error="no", log="the end")]
    page = render_batch("nightly", units, [row(1), row(2, regressions=[WORSE])], folder=tmp_path)
    assert page.index("Worse than in the last batch") < page.index("Pass rate") < page.index("Not passing")
    assert "<script>" not in page and "<b>ember" not in page and "&lt;b&gt;ember" in page
    assert page == render_batch("nightly", units, [row(1), row(2, regressions=[WORSE])], folder=tmp_path)


def test_a_title_links_to_its_own_page_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "a title").mkdir()
    (tmp_path / "a title" / "report.html").write_text("")
    units = [unit("alpha", page=str(tmp_path / "a title" / "report.html")), unit("beta", page="/gone/report.html")]
    page = render_batch("nightly", units, [], folder=tmp_path)
    assert 'href="a%20title/report.html">alpha' in page and "/gone" not in page


def test_the_verdict_says_what_matters_most() -> None:
    passed, failed = unit("a"), unit("b", "failed")
    assert batch_verdict([passed], [])["headline"] == "Every title passes"
    assert batch_verdict([passed, failed], [])["headline"] == "No regressions"
    assert batch_verdict([passed, failed], [WORSE])["headline"] == "1 regression"
    assert batch_verdict([passed, unit("c", "pending")], [])["headline"] == "Not all titles have run"


def test_a_browser_shows_it_without_asking_for_anything(tmp_path: Path) -> None:
    units = [unit(f"t{number}") for number in range(30)] + [unit("ember", "needs_review", error="set aside", log="x")]
    write_batch_report(tmp_path / "page.html", "nightly", units, [row(n) for n in range(1, 20)])
    with opened(tmp_path / "page.html") as browser:
        assert browser.page.evaluate("document.querySelectorAll('table.units tbody tr').length") == 31
        assert browser.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert browser.page.evaluate(
            "getComputedStyle(document.body).color != getComputedStyle(document.querySelector('td.open')).color"
        )
        assert browser.errors == [] and len(browser.requests) == 1


def test_the_browser_tells_of_errors_and_requests(tmp_path: Path) -> None:
    """What the test above and those of test_browser.py rely on."""
    (tmp_path / "page.html").write_text("<img src='other.png'><script>console.error('here'); gone()</script>")
    with opened(tmp_path / "page.html") as browser:
        assert len(browser.requests) == 2 and browser.requests[1].endswith("other.png")
        assert any("here" in error for error in browser.errors) and any("gone" in error for error in browser.errors)
