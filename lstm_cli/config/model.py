"""The section `model`: embeddings, recurrent layers, dropout and the output layer."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from lstm_cli.config.fields import Column, FilePath, Flag, OneOrMore, Positive, Rate, Section, expected, several
from lstm_cli.config.initializer import TIED, InitializerSpec

Cell = Literal["lstm", "gru", "rnn"]
Activation = Literal["tanh", "linear", "relu", "sigmoid", "softsign"]


class LayerSpec(Section):
    """One recurrent layer. Keys that it does not set have the model's values."""

    shorthand: ClassVar[str | None] = "size"

    size: Positive = Field(description="The number of units in each direction.")
    cell: Cell | None = Field(default=None, description="Type of cell; null: the model's.")
    activation: Activation | None = Field(
        default=None, description="Activation of the cell's input modulation; null: the model's."
    )
    dropout: Rate | None = Field(default=None, description="Dropout rate on the layer's output; null: the model's.")
    recurrent_dropout: Rate | None = Field(
        default=None, description="Dropout rate in the recurrence; null: the model's."
    )
    bidirectional: Flag | None = Field(
        default=None, description="Whether the layer reads the sequence in both directions; null: the model's."
    )
    layer_norm: Flag | None = Field(
        default=None, description="Whether the sums of its cells are normalised over the units; null: the model's."
    )
    skip: Flag | None = Field(
        default=None,
        description="Whether its input is added to its output; null: the model's, but false in the first layer.",
    )

    @property
    def width(self) -> int:
        """Numbers of the layer's output at each step."""
        return self.size * (2 if self.bidirectional else 1)


Bias = Annotated[float, Field(strict=True, ge=-100, le=100), expected("a number from -100 to 100")]


class OutputSpec(Section):
    """The output layer of a closed loop around a system, whose size the data does not determine."""

    shorthand: ClassVar[str | None] = "size"

    size: Positive = Field(description="The number of values that the network outputs at each step.")
    activation: Activation = Field(default="linear", description="Activation of the output layer.")


Embedding = Annotated[
    Annotated[Positive, Tag("<size>")] | Annotated[dict[Column, Positive], Tag("<sizes>")],
    Discriminator(lambda value: "<sizes>" if isinstance(value, dict) else "<size>"),
]


def _no_word(value: Any) -> Any:
    """Refuse null and a word other than `auto`, which the model has left out."""
    if value is None or isinstance(value, str):
        what = "auto, a whole number of 1 or more, or a list of layers"
        raise PydanticCustomError("expected", "{what}", {"what": what})
    return value


Layers = Annotated[
    tuple[LayerSpec, ...],
    several(accepts=Literal["auto"] | Positive | LayerSpec | OneOrMore[Positive | LayerSpec]),
    BeforeValidator(_no_word),
]


class ModelSpec(Section):
    """Embeddings, recurrent layers, dropout and the output layer."""

    embedding: Embedding = Field(
        default=64, description="Size of the embeddings of token inputs, or a mapping of inputs to sizes."
    )
    pretrained: dict[Column, FilePath] = Field(
        default={},
        description="Files of vectors that embeddings start from, by token input, such as `{word: vectors.vec}`; they "
        "determine the size of embeddings where it is not given.",
    )
    cell: Cell = Field(default="lstm", description="Type of the recurrent cells.")
    layers: Layers = Field(
        default=(LayerSpec(size=128),),
        description="Recurrent layers from input to output, each a size or a mapping; `auto`: one layer, chosen from "
        "the data with `bidirectional`, `dropout`, `recurrent_dropout`, `residual`, `pool` and `embedding` where these "
        "are not given.",
        json_schema_extra={"default": "auto"},
    )
    bidirectional: Flag = Field(default=False, description="Whether layers read the sequence in both directions.")
    activation: Activation = Field(default="tanh", description="Activation of the cells' input modulation.")
    layer_norm: Flag = Field(
        default=False, description="Whether the sums of the cells, gate by gate, are normalised over the units."
    )
    skip: Flag = Field(
        default=False, description="Whether to add to the output of each layer but the first what enters it."
    )
    crf: Flag = Field(
        default=False,
        description="With a category per step: whether to score and predict the labels of a whole sequence together, "
        "by a conditional random field over the outputs.",
    )
    tie_embeddings: Flag = Field(
        default=False,
        description="With tokens as target `next`: whether the weights of the output layer are the embeddings, "
        "which then start from N(0, 0.3²) unless `initializer.embedding` is given.",
    )
    output_activation: Activation | None = Field(
        default=None, description="Activation of the output layer; null: the one that the target implies."
    )
    residual: Flag = Field(
        default=False,
        description="With a numeric target `next`: whether to predict the change from one step to the next.",
    )
    output: OutputSpec | None = Field(
        default=None, description="With `rollout.dynamics`: the output layer that drives the system."
    )
    dropout: Rate = Field(
        default=0.3, description="Dropout rate on embeddings, between layers and before the output layer."
    )
    recurrent_dropout: Rate = Field(
        default=0.0, description="Dropout rate on the hidden state in the recurrence, with one mask per sequence."
    )
    initial_state: Literal["learned", "zeros"] = Field(
        default="learned", description="State that every sequence starts from."
    )
    forget_bias: Bias = Field(default=1.0, description="What the biases of the forget gates of LSTM cells start from.")
    initializer: InitializerSpec = Field(
        default=InitializerSpec(), description="What the weights start from; biases start from 0."
    )
    pool: Literal["last", "mean", "max", "attention"] = Field(
        default="last", description="With one target per sequence: how its steps are reduced to one vector."
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_auto(cls, value: Any) -> Any:
        """Leave out `layers: auto`, which is what a config without layers means."""
        if isinstance(value, dict) and value.get("layers") == "auto":
            return {key: given for key, given in value.items() if key != "layers"}
        return value

    @property
    def is_chosen(self) -> bool:
        """Whether the network is to be chosen from the data."""
        return "layers" not in self.model_fields_set

    @model_validator(mode="after")
    def _start_tied_small(self) -> Self:
        """Draw embeddings that are output weights too from a narrow distribution, where the config names none."""
        if self.tie_embeddings and "embedding" not in self.initializer.model_fields_set:
            object.__setattr__(self, "initializer", self.initializer.model_copy(update={"embedding": TIED}))
        return self

    @model_validator(mode="after")
    def _fill_layers(self) -> Self:
        """Give each layer the model's value of every key that it does not set itself."""
        values = {key: getattr(self, key) for key in LayerSpec.model_fields.keys() - {"size"}}
        filled = tuple(
            layer.model_copy(update={key: value for key, value in own.items() if getattr(layer, key) is None})
            for layer, own in zip(self.layers, [{**values, "skip": False}, *[values] * len(self.layers)], strict=False)
        )
        object.__setattr__(self, "layers", filled)
        return self
