"""What ``lstm backtest -o`` writes: every forecast as csv, or what another room draws."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from lstm_cli.data import memory
from lstm_cli.errors import ConfigError, shown_path
from lstm_cli.insight.backtest import ORIGINS, Note, backtest, ignored
from lstm_cli.insight.backtest_text import lines
from lstm_cli.insight.backtested import Backtest
from lstm_cli.predict.files import check_format
from lstm_cli.predict.output_paths import check_outputs
from lstm_cli.run.files import WholeFile

CSV = ".csv"


def backtest_file(
    folder: Path,
    series: Path,
    *,
    out: Path | None = None,
    origins: int = ORIGINS,
    horizon: int | None = None,
    form: str | None = None,
    note: Note = ignored,
    drawn: Mapping[str, Callable[[Backtest], str]] = MappingProxyType({}),
) -> Backtest:
    """Make a backtest, and with `out` write it to a file, completely or not at all.

    Parameters
    ----------
    folder, series, origins, horizon, form, note
        See `lstm_cli.insight.backtest.backtest`.
    out : Path, optional
        The file; what its suffix says is written: every forecast as csv, or what one of `drawn` returns.
    drawn : mapping of str to callable, optional
        By suffix, what returns the text of a picture or page.
    """
    if out is not None and out.suffix not in (CSV, *drawn):
        raise ConfigError(f"-o {shown_path(out)}: expected a name that ends in {', '.join((CSV, *drawn))}")
    check_format(form)
    check_outputs({"-o": out}, {"SERIES": series})
    with memory.memory_errors("standard input" if str(series) == "-" else shown_path(series)):
        found = backtest(folder, series, origins=origins, horizon=horizon, form=form, note=note)
        if out is not None:
            with WholeFile(out) as file:
                for piece in lines(found) if out.suffix == CSV else [drawn[out.suffix](found)]:
                    file.write(piece.encode(errors="backslashreplace"))
    return found
