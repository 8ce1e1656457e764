"""The sections `train` and `loss`, and the scores that training can monitor."""

import re
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from lstm_cli.config.fields import (
    AboveZero,
    Column,
    EpochsOrSteps,
    Every,
    Factor,
    FilePath,
    Flag,
    Interval,
    Label,
    MayChange,
    Natural,
    NotNegative,
    OneOrMore,
    Positive,
    Rate,
    Section,
    any_number,
    expected,
    several,
)
from lstm_cli.config.optimizer import Cosine, Schedule

# The loss and every metric, and whether smaller or larger values are better; a share that is to be as large as an
# interval's level has no direction.
Direction = Literal["min", "max", "none"]
METRICS: dict[str, Direction] = {
    "loss": "min",
    "accuracy": "max",
    "macro_f1": "max",
    "perplexity": "min",
    "bits": "min",
    "rmse": "min",
    "mae": "min",
    "r2": "max",
    "pinball": "min",
    "coverage": "none",
    "nll": "min",
    "micro_f1": "max",
    "frame_accuracy": "max",
}
#: The metrics of numbers, which have a value for each column where several columns are predicted: ``rmse.COLUMN``.
PER_COLUMN = ("rmse", "mae", "r2")
#: Those of numbers whose spread is predicted too.
PER_COLUMN_SPREAD = ("pinball", "nll")
_BETTER = [name for name, direction in METRICS.items() if direction != "none"]
#: Of several target columns every metric has the name of its column: ``accuracy.COLUMN``.
_COLUMNS = tuple(name for name in _BETTER if name not in ("loss", "perplexity", "bits"))
MONITORS = (*(f"valid.{name}" for name in _BETTER), *(f"valid.{name}.COLUMN" for name in _COLUMNS), "train.loss")
_OF_COLUMN = rf"^valid\.({'|'.join(_COLUMNS)})\..+$"


def _monitor(value: Any) -> str:
    """Accept the name of a score; whether the data has the column is known only when it is read."""
    if isinstance(value, str) and (value in MONITORS or re.fullmatch(_OF_COLUMN, value)):
        return value
    raise PydanticCustomError("literal_error", "{expected}", {"expected": ", ".join(map(repr, MONITORS))})


_NAMED = {"enum": [name for name in MONITORS if not name.endswith(".COLUMN")]}
Monitor = Annotated[
    str,
    PlainValidator(_monitor),
    WithJsonSchema({"anyOf": [_NAMED, {"type": "string", "pattern": _OF_COLUMN}]}),
]


_Balanced = Annotated[Literal["balanced"], expected("balanced, or a mapping of labels to weights"), Tag("<name>")]
ClassWeights = Annotated[
    _Balanced | Annotated[dict[Label, AboveZero], Tag("<weights>")],
    Discriminator(lambda value: "<weights>" if isinstance(value, dict) else "<name>"),
]


Quantiles = Annotated[tuple[Factor, ...], several(accepts=Factor | OneOrMore[Factor])]


class LossSpec(Section):
    """The loss that training minimises."""

    normalize: Literal["step", "sequence"] = Field(default="step", description="What the loss is averaged over.")
    distance: Literal["squared", "absolute", "huber"] = Field(
        default="squared", description="Numeric targets: the loss."
    )
    huber_delta: AboveZero = Field(default=1.0, description="Distance beyond which the Huber loss is linear.")
    label_smoothing: Rate = Field(
        default=0.0, description="Categorical targets: share of the probability that is spread over all classes."
    )
    class_weight: ClassWeights | None = Field(
        default=None,
        description="Categorical targets: a factor of the loss for each label, others have 1; `balanced`: those that "
        "give all labels the same share of the training data.",
    )
    quantiles: Quantiles | None = Field(
        default=None,
        description="Numeric targets: predict these quantiles, such as [0.1, 0.5, 0.9], instead of one value.",
    )
    distribution: Literal["gaussian"] | None = Field(
        default=None, description="Numeric targets: predict a mean and a deviation instead of one value."
    )
    weights: dict[Column, NotNegative] = Field(
        default={}, description="Several target columns: the factor of each one's loss in their sum; 1 for others."
    )
    start: Column | None = Field(
        default=None, description="Column with the number of the first step that counts, from 0; null: the first."
    )
    length: Column | None = Field(
        default=None, description="Column with the number of steps that count; null: all to the end."
    )
    weight: Column | None = Field(
        default=None, description="Column with the weight of a sequence or step; null: all equal."
    )


AutoOrCount = Annotated[Literal["auto"] | Positive, expected("auto, or a whole number of 1 or more")]


Groups = Annotated[tuple[Column, ...], any_number(accepts=Column | list[Column])]


class TrainSpec(Section):
    """How long to train, in what batches, and how often to evaluate and save."""

    init_from: FilePath | None = Field(
        default=None,
        description="Run folder whose weights, vocabularies and scaling training starts from, as `--from RUN`; keys of "
        "`model` that are not given are those of that run.",
    )
    freeze: Groups = Field(
        default=(), description="Groups of weights that stay as they are, such as `[embedding, layers.0]`."
    )
    average: Factor | None = Field(
        default=None,
        description="Decay of a running average of the weights, such as 0.999, which evaluations, `best/` and "
        "predictions then use; null: none.",
    )
    epochs: MayChange[AutoOrCount] = Field(
        default="auto",
        description="Passes over the training data, in total; `auto`: ten, or as many as make 1,500 to 2,500 updates, "
        "or 4,000 of numbers that change little from step to step.",
    )
    batch_size: AutoOrCount | None = Field(
        default="auto",
        description="Sequences in a batch; `auto`: at most 32, fewer where an epoch has less than about 30 updates; "
        "null with `batch_steps`.",
    )
    batch_steps: Positive | None = Field(
        default=None, description="Instead of `batch_size`: the largest number of steps in a batch, padding included."
    )
    bucket: Flag = Field(default=True, description="Whether batches consist of sequences of similar length.")
    accumulate: Positive = Field(default=1, description="Batches whose gradients are accumulated into one update.")
    schedule: Schedule = Field(default=Cosine(), description="How the learning rate changes over time.")
    monitor: Monitor = Field(
        default="valid.loss", description="Score by which the best checkpoint is chosen and improvement is judged."
    )
    patience: MayChange[Positive | None] = Field(
        default=150, description="Evaluations without improvement after which training stops; null: never."
    )
    valid_streams: Positive | None = Field(
        default=None,
        description="Score `valid` of a long series in N parallel streams, each warmed up on ten windows that do not "
        "count; null: exactly, like its predictions.",
    )
    evaluate_every: MayChange[EpochsOrSteps] = Field(
        default=Every(1, "epoch"),
        description="How often to evaluate the model.",
        json_schema_extra={"default": "epoch"},
    )
    checkpoint_every: MayChange[Interval] = Field(
        default=Every(600.0, "seconds"),
        description="How often to write the checkpoint last/.",
        json_schema_extra={"default": "10min"},
    )
    on_nonfinite: MayChange[Literal["stop", "skip", "halve_learning_rate"]] = Field(
        default="stop", description="What to do with an update whose loss or gradient is not finite."
    )
    max_nonfinite: MayChange[Natural] = Field(
        default=10, description="Training stops after more than this many updates that are not finite."
    )

    @model_validator(mode="before")
    @classmethod
    def _choose_batching(cls, value: Any) -> Any:
        """Drop the default `batch_size` where only `batch_steps` is given."""
        if isinstance(value, dict) and value.get("batch_steps") is not None and "batch_size" not in value:
            return {**value, "batch_size": None}
        return value
