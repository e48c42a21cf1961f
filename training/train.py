"""Train a network: reproducible from its seed, resumable from its checkpoint, its losses kept as a table and a picture."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .batches import Batch
from .losses import coverage_loss, expected_error, rms_error
from .muon import Muon
from .network import OUTPUT_LAYERS
from .teacher import taught_by

LEVELS = (0.25, 0.5, 1, 2, 4, 8, 16, 32)
"""Signal-to-noise ratios at which validation reports."""


@dataclass(frozen=True)
class Plan:
    """How a network is trained.

    Attributes
    ----------
    steps : int
        Number of steps.
    rate : float
        Highest learning rate; see `rates`.
    seed : int
        Seed of the weights and of the batches.
    every : int
        Steps between validations and checkpoints.
    precision : str, optional
        Keras policy of the layers that do not see the map itself; what the machine computes fastest when not given.
    """

    steps: int
    rate: float = 1.5e-3
    seed: int = 1
    every: int = 1500
    precision: str | None = None


LEFT = 0.01
"""Part of the highest learning rate that is left at the last step."""


def rates(plan: Plan) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning rate at every step: it rises over 300 steps and falls to `LEFT` of the highest along a cosine."""
    # Keras takes alpha for a part of warmup_target, not of the first rate.
    return keras.optimizers.schedules.CosineDecay(
        plan.rate / 30, plan.steps - 300, alpha=LEFT, warmup_target=plan.rate, warmup_steps=300
    )


def fastest_precision() -> str:
    """Return the Keras policy that this machine computes fastest.

    A CPU without instructions for bfloat16 emulates it, eight times slower than float32.
    """
    if tf.config.list_physical_devices("GPU"):
        return "mixed_bfloat16"
    cpu = Path("/proc/cpuinfo")
    flags = cpu.read_text() if cpu.exists() else ""
    return "mixed_bfloat16" if "avx512_bf16" in flags or "amx_bf16" in flags else "float32"


