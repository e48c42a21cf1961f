"""What a training ends with becomes the networks that ship, with the cards that tell how."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solardn.engine import Engine
from solardn.errors import ModelError
from solardn.model import load

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # TensorFlow warns about itself


def test_a_training_publishes_its_network_and_the_mean_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish = pytest.importorskip("training.publish")
    from training import recipes
    from training.begun import keep

    run, models = tmp_path / "runs" / "stokes-bayes", tmp_path / "models"
    monkeypatch.setattr(publish, "RUNS", run.parent)
    monkeypatch.setattr(publish, "RECORDS", tmp_path / "records")
    with pytest.raises(ModelError, match="has not come to its end"):
        publish.publish("stokes-bayes", models)

    recipe = recipes.RECIPES["stokes-bayes"]
    keep(run, recipes.record(recipe), "")
    (run / "revision").write_text("abc\n")
    (run / "precision").write_text("float32")
    (run / "losses.csv").write_text("step,loss,snr1,all\n1,2,0.5,0.5\n2,1,0.4,0.4\n")
    models.mkdir()
    recipes.build(recipe).save(run / "final.keras")
    found = [load(str(path)) for path in publish.publish("stokes-bayes", models)]

    assert [one.card.name for one in found] == ["stokes-bayes", "stokes"]
    published = load("stokes-bayes")
    for one in found:
        assert one.card.source["command"] == "python -m training train stokes-bayes"
        assert one.card.source["revision"] == "abc"
        assert one.card.source["start"] == f"stokes-bayes, sha256 {published.sha256}"
        assert one.card.source["rate"] == recipe.plan.rate
    maps = np.random.default_rng(0).standard_normal((1, 1, 64, 64), dtype=np.float32)
    bayes, alone, before = (Engine(one, "cpu").run(maps, outputs=("mean",))["mean"] for one in (*found, published))
    np.testing.assert_allclose(alone, bayes, atol=1e-5)
    np.testing.assert_allclose(bayes, before, atol=1e-5)
    assert {path.name for path in (tmp_path / "records").iterdir()} == {"stokes-bayes.csv", "stokes-bayes.png"}
