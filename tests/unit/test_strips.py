"""Maps that are denoised in strips of rows."""

import numpy as np
import pytest
from astropy.io import fits

from solardn import denoise_file, inspector
from solardn import strips as module
from solardn.errors import OptionError


@pytest.fixture
def small_strips(monkeypatch):
    """Strips of a few rows, whatever the size of the map."""
    taken = []
    original = module.denoised_strips

    def noted(*args):
        for strip in original(*args):
            taken.append(strip[0])
            yield strip

    monkeypatch.setattr(module, "SHARE", 10**9)
    monkeypatch.setattr(inspector, "LOOKED", 200)
    monkeypatch.setattr(module, "denoised_strips", noted)
    return taken


@pytest.mark.parametrize("suffix", [".fits", ".npy"])
def test_strips_give_the_bits_of_whole_maps(tmp_path, pooled_model, small_strips, monkeypatch, suffix):
    data = np.random.default_rng(0).standard_normal((3, 403, 250)).astype(np.float32)
    data[1, 100:140, 30:60] = np.nan  # this map is taken as a whole
    given = tmp_path / f"in{suffix}"
    np.save(given, data) if suffix == ".npy" else fits.PrimaryHDU(data).writeto(given)
    options = {"model": pooled_model, "noise_sigma": 1.0, "residual": True, "axes": "time=0", "tile": 64}
    strips = denoise_file(given, tmp_path / f"strips{suffix}", **options)
    assert len(small_strips) > 4
    assert [record.missing for record in strips.maps] == [0, 1200, 0]
    assert "middle 200×200 px" in strips.inspection.observation
    monkeypatch.setattr(module, "SHARE", 1)
    small_strips.clear()
    whole = denoise_file(given, tmp_path / f"whole{suffix}", **options)
    assert not small_strips
    if suffix == ".npy":
        for name in ("{}.npy", "{}.residual.npy"):
            found = (tmp_path / name.format(one) for one in ("strips", "whole"))
            np.testing.assert_array_equal(*map(np.load, found))
    else:
        with fits.open(tmp_path / "strips.fits", checksum=True) as one, fits.open(tmp_path / "whole.fits") as other:
            for place in (0, 1):
                np.testing.assert_array_equal(one[place].data, other[place].data)
    assert strips.inspection.lines == whole.inspection.lines
    for one, other in zip(strips.maps, whole.maps, strict=True):
        assert one.residual_rms == pytest.approx(other.residual_rms)


def test_a_scale_beyond_float32_names_the_file_and_the_map(tmp_path, pooled_model, small_strips):
    data = np.random.default_rng(0).standard_normal((2, 64, 64)) * 1e-41
    np.save(tmp_path / "in.npy", data.astype(np.float32))
    with pytest.raises(OptionError, match=r"^\S+in\.npy \(map \(0,\)\): scale is .* beyond what float32 holds"):
        denoise_file(tmp_path / "in.npy", tmp_path / "out.npy", model=pooled_model, axes="time=0")
    assert not (tmp_path / "out.npy").exists()
