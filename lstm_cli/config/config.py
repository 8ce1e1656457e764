"""The whole config."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, PrivateAttr, WithJsonSchema, model_validator

from lstm_cli.config.data import DataSpec
from lstm_cli.config.fields import MayChange, Natural, Positive, Section, any_number, expected, refuse
from lstm_cli.config.model import ModelSpec
from lstm_cli.config.optimizer import Adam, Optimizer
from lstm_cli.config.rollout import RolloutSpec, with_defaults
from lstm_cli.config.scalars import write_yaml
from lstm_cli.config.source import Source
from lstm_cli.config.sweep import SweepSpec
from lstm_cli.config.train import LossSpec, TrainSpec
from lstm_cli.errors import ConfigError

Tracker = Literal["tensorboard", "mlflow"]


def _once(names: tuple[Tracker, ...]) -> tuple[Tracker, ...]:
    if len(set(names)) < len(names):
        raise refuse("a program is listed twice")
    return names


_SEVERAL = {"type": "array", "items": {"enum": list(get_args(Tracker))}, "uniqueItems": True}
Trackers = Annotated[
    tuple[Tracker, ...],
    any_number(accepts=Tracker | Annotated[list[Tracker], WithJsonSchema(_SEVERAL)]),
    AfterValidator(_once),
]
Threads = Annotated[Literal["auto"] | Positive, expected("auto, or a whole number of 1 or more")]


class Config(Section):
    """Everything that defines a run: data, model, loss, optimizer and training. Read it with `load_config`."""

    seed: Natural = Field(
        default=1, description="Seed of every random choice: initial weights, order of the data, dropout."
    )
    threads: MayChange[Threads] = Field(
        default="auto", description="Number of threads to compute with; `auto`: one per physical core."
    )
    precision: Literal["float32", "float64"] = Field(
        default="float32", description="Floating-point type to compute with."
    )
    data: DataSpec
    model: ModelSpec = ModelSpec()
    loss: LossSpec = LossSpec()
    optimizer: Optimizer = Field(default=Adam(), description="How gradients become updates of the weights.")
    train: TrainSpec = TrainSpec()
    rollout: RolloutSpec | None = Field(
        default=None, description="A closed loop: the outputs of the network determine its next inputs."
    )

    track: MayChange[Trackers] = Field(
        default=(),
        description="Programs that show this run among others: `tensorboard`, from files in the run folder, and "
        "`mlflow`, at `MLFLOW_TRACKING_URI` or in a store beside the run folder.",
    )
    sweep: MayChange[SweepSpec | None] = Field(
        default=None,
        exclude=True,  # of what a run stores: it is about many runs
        description="What `lstm sweep` searches; a training ignores it.",
    )

    _source: Source = PrivateAttr(default_factory=lambda: Source(folder=Path()))

    @property
    def source(self) -> Source:
        """Where the config came from: for relative paths, and for errors found after loading."""
        return self._source

    def error(self, key: str, problem: str) -> ConfigError:
        """Return the error for a value that proves wrong after loading: ``path:line:column: key: problem``."""
        return ConfigError(self.source.describe(self.source.path_of(key), problem))

    def to_yaml(self) -> str:
        """Return every key with its value as YAML, which loads as an equal config."""
        return write_yaml(self.model_dump(mode="json"))

    @model_validator(mode="before")
    @classmethod
    def _follow_train_loss(cls, value: Any) -> Any:
        """Monitor the training loss by default where there is no validation data; set the defaults of a closed loop."""
        if not isinstance(value, dict):
            return value
        value = with_defaults(value)
        data, train = value.get("data"), value.get("train") or {}
        held_out = not isinstance(data, dict) or data.get("valid", 0) is not None or data.get("split") is not None
        if held_out or not isinstance(train, dict) or "monitor" in train:
            return value
        return {**value, "train": {**train, "monitor": "train.loss"}}
