"""A description of a run as text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstm_cli.errors import counted, on_one_line
from lstm_cli.insight.show import Description
from lstm_cli.insight.tables import aligned, cut, figure, wrapped
from lstm_cli.scores.titles import short_title

_LABELS = 20  # that are listed
_NUMBERS = 2  # of a scaling that are listed
_DIGEST = 16  # characters of a digest that are shown


def description_text(found: Description, width: int) -> str:
    """Return a description as text of at most `width` columns."""
    lines = [cut(found.run, width), *wrapped(on_one_line(found.status), width, indent="  ")]
    for problem in found.problems:
        lines += wrapped(f"damaged: {on_one_line(problem)}", width, indent="  ")
    for heading, part in (
        (f"model, {counted(found.parameters, 'weight')}", _model(found)),
        ("inputs", _inputs(found)),
        ("target", _pairs(_target(found.target), width)),
        ("scores of the best state", _scores(found)),
        ("checkpoints", _checkpoints(found)),
        ("data", _pairs(_data(found.data), width)),
        ("made", _pairs(_provenance(found.provenance), width)),
        ("files", aligned([[name, _bytes(size)] for name, size in found.files.items()])),
    ):
        shown = list(part)
        if shown:
            lines += ["", heading, *(cut(line, width) for line in shown)]
    return "\n".join(lines)


def _model(found: Description) -> Iterator[str]:
    return _described([(layer.name, f"{layer.parameters:,}", layer.description) for layer in found.model])


def _described(rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Yield lines of a name, a number aligned to the right, and words."""
    for line, (_, _, words) in zip(aligned([[name, number] for name, number, _ in rows]), rows, strict=True):
        yield f"{line}  {on_one_line(words)}".rstrip()


def _inputs(found: Description) -> list[str]:
    rows = []
    for column in found.inputs:
        size = {
            "number": f"{column.get('width', 1):,}",
            "tokens": f"{column.get('vocabulary', 0):,}",
            "set": f"{column.get('labels', 0):,}",
        }.get(column["kind"], "")
        what = {"number": "numbers", "tokens": "different tokens", "set": "labels"}[column["kind"]]
        rows.append((on_one_line(column["name"]), size, ", ".join([what, *_details(column, found.data.get("scale"))])))
    return list(_described(rows))


def _details(column: Mapping[str, Any], scale: str | None) -> Iterator[str]:
    """Yield in words what is special about an input column, and how it is scaled: by its mean or by its ends."""
    for name, value in column.items():
        if name in ("static", "known", "indicator"):
            yield {"indicator": "gaps indicated", "known": "known in advance"}.get(name, name)
        elif name in ("of", "unit", "fill"):
            yield f"{name} {value}"
        elif name == "transform":
            yield " then ".join(value)
    if "center" in column:
        pairs = list(zip(column["center"], column["spread"], strict=True))
        texts = [
            f"{center:.4g} to {center + spread:.4g}" if scale == "minmax" else f"{center:.4g} ± {spread:.4g}"
            for center, spread in pairs[:_NUMBERS]
        ]
        yield "scaled from " + " | ".join(texts) + (" …" if len(pairs) > _NUMBERS else "")


def _target(target: Mapping[str, Any]) -> dict[str, str]:
    """Return the target as names and words."""
    if "targets" in target:
        each = {name: _target(own).items() for name, own in target["targets"].items()}
        return {
            name: ", ".join(f"{key} {value}" for key, value in own if key != "column") for name, own in each.items()
        }
    found = {name: _word(value) for name, value in target.items() if name not in ("labels", "size")}
    labels = target.get("labels")
    if labels is not None:
        more = f" and {len(labels) - _LABELS:,} more" if len(labels) > _LABELS else ""
        found[counted(len(labels), "label")] = ", ".join(map(_word, labels[:_LABELS])) + more
    elif target:
        found["outputs"] = f"{target.get('size', 0):,}"
    return found


def _scores(found: Description) -> list[str]:
    rows = [
        [split, *(f"{short_title(name)} {figure(value)}" for name, value in list(scores.items())[:4])]
        for split, scores in found.scores.items()
    ]
    return aligned(rows, left=9)


def _checkpoints(found: Description) -> list[str]:
    rows = []
    for name, one in found.checkpoints.items():
        epoch = "" if one.epoch is None else f"epoch {one.epoch:,}"
        best = "" if one.best is None else f"best {found.monitor} {figure(one.best)}"
        rows.append([name, f"step {one.step:,}", epoch, best, _bytes(one.bytes)])
    return aligned(rows, left=5)


def _data(data: Mapping[str, Any]) -> dict[str, str]:
    digests = data.get("digests", {})
    found = {name: _word(value) for name, value in data.items() if name != "digests"}
    return found | {f"digest of {name}": f"{digest[:_DIGEST]}…" for name, digest in digests.items()}


def _provenance(made: Mapping[str, Any]) -> dict[str, str]:
    listed = {name: value for name, value in made.items() if not isinstance(value, Mapping)}
    groups = {
        name: ", ".join(f"{key} {text}" for key, text in value.items())
        for name, value in made.items()
        if isinstance(value, Mapping)
    }
    return {name: _word(value) for name, value in {**listed, **groups}.items()}


def _pairs(found: Mapping[str, str], width: int) -> Iterator[str]:
    """Yield names and texts; long texts continue on lines below."""
    size = max(map(len, found), default=0)
    for name, text in found.items():
        first, *more = wrapped(on_one_line(text), max(width - size - 4, 20)) or [""]
        yield f"  {name:<{size}}  {first}"
        yield from (f"  {'':<{size}}  {line.lstrip()}" for line in more)


def _word(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_word, value))
    if isinstance(value, bool):
        return str(value).lower()
    return on_one_line(value)


def _bytes(count: int) -> str:
    """Return a size in bytes, kB or MB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"
