"""Whether ``--cycles auto`` ever takes a result farther from the truth than one pass does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from solardn.api import Denoiser
from solardn.samples import evenly

from .cases import Case, cases
from .scores import rms


@dataclass(frozen=True)
class Passed:
    """What further passes did to one case.

    Attributes
    ----------
    case : Case
    passes : int
        How many were made.
    once, auto : float
        rms error after one pass, and after all, in units of the noise.
    """

    case: Case
    passes: int
    once: float
    auto: float

    @property
    def ratio(self) -> float:
        """Error after all passes over that after one."""
        return self.auto / self.once


def check(model: str | Path, count: int) -> Iterator[Passed]:
    """Yield what ``--cycles auto`` does to some of the cases on which networks are judged.

    The noise level is found as for users.

    Parameters
    ----------
    model : str or Path
        Name of a network, or an ONNX file.
    count : int
        Number of cases, spread evenly over all.
    """
    denoiser = Denoiser(model, device="cpu", threads=1)
    for case in evenly(list(cases()), count):
        maps = case.maps()
        scale = denoiser.scaling(maps.noisy).scale
        once = denoiser.denoise_map(maps.noisy, scale)
        (auto,) = denoiser.denoise_maps([maps.noisy], [scale], "auto")
        yield Passed(case, auto.cycles, rms(once - maps.truth), rms(auto.values - maps.truth))


def say(name: str, found: Iterable[Passed]) -> str:
    """Return in words what was found for a network: how many cases went on, what that gained, and which ended farther from the truth."""
    done = list(found)
    more = sorted((one for one in done if one.passes > 1), key=lambda one: one.ratio)
    words = f"{name}: {len(done)} cases, {len(more)} of them with 2 to {max((one.passes for one in more), default=2)} passes"
    if more:
        words += f", error {more[0].ratio:.3f} to {more[-1].ratio:.3f} times that of one pass"
    farther = [f"  farther: {one.case.name}, {one.passes} passes, {one.ratio:.4f}" for one in more if one.ratio > 1]
    return "\n".join([f"{words}; {len(farther)} farther from the truth", *farther])