class Trainer:
    """A network in training, in a folder of its own.

    Parameters
    ----------
    folder : Path
        Holds the checkpoint, ``losses.csv`` and, at the end, ``final.keras`` with the averaged weights.
    build : callable
        Makes the network when there is no checkpoint.
    plan : Plan
        How to train.
    teacher : callable, optional
        Makes a network whose results are learned in place of the truth; see `training.teacher`.
    """

    def __init__(
        self,
        folder: Path,
        build: Callable[[], keras.Model],
        plan: Plan,
        teacher: Callable[[], keras.Model] | None = None,
    ) -> None:
        self.folder, self.plan = folder, plan
        folder.mkdir(parents=True, exist_ok=True)
        keras.utils.set_random_seed(plan.seed)
        keras.config.set_dtype_policy(self._precision())
        self.model = build()
        self.teacher = teacher() if teacher else None
        self.two = len(self.model.outputs) == 2
        self.optimizer = Muon(
            rates(plan),
            weight_decay=1e-4,
            adam_weight_decay=1e-4,
            global_clipnorm=1.0,
            use_ema=True,
            ema_momentum=0.999,
            exclude_layers=OUTPUT_LAYERS,
        )
        self.optimizer.build(self.model.trainable_variables)
        self.checkpoint = tf.train.Checkpoint(model=self.model, optimizer=self.optimizer)
        self.step = self._resume()
        self._train = tf.function(self._train_eagerly)

    def _precision(self) -> str:
        """Return the Keras policy of this training; one that is resumed keeps what it began with."""
        marker = self.folder / "precision"
        if not marker.exists():
            marker.write_text(self.plan.precision or fastest_precision())
        return marker.read_text()

    def _resume(self) -> int:
        marker = self.folder / "step"
        if not marker.exists():
            return 0
        step = int(marker.read_text())
        self.checkpoint.read(str(self.folder / f"checkpoint-{step}")).expect_partial()
        return step

    def _save(self) -> None:
        self.checkpoint.write(str(self.folder / f"checkpoint-{self.step}"))
        old = [p for p in self.folder.glob("checkpoint-*") if not p.name.startswith(f"checkpoint-{self.step}.")]
        marker = self.folder / "step.new"
        marker.write_text(str(self.step))
        marker.replace(self.folder / "step")
        for path in old:
            path.unlink()

    def loss(self, noisy: tf.Tensor, truth: tf.Tensor, expected: tf.Tensor, training: bool) -> tf.Tensor:
        """Return the loss of a batch; the variance follows the error and never steers the mean."""
        out = self.model(noisy, training=training)
        mean = out[0] if self.two else out
        target, beside = truth, 0.01
        if self.teacher is not None:
            target, beside = taught_by(self.teacher, noisy, self.plan.seed, self.optimizer.iterations), expected
        total = ops.mean(rms_error(target, mean, beside) / expected)
        if self.two:
            total += 0.1 * ops.mean(coverage_loss(ops.stop_gradient(mean) - truth, out[1]))
        return total

    def _train_eagerly(self, noisy: tf.Tensor, truth: tf.Tensor, expected: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self.loss(noisy, truth, expected, training=True)
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the running average of the weights into the network for a while."""
        now = [ops.copy(v) for v in self.model.trainable_variables]
        self.optimizer.finalize_variable_values(self.model.trainable_variables)
        try:
            yield
        finally:
            for variable, value in zip(self.model.trainable_variables, now, strict=True):
                variable.assign(value)

    def run(self, batches: Callable[[int], Batch], validate: Callable[[keras.Model], dict[str, float]]) -> Path:
        """Train to the end and return the path of the final network (averaged weights, float32)."""
        table = self.folder / "losses.csv"
        _keep(table, -(-self.step // self.plan.every))
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns) as progress, ThreadPoolExecutor(1) as pool:
            task = progress.add_task(self.folder.name, total=self.plan.steps, completed=self.step)
            ahead = pool.submit(batches, self.step)
            losses: list[tf.Tensor] = []
            while self.step < self.plan.steps:
                batch, ahead = ahead.result(), pool.submit(batches, self.step + 1)
                losses.append(self._train(batch.noisy, batch.truth, expected_error(batch.snr)))
                self.step += 1
                progress.advance(task)
                if self.step % self.plan.every == 0 or self.step == self.plan.steps:
                    with self.averaged():
                        scores = validate(self.model)
                    _append(table, {"step": self.step, "loss": float(np.mean(losses)), **scores})
                    shown = " ".join(f"{k}:{v:.3f}" for k, v in scores.items())
                    progress.console.print(f"{self.step} loss {np.mean(losses):.4f} {shown}")
                    losses = []
                    self._save()
        keras.config.set_dtype_policy("float32")
        with self.averaged():
            final = _in_float32(self.model)
        final.save(self.folder / "final.keras")
        return self.folder / "final.keras"


def _in_float32(model: keras.Model) -> keras.Model:
    """Return the same network with every layer in float32."""

    def plain(layer: keras.Layer) -> keras.Layer:
        return layer.__class__.from_config({**layer.get_config(), "dtype": "float32"})

    copy = keras.models.clone_model(model, clone_function=plain)
    copy.set_weights(model.get_weights())
    return copy


def _keep(path: Path, rows: int) -> None:
    """Keep so many rows of a table: one more may be there, of a run that ended between it and its checkpoint."""
    if path.exists():
        path.write_text("".join(path.read_text().splitlines(keepends=True)[: 1 + rows]))


def _append(path: Path, row: dict[str, float]) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def validation(truths: np.ndarray, noises: np.ndarray) -> Callable[[keras.Model], dict[str, float]]:
    """Return a function that gives a network's rms error, in noise rms, at each of `LEVELS` (geometric mean over maps)."""

    def validate(model: keras.Model) -> dict[str, float]:
        scores = {}
        for level in LEVELS:
            out = model.predict_on_batch(level * truths[..., None] + noises[..., None])
            error = np.asarray(out[0] if isinstance(out, list) else out)[..., 0] - level * truths
            scores[f"snr{level:g}"] = float(np.exp(np.log(np.sqrt((error**2).mean((1, 2)))).mean()))
        scores["all"] = float(np.exp(np.mean(np.log(list(scores.values())))))
        return scores

    return validate
