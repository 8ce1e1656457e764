"""The pictures of ``lstm backtest``: errors by steps ahead beside naive ones, and three forecasts with intervals."""

from collections.abc import Iterator

from lstm_cli.errors import counted
from lstm_cli.insight.backtest_text import form_of, number
from lstm_cli.insight.backtested import MODEL, Backtest
from lstm_cli.report import answers
from lstm_cli.report.charts import Axis, Chart, Line
from lstm_cli.report.page import drawings
from lstm_cli.report.rendering import rendered
from lstm_cli.report.tables import Column, Table
from lstm_cli.scores.titles import title

SVG_HEIGHT = 348  # of a chart with one axis, as ``chart.svg`` draws it


def page(found: Backtest) -> str:
    """Return a backtest as one self-contained HTML page."""
    interval = found.interval
    return rendered(
        "backtest.html",
        found=found,
        what=_what(found),
        refresh=0,
        scores=scores(found),
        errors=drawings(errors_ahead(found)),
        windows=drawings(answers.windows(found.windows())),
        interval=interval,
    )


def picture(found: Backtest) -> str:
    """Return the charts of a backtest under each other as one SVG file."""
    charts = [*errors_ahead(found, metrics=("mae",)), *answers.windows(found.windows())]
    return rendered("backtest.svg", drawings=drawings(charts), height=SVG_HEIGHT, what=_what(found))


def _what(found: Backtest) -> str:
    return f"{counted(len(found), 'forecast')} of {counted(found.plan.steps, 'step')}"


def errors_ahead(found: Backtest, metrics: tuple[str, ...] = ("mae", "rmse")) -> Iterator[Chart]:
    """Yield a chart for each metric and column: the errors of all forecasters at each number of steps ahead."""
    several = len(found.columns) > 1
    for column in found.columns:
        for metric in metrics:
            key = f"{metric}.{column}" if several else metric
            lines = [
                Line(
                    "this model" if name == MODEL else text,
                    list(zip(found.steps_ahead, found.horizons[name][key], strict=True)),
                    naive=name != MODEL,
                )
                for name, text in found.titles.items()
            ]
            of = f" of {column}" if several else ""
            yield Chart(f"{title(metric)}{of} by steps ahead", lines, axes=(Axis("steps ahead"),), zero=True)


def scores(found: Backtest) -> Table:
    """Return the errors over all steps ahead: a row for each forecaster, of one column after the other."""
    several = len(found.columns) > 1
    columns = [*[Column("column", number=False)] * several, Column("forecaster", number=False)]
    columns += [Column(title(metric)) for metric in ("rmse", "mae", "bias")] + [Column("skill")]
    rows = []
    for column in found.columns:
        suffix = f".{column}" if several else ""
        form = form_of(found.overall[MODEL][f"rmse{suffix}"])
        for name, text in found.titles.items():
            errors = found.overall[name]
            skill = None if name == MODEL else found.skill[name][f"mae{suffix}"]
            cells = [number(errors[f"{metric}{suffix}"], form) for metric in ("rmse", "mae", "bias")]
            rows.append([*[column] * several, text, *cells, "" if name == MODEL else number(skill, ".2f")])
    return Table(columns, rows)


#: What `lstm_cli.insight.backtest_files.backtest_file` can draw, by the suffix of the file.
DRAWN = {".html": page, ".svg": picture}
