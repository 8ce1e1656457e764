"""The section `model.initializer`: what the weights of a model start from."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lstm_cli.config.fields import Section, expected

Distribution = Literal[
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
    "normal",
    "uniform",
]


Scale = Annotated[float, Field(strict=True, gt=0, le=1000), expected("a number above 0, at most 1000")]


class Initial(Section):
    """The distribution that a matrix of weights is drawn from, and by what its values are multiplied."""

    shorthand: ClassVar[str | None] = "distribution"

    distribution: Distribution = Field(description="The distribution; normal is N(0, 1), uniform is U(-1, 1).")
    scale: Scale = Field(default=1.0, description="Factor of the drawn values.")


#: What embeddings start from that are also the output's weights: with N(0, 1) outputs would be too large at first.
TIED = Initial(distribution="normal", scale=0.3)


class InitializerSpec(Section):
    """What the weights start from, each a distribution or a mapping; those of gates are drawn gate by gate."""

    input: Initial = Field(
        default=Initial(distribution="glorot_uniform"), description="Weights of the recurrent layers for their inputs."
    )
    recurrent: Initial = Field(
        default=Initial(distribution="orthogonal"), description="Weights of the recurrent layers for their own past."
    )
    embedding: Initial = Field(default=Initial(distribution="normal"), description="Embeddings of tokens.")
    output: Initial = Field(default=Initial(distribution="glorot_uniform"), description="Weights of the output layer.")
