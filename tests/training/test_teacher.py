"""What a network learns that is taught by another."""

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow warns about itself
MAPS = np.random.default_rng(0).standard_normal((2, 32, 32, 1)).astype(np.float32)
SLOPE = (np.arange(32, dtype=np.float32)[:, None] - 15.5 + np.zeros(32, np.float32))[None, ..., None]


@pytest.fixture(scope="module")
def teacher():
    pytest.importorskip("keras")
    from training import teacher

    return teacher


def test_what_a_teacher_gives_comes_back_as_the_maps_lie(teacher):
    for step in range(20):
        found = teacher.taught_by(lambda maps, training: 0.5 * maps, MAPS, 1, step)
        np.testing.assert_array_equal(found, 0.5 * MAPS)


def test_all_views_are_seen_and_decided_on_by_seed_and_step(teacher):
    def leaning(maps, training):
        return maps + SLOPE

    found = [np.asarray(teacher.taught_by(leaning, MAPS, 1, step) - MAPS)[0, ..., 0] for step in range(60)]
    slopes = [(round(float(np.mean(np.diff(f, axis=0)))), round(float(np.mean(np.diff(f, axis=1))))) for f in found]
    assert set(slopes) == {(1, 0), (-1, 0), (0, 1), (0, -1)}
    again = teacher.taught_by(leaning, MAPS, 1, 7) - MAPS
    np.testing.assert_array_equal(np.asarray(again)[0, ..., 0], found[7])


def test_towards_a_teacher_steps_become_small_where_it_is_reached(teacher):
    from training.losses import rms_error

    far, near = (float(rms_error(0.0, np.full((1, 8, 8, 1), d, np.float32), 0.4)[0]) for d in (0.3, 0.03))
    assert far == pytest.approx(0.5)
    assert near - 0.4 < 0.02 * (far - 0.4)
