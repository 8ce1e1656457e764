"""Pages and pictures made of the templates in ``templates/``: all text of users is escaped."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_cli.errors import counted
from lstm_cli.report.charts import Chart
from lstm_cli.report.drawing import drawn
from lstm_cli.report.scales import label
from lstm_cli.report.wording import LONGEST, begun, capital, cut, line, unbroken
from lstm_cli.training.sinks.wording import number

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")


def rendered(template: str, **values: Any) -> str:
    """Return a template's text with these values; a name that is not given is an error."""
    return _environment().get_template(template).render(values)


def picture(chart: Chart) -> str | None:
    """Return a chart as the text of an SVG file that opens anywhere, or None if it has no point."""
    drawing = drawn(chart)
    return None if drawing is None else rendered("chart.svg", drawing=drawing)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # takes 50 ms; only pages need it

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"number": number, "tick": label, "percent": _percent}
    made.filters |= {"cut": cut, "capital": capital, "line": line, "begun": begun, "unbroken": unbroken}
    made.filters |= {"share": _share, "date": _date, "counted": counted}
    made.globals |= {"longest": LONGEST, "columns_and_cells": zip}
    # A macro as a filter: it returns HTML that is safe, with the text in it escaped.
    made.filters["whole"] = vars(made.get_template("words.html").module)["whole"]
    return made


def _percent(position: float) -> str:
    """Return a position from 0 to 1 for a style sheet."""
    return f"{100 * position:.4g}%"


def _share(text: str) -> str:
    """Return the width of a bar for a share that is written as a number; none where there is no number."""
    return _percent(float(text)) if text else "0"


def _date(text: str) -> str:
    """Return an ISO date and time for people: 27 November 2026, 14:32; as it is if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.day} {moment:%B %Y, %H:%M}"
