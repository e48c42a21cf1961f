"""The page about a result: whole in itself, and working in a browser that has no network."""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest
from astropy.io import fits

from .. import networks

pytest.importorskip("matplotlib")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def denoised(solardn, crisp, tmp_path):
    """Return a result in which nothing is left, so that the page is dull beside its observation."""
    solardn.good("denoise", crisp, tmp_path / "out.fits", "--model", networks.nothing(tmp_path / "zero.onnx"), "-q")
    return tmp_path / "out.fits"


@pytest.fixture
def page(solardn, crisp, denoised, tmp_path):
    """Return a page about it, with one map."""
    assert "flat" in solardn.good("report", crisp, denoised, tmp_path / "page.html", "--maps", 1)
    return tmp_path / "page.html"


def test_the_page_holds_everything_and_asks_for_nothing(page):
    text = page.read_text()
    sources = re.findall(r'\b(?:src|href|srcset|action)="([^"]{0,30})', text)
    assert len(sources) >= 5
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "default-src 'none'" in text
    assert not re.search(r"url\(|@import|fetch\(|XMLHttp", text)


def test_the_page_tells_verdict_figures_and_provenance(page):
    text = page.read_text()
    assert 'class="verdict flat"' in text
    for words in (
        "flat: what was taken away is noise",
        "residual/σ",
        "PRPROC1",
        "NOISE-FILTERING",
        "<h3>crisp.fits, Stokes",
    ):
        assert words in text
    assert "RESIDRMS" in text  # the table with a row a map
    assert text.count("<tr>") > 24
    assert len(re.findall(r'class="compare"', text)) == 1


def test_maps_that_are_not_flat_come_first_and_are_marked(solardn, crisp, denoised, tmp_path):
    with fits.open(denoised, mode="update") as hdus:
        hdus[0].data[:, 3, 1] = fits.getdata(crisp)[:, 3, 1]  # V at the second wavelength: nothing taken away
    solardn.good("report", crisp, denoised, tmp_path / "page.html", "--maps", 1)
    text = (tmp_path / "page.html").read_text()
    assert "<h3>crisp.fits, Stokes V, 2 nm, time 1</h3><p>nothing was taken away" in text
    assert '<tr class="bad"><td>V 1</td>' in text


@pytest.mark.skipif(not BROWSER, reason="no chromium here to open the page with")
@pytest.mark.slow
def test_slider_and_blinking_work_in_a_browser(page, tmp_path):
    probe = """<script>
      const box = document.querySelector(".compare"), stage = box.querySelector(".stage"), place = stage.getBoundingClientRect();
      const [left, right] = box.querySelectorAll("select"), range = box.querySelector("input"), button = box.querySelector("button");
      const at = x => document.elementFromPoint(place.left + x * place.width, Math.max(place.top, 0) + 5).alt;
      const said = [box.dataset.ready], tell = (...words) => { said.push(...words); document.title = said.join(" | "); };
      const set = (control, value) => { control.value = value; control.dispatchEvent(new Event("input")); };
      tell(at(0.25), at(0.75));
      set(range, 90);
      tell(at(0.75), at(0.95));
      stage.dispatchEvent(new PointerEvent("pointermove", {buttons: 1, clientX: place.left + 0.1 * place.width}));
      tell(range.value, at(0.25));
      set(range, 50);
      set(left, 2);
      tell(at(0.25), at(0.75));
      button.click();
      tell(button.textContent, at(0.25), at(0.75));
      setTimeout(() => {
        tell(at(0.25), at(0.75));
        button.click();
        tell(button.textContent, at(0.25), at(0.75));
      }, 900);
    </script></body>"""
    (tmp_path / "probed.html").write_text(page.read_text().replace("</body>", probe))
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1000,1600",
        "--virtual-time-budget=3000",
        f"--user-data-dir={tmp_path}/chrome",
    ]
    ran = subprocess.run(
        [BROWSER, *flags, "--dump-dom", (tmp_path / "probed.html").as_uri()],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    said = [words.rpartition(": ")[2] for words in re.search(r"<title>(.*?)</title>", ran.stdout)[1].split(" | ")]
    assert said[:3] == ["yes", "observation", "result"]
    assert said[3:5] == ["observation", "result"]  # the edge moved to 90 %
    assert said[5:7] == ["10", "result"]  # and drawn to 10 %
    assert said[7:9] == ["residual", "result"]  # another map on the left
    assert said[9:12] == ["Slide", "residual", "residual"]  # blinking begins with it
    assert said[12:14] == ["result", "result"]
    assert said[14:] == ["Blink", "residual", "result"]


def test_any_name_and_narrow_maps_are_shown(solardn, tmp_path):
    noise = np.random.default_rng(0).normal(size=(300, 30)).astype(np.float32)
    given, result = tmp_path / "<b>&$x$.npy", tmp_path / "r.npy"
    np.save(given, noise)
    np.save(result, 0 * noise)
    try:
        given = given.rename(tmp_path / os.fsdecode(b"<b>&$x$\xff.npy"))
    except OSError:
        pytest.skip("no such names on this system")
    solardn.good("report", given, result, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "<title>&lt;b&gt;&amp;$x$?.npy: what was taken away</title>" in text
    assert 'class="stage" style="max-width: 4.6rem"' in text
    assert json.loads(solardn.good("inspect", given, result, "--json"))["observation"] == str(given)


def test_what_cannot_be_reported(solardn, crisp, denoised, tmp_path, monkeypatch):
    assert "end in .html" in solardn.bad("report", crisp, denoised, tmp_path / "page.txt")
    assert "at least 1" in solardn.bad("report", crisp, denoised, tmp_path / "page.html", "--maps", 0)
    assert "is the input" in solardn.bad("report", crisp, denoised.rename(tmp_path / "o.html"), tmp_path / "o.html")
    (tmp_path / "o.html").rename(denoised)
    np.save(tmp_path / "other.npy", np.ones((9, 9)))
    assert "is no result of" in solardn.bad("report", crisp, tmp_path / "other.npy", tmp_path / "page.html")
    for sigma in ("0", "-1", "nan"):
        assert "positive" in solardn.bad(
            "report", crisp, denoised, tmp_path / "page.html", "--noise-sigma", sigma, "--maps", 1
        )
    assert not (tmp_path / "page.html").exists()
    (tmp_path / "page.html").write_text("precious")
    assert "--overwrite" in solardn.bad("report", crisp, denoised, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == "precious"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'solardn[plot]'" in solardn.bad("report", crisp, denoised, tmp_path / "new.html")
