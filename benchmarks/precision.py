"""``python -m benchmarks precision``: what bfloat16 changes, by the strength of the signal."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from solardn import Denoiser, session
from solardn.half import in_half
from solardn.model import DEFAULT

from .networks import find
from .scenes import make_noise, make_truth, unit
from .tables import Report, Table, folder, run_options, say

RATIOS = (0, 2, 8, 30, 100)


@click.command()
@click.option("--model", default=DEFAULT, show_default=True, help="Network to look at.")
@run_options
def precision(model: str, quick: bool, output: Path | None) -> None:
    """Compare results in bfloat16 and float32 on OpenVINO, and in float16, with those of onnxruntime, and with the truth."""
    network = find(model)
    report = Report("precision", f"python -m benchmarks precision{' --quick' * quick}")
    size, kinds = (128, ("powerlaw",)) if quick else (512, ("powerlaw", "filaments", "plage"))
    usual = Denoiser(network, device="cpu")
    half = session.beside(session.on_cpu(network), in_half(network))
    others = {one: Denoiser(network, device="openvino", precision=one) for one in ("bf16", "fp32")}
    table = Table(
        f"`{network.card.name}`: rms, in units of the noise",
        (
            "signal rms / noise rms",
            "bfloat16 − float32",
            "OpenVINO float32 − onnxruntime",
            "float16 − float32",
            "error in float32",
            "error in bfloat16",
        ),
    )
    for ratio in RATIOS:
        say(f"signal {ratio} × noise")
        found: dict[str, list[float]] = {key: [] for key in ("bf16", "fp32", "fp16", "error", "error bf16")}
        for kind in kinds:
            truth = (ratio * unit(make_truth(kind, (size, size), 0, 0.6))).astype(np.float32)
            noisy = truth + make_noise("band 0.3 soft", truth.shape, 0).astype(np.float32)
            expected = usual.denoise(noisy, noise_sigma=1.0, noise_map="off")
            results = {
                one: denoiser.denoise(noisy, noise_sigma=1.0, noise_map="off") for one, denoiser in others.items()
            }
            units = noisy[np.newaxis, np.newaxis] * np.float32(network.card.input_sigma)
            in_float16 = half.run(["mean"], {"map": units})[0][0, 0] / network.card.input_sigma
            for one, result in (*results.items(), ("fp16", in_float16)):
                found[one].append(float(np.square(result - expected).mean()))
            found["error"].append(float(np.square(expected - truth).mean()))
            found["error bf16"].append(float(np.square(results["bf16"] - truth).mean()))
        values = {key: float(np.sqrt(np.mean(squares))) for key, squares in found.items()}
        table.rows.append((ratio, *values.values()))
        report.figures[f"signal {ratio}"] = values
    table.remark = f"Maps of {size}² pixels: {', '.join(kinds)}, under band-limited noise (`benchmarks/scenes.py`). float16 as on a GPU, computed on the CPU."
    report.tables.append(table)
    report.write(folder(output, quick))
