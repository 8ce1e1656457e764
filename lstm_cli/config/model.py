"""The section `model`: embeddings, recurrent layers and what lies between and after them."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from lstm_cli.config.fields import Column, Flag, Positive, Rate, Section, several

Cell = Literal["lstm", "gru", "rnn"]
Activation = Literal["tanh", "linear", "relu", "sigmoid", "softsign"]


class LayerSpec(Section):
    """One recurrent layer. What it does not set is the model's."""

    shorthand: ClassVar[str | None] = "size"

    size: Positive = Field(description="The number of units, in each direction.")
    cell: Cell | None = Field(None, description="Kind of cell; null: the model's.")
    activation: Activation | None = Field(None, description="Of the cell's input modulation; null: the model's.")
    dropout: Rate | None = Field(None, description="On what the layer puts out; null: the model's.")
    recurrent_dropout: Rate | None = Field(None, description="Inside the recurrence; null: the model's.")
    bidirectional: Flag | None = Field(None, description="Whether it reads from both ends; null: the model's.")


class OutputSpec(Section):
    """The output layer of a closed loop, whose size no data fixes."""

    shorthand: ClassVar[str | None] = "size"

    size: Positive = Field(description="The number of values that the network puts out at each step.")
    activation: Activation = Field("linear", description="Of the output layer.")


Embedding = Annotated[
    Annotated[Positive, Tag("<size>")] | Annotated[dict[Column, Positive], Tag("<sizes>")],
    Discriminator(lambda value: "<sizes>" if isinstance(value, dict) else "<size>"),
]
Layers = Annotated[tuple[LayerSpec, ...], several(accepts=int | list[int | LayerSpec])]


class ModelSpec(Section):
    """Embeddings, recurrent layers and what lies between and after them."""

    embedding: Embedding = Field(64, description="Width of the embedding of token inputs, or of each by its name.")
    cell: Cell = Field("lstm", description="Kind of the recurrent cells.")
    layers: Layers = Field(
        (LayerSpec(size=128), LayerSpec(size=128)),
        description="Recurrent layers from input to output: sizes, or mappings.",
    )
    bidirectional: Flag = Field(False, description="Whether layers read the sequence from both ends.")
    activation: Activation = Field("tanh", description="Of the cells' input modulation.")
    output_activation: Activation | None = Field(
        None, description="Of the output layer, if other than what the target implies."
    )
    residual: Flag = Field(
        False, description="Target next, of numbers: whether the network predicts the change from one step to the next."
    )
    output: OutputSpec | None = Field(None, description="With `rollout`: the output layer that drives the system.")
    dropout: Rate = Field(0.3, description="Share dropped between layers, on embeddings and before the output.")
    recurrent_dropout: Rate = Field(
        0.0, description="Share dropped inside the recurrence: one mask per sequence on the hidden state."
    )
    initial_state: Literal["learned", "zeros"] = Field("learned", description="State that a sequence starts from.")
    pool: Literal["last", "mean", "max", "attention"] = Field(
        "last", description="Target per sequence: how its steps become one vector."
    )

    @model_validator(mode="after")
    def _fill_layers(self) -> Self:
        """Give each layer the model's value of what it does not set itself."""
        keys = LayerSpec.model_fields.keys() - {"size"}
        filled = tuple(
            layer.model_copy(update={key: getattr(self, key) for key in keys if getattr(layer, key) is None})
            for layer in self.layers
        )
        object.__setattr__(self, "layers", filled)
        return self
