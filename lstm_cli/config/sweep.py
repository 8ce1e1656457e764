"""The section `sweep`: what ``lstm sweep`` searches, for how long, and where it stores what it finds."""

import json
import re
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from lstm_cli.config.fields import Duration, Flag, MayChange, OneOrMore, Positive, Section, expected, refuse
from lstm_cli.config.train import AutoOrCount

_ADDRESS = "postgresql://HOST/DATABASE, or null for a file"
STORAGES = ("postgresql", "postgresql+psycopg")

Number = Annotated[float, Field(strict=True), expected("a number")]


class Range(Section):
    """Numbers between two bounds, both included; whole numbers where the key takes no others."""

    low: MayChange[Number] = Field(description="The smallest value.")
    high: MayChange[Number] = Field(description="The largest value.")
    log: MayChange[Flag] = Field(
        default=False, description="Whether to search the logarithm: every factor is as likely."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise refuse(f"low is {self.low:g} and high {self.high:g}: low must be smaller")
        if self.log and self.low <= 0:
            raise refuse(f"low is {self.low:g}, which has no logarithm: give one above 0, or leave log out")
        return self


def _distinct(choices: list[Any]) -> list[Any]:
    texts = [json.dumps(choice, sort_keys=True) for choice in choices]
    if twice := next((text for text in texts if texts.count(text) > 1), None):
        raise refuse(f"{twice} is listed twice")
    return choices


_WHAT = "a list of choices, or a range such as {low: 1e-4, high: 1e-2, log: true}"
Choices = Annotated[OneOrMore[Any], AfterValidator(_distinct), expected(_WHAT)]
Searched = Annotated[
    Annotated[Range, Tag("<range>")] | Annotated[Choices, Tag("<choices>")],
    Discriminator(lambda value: "<range>" if isinstance(value, dict | Range) else "<choices>"),
]


def _not_empty(space: dict[str, Any]) -> dict[str, Any]:
    if not space:
        raise refuse("nothing to search: give a key of the config with its choices or its range")
    return space


def _database(storage: str) -> str:
    if urlsplit(storage).scheme not in STORAGES or not urlsplit(storage).path.strip("/"):
        raise refuse(f"got {without_passwords(storage)!r}, expected {_ADDRESS}")
    return storage


Storage = Annotated[
    str, Field(strict=True, json_schema_extra={"pattern": r"^postgresql(\+psycopg)?://"}), AfterValidator(_database),
    expected(_ADDRESS),
]  # fmt: skip
StudyName = Annotated[str, Field(strict=True, min_length=1, max_length=500), expected("a name")]


class SweepSpec(Section):
    """What ``lstm sweep`` searches; a training ignores it."""

    trials: MayChange[Positive] = Field(default=50, description="Trainings in total, over all machines.")
    time: MayChange[Duration | None] = Field(
        default=None, description="When to start no further trial and stop those that train; null: without limit."
    )
    workers: MayChange[AutoOrCount] = Field(
        default="auto", description="Trials that train at a time on this machine; `auto`: as many as it has cores."
    )
    space: MayChange[Annotated[dict[str, Searched], AfterValidator(_not_empty)]] = Field(
        description="The keys to search, dotted, each with a list of choices or a range {low, high, log}."
    )
    prune: MayChange[Flag] = Field(
        default=True,
        description="Whether to stop a trial whose best monitored score so far is worse than the median of the "
        "others at the same point.",
    )
    storage: MayChange[Storage | None] = Field(
        default=None,
        description="null: a journal in the folder; postgresql://HOST/DATABASE: a database in which any number of "
        "machines work on one study.",
    )
    study: MayChange[StudyName | None] = Field(
        default=None, description="With `storage`: the name of the study there; null: the name of the config file."
    )


_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+]*://[^\s/?#@:'\"]*:)[^\s'\"]*(?=@)|([?&]password=)[^\s&'\"]*", re.IGNORECASE)


def without_passwords(text: str) -> str:
    """Return a text with ``***`` in place of the passwords of addresses in it."""
    return _PASSWORD.sub(lambda found: f"{found[1] or found[2]}***", text)
