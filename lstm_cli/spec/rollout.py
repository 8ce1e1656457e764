"""The section `rollout`: a closed loop, where the network drives a system and sees the system's next state."""

from typing import Annotated

from pydantic import Field

from lstm_cli.spec.fields import Natural, Positive, Section, expected, several


class RolloutSpec(Section):
    """A closed loop."""

    dynamics: Annotated[
        str, Field(strict=True, pattern=r"^[^\x00]+\.py:[A-Za-z_][A-Za-z0-9_]*$"), expected("FILE.py:FUNCTION")
    ] = Field(description="The function (state (B, D), output (B, O)) -> next state, as FILE.py:FUNCTION.")
    steps: Positive = Field(description="The number of steps that the loop runs.")
    loss_on: Annotated[tuple[Natural, ...], several(accepts=int | list[int])] = Field(
        description="The elements of the state that are compared with the target."
    )
