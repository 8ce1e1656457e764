"""The work of `lstm-predict --generate`: from a run and a prompt to texts."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from lstm_cli.config.formats import COMPRESSED, format_of
from lstm_cli.errors import ConfigError, listed
from lstm_cli.predict.ensemble import load
from lstm_cli.predict.generation import fresh_seed
from lstm_cli.predict.output_paths import check_outputs
from lstm_cli.predict.writers import write_lines, write_text

#: Formats of data files whose names texts may have.
_TEXT, _LINES = "text", "jsonl"


def generate_run(
    folder: Path | Sequence[Path],
    count: int,
    *,
    prompt: str = "",
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    samples: int = 1,
    stop: Sequence[str] = (),
    seed: int | None = None,
    out: Path | None = None,
    trust: bool = False,
    note: Callable[[str], None] = lambda text: None,
) -> None:
    """Write texts that begin with a prompt.

    Parameters
    ----------
    folder : Path, or a sequence of them
        The run.
    count, prompt, temperature, top_k, top_p, stop
        See `Run.generate`.
    samples : int
        The number of texts.
    seed : int, optional
        None: another one each time, which a note names.
    out : Path, optional
        A file for the text, written completely or not at all; a jsonl file has a line for each text, with its number
        and the seed. None: standard output.
    trust : bool
        Allow running the code in the folder.
    note : callable
        Called with notes for the user: the seed, tokens that training never saw.
    """
    check_outputs({"-o": out}, {})
    if out is not None and not _is_text(out):
        raise ConfigError(f"-o {out}: --generate writes text: expected a name that ends in .txt or .jsonl")
    run = load(folder, trust=trust)
    drawn, seed = seed is None and temperature > 0, fresh_seed() if seed is None else seed
    how: dict[str, Any] = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "stop": stop, "seed": seed}
    as_lines = out is not None and format_of(out) == _LINES
    one = samples == 1 and not as_lines
    symbols = run.generate(prompt, count, **how) if one else run.samples(prompt, count, samples, **how)
    if unknown := run.schema.unknown_in(prompt):
        note(f"--prompt: unknown tokens: {listed([repr(token) for token in unknown], 5)}")
    if drawn:
        note(f"--seed {seed} draws the same again")
    if one:
        write_text(chain([prompt], symbols, ["\n"]), out)
    elif as_lines:
        write_lines(_as_lines(prompt, symbols, seed), out)
    else:
        write_text(_under_headings(prompt, symbols), out)


def _is_text(out: Path) -> bool:
    """Return whether a file with a name may hold text: names of other formats, or compressed ones, may not."""
    return format_of(out) in (None, _TEXT, _LINES) and out.suffix.lower() not in COMPRESSED


def _as_lines(prompt: str, texts: Iterable[str], seed: int) -> Iterator[str]:
    """Yield a line of JSON for each text."""
    for number, text in enumerate(texts, start=1):
        yield json.dumps({"sample": number, "seed": seed, "text": prompt + text}, ensure_ascii=False) + "\n"


def _under_headings(prompt: str, texts: Iterable[str]) -> Iterator[str]:
    """Yield the texts one below the other as the command ``head`` shows several files."""
    for number, text in enumerate(texts, start=1):
        yield ("" if number == 1 else "\n") + f"==> {number} <==\n{prompt}{text}\n"
