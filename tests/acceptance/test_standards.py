"""What others say of outputs: the checkers of FITS and SOLARNET find nothing that the input did not have, and other packages open them."""

import logging
import shutil
import subprocess
from collections import Counter

import pytest
from astropy import units
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs import WCS

import solardn as package

from . import generated

SPICE = "solo_L2_spice-n-exp_20240101T213346_V02.fits"
REAL = [
    "dkist_nso_dkist.fits",
    "irispy_SJI_1400.fits",
    SPICE,  # the next step has the number 11
    "sunkit_aia_171_cutout_rice.fits",
    "sunpy_heliographic_phase_map.fits.gz",
    "sunpy_resampled_hmi.fits",
]
AXES = {SPICE: "y=1,x=2", "dkist_nso_dkist.fits": "y=1,x=2"}

pytestmark = pytest.mark.filterwarnings("ignore")  # what readers say of inputs


@pytest.fixture(scope="module", params=["crisp.fits", *REAL])
def pair(request, tmp_path_factory, folder_of_networks):
    """Return an input and its output."""
    name, folder = request.param, tmp_path_factory.mktemp("pair")
    if name == "crisp.fits":
        given = generated.crisp(folder / "crisp-in.fits")
    else:
        given = request.getfixturevalue("shared") / "solar" / name
    model = folder_of_networks / "smooth.onnx"
    options = {
        "scale": 1.0,
        "noise_map": "off",
        "residual": True,
        "inspect": False,
    }  # what others say does not depend on these
    package.denoise_file(given, folder / name, model=model, axes=AXES.get(name), **options)
    return given, folder / name


def image_of(path):
    """Return the number of the first image with data."""
    with fits.open(path) as hdus:
        return next(n for n, hdu in enumerate(hdus) if hdu.is_image and hdu.data is not None)


@pytest.mark.skipif(shutil.which("fitsverify") is None, reason="fitsverify (of Debian) is not installed")
def test_fitsverify_finds_no_error(pair, tmp_path):
    path = pair[1]
    if path.suffix == ".gz":
        fits.open(path).writeto(path := tmp_path / "plain.fits", output_verify="ignore")
    said = subprocess.run(["fitsverify", path], capture_output=True, text=True, check=False).stdout
    assert "and 0 error(s)" in said, said


def test_fitscheck_finds_nothing(pair):
    from astropy.io.fits.scripts import fitscheck

    assert fitscheck.main([str(pair[1]), "--compliance"]) == 0


def test_the_validator_of_solarnet_finds_no_error_that_the_input_did_not_have(pair):
    """It wants an old astropy: install it beside with ``pip install --no-deps solarnet-metadata``, to see that this holds."""
    pytest.importorskip("solarnet_metadata")
    logging.disable()
    try:
        before, after = (Counter(findings(path)) for path in pair)
    finally:
        logging.disable(logging.NOTSET)
    assert not after - before


def findings(path):
    """Yield the errors in a file; those in the extensions that are ours as far as they are not in the header they are copies of."""
    from solarnet_metadata.schema import SOLARNETSchema
    from solarnet_metadata.validation import validate_header

    schema, own = SOLARNETSchema(), image_of(path)
    with fits.open(path) as hdus:
        found = [validate_header(hdu.header, not n, bool(n), schema=schema) for n, hdu in enumerate(hdus)]
        for n, hdu in enumerate(hdus):
            ours = hdu.name in ("RESIDUAL", "SOLARDN")
            yield from set(found[n]) - set(found[own]) if ours else (f"{n}: {one}" for one in found[n])


def test_ccddata_opens_them(pair):
    given, made = pair
    n = image_of(made)
    said = fits.getheader(given, n).get("BUNIT", "")
    known = said and not isinstance(units.Unit(said, parse_strict="silent"), units.UnrecognizedUnit)
    unit = None if known else "adu"
    one, other = (CCDData.read(path, hdu=n, unit=unit) for path in pair)
    assert (one.shape, one.unit) == (other.shape, other.unit)


def test_ndcube_opens_them(pair):
    ndcube = pytest.importorskip("ndcube")
    cubes = []
    for path in pair:
        with fits.open(path) as hdus:
            hdu = hdus[image_of(path)]
            cubes.append(ndcube.NDCube(hdu.data, WCS(hdu.header, hdus)))
    one, other = cubes
    assert one.shape == other.shape
    assert one.array_axis_physical_types == other.array_axis_physical_types


def test_sunpy_opens_them_as_it_does_the_input(pair):
    sunpy_map = pytest.importorskip("sunpy.map")
    given, made = pair
    try:
        before = sunpy_map.Map(given)
    except sunpy_map.MapMetaValidationError:
        pytest.skip("sunpy does not take the input for a map either")
    after = sunpy_map.Map(made)
    one, other = (found[0] if isinstance(found, list) else found for found in (before, after))
    assert type(one) is type(other)
    assert (one.unit, one.data.shape) == (other.unit, other.data.shape)
    assert all(
        one.meta.get(key) == other.meta.get(key) for key in ("ctype1", "crval1", "cdelt1", "date-obs", "telescop")
    )
