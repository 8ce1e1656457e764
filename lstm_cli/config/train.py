"""The sections `train` and `loss`, and the scores that training can follow."""

from typing import Any, Literal

from pydantic import Field, model_validator

from lstm_cli.config.fields import (
    AboveZero,
    Column,
    Every,
    Flag,
    Natural,
    Positive,
    Rate,
    Section,
    interval,
)
from lstm_cli.config.optimizer import Cosine, Schedule

# Every metric of the contract, and whether less or more of it is better.
METRICS: dict[str, Literal["min", "max"]] = {
    "loss": "min",
    "accuracy": "max",
    "macro_f1": "max",
    "perplexity": "min",
    "bits": "min",
    "rmse": "min",
    "mae": "min",
    "r2": "max",
    "nll": "min",
    "micro_f1": "max",
    "frame_accuracy": "max",
}
MONITORS = (*(f"valid.{name}" for name in METRICS), "train.loss")


def monitor_direction(monitor: str) -> Literal["min", "max"]:
    """Return whether less or more of a monitored score is better."""
    return METRICS[monitor.partition(".")[2]]


class LossSpec(Section):
    """What is minimised."""

    normalize: Literal["step", "sequence"] = Field("step", description="What the loss is averaged over.")
    distance: Literal["squared", "absolute", "huber"] = Field("squared", description="Target number: the loss.")
    huber_delta: AboveZero = Field(1.0, description="Distance from which the Huber loss is linear.")
    label_smoothing: Rate = Field(0.0, description="Target category: share spread over all classes.")
    start: Column | None = Field(None, description="Column with the first step that counts, from 0; null: the first.")
    length: Column | None = Field(None, description="Column with how many steps count; null: to the end.")
    weight: Column | None = Field(None, description="Column with the weight of a sequence or step; null: all equal.")


class TrainSpec(Section):
    """How long, in what batches, and with which checks."""

    epochs: Positive = Field(50, description="Passes over the training data, in total.")
    batch_size: Positive | None = Field(32, description="Sequences in a batch; null with `batch_steps`.")
    batch_steps: Positive | None = Field(
        None, description="In place of `batch_size`: as many sequences as keep the padded batch below this many steps."
    )
    bucket: Flag = Field(True, description="Whether batches are made of sequences of similar length.")
    accumulate: Positive = Field(1, description="Batches whose gradients make one step.")
    schedule: Schedule = Field(Cosine(), description="How the learning rate changes over time.")
    monitor: Literal[MONITORS] = Field(  # ty: ignore
        "valid.loss", description="Score that best/ and `patience` follow."
    )
    patience: Positive | None = Field(10, description="Evaluations without improvement before the end; null: never.")
    valid_streams: Positive | None = Field(
        None,
        description="Score `valid` of a long series in this many parallel streams, each after ten windows that do "
        "not count; null: exactly, as its predictions are.",
    )
    evaluate_every: interval(timed=False) = Field(Every(1, "epoch"), description="When the model is scored.")
    checkpoint_every: interval(timed=True) = Field(Every(600.0, "seconds"), description="When last/ is written.")
    on_nonfinite: Literal["stop", "skip", "halve_learning_rate"] = Field(
        "stop", description="What is done with an update whose loss or gradient is not finite."
    )
    max_nonfinite: Natural = Field(10, description="Updates that are not finite before training stops anyway.")

    @model_validator(mode="before")
    @classmethod
    def _choose_batching(cls, value: Any) -> Any:
        """Let `batch_steps` alone stand in place of the default `batch_size`."""
        if isinstance(value, dict) and value.get("batch_steps") is not None and "batch_size" not in value:
            return {**value, "batch_size": None}
        return value
