"""Embeddings that start from vectors of a file (`model.pretrained`)."""

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Schema
from lstm_cli.data.schema.vocabulary import UNKNOWN
from lstm_cli.data.vectors import Vectors, read_vectors, tokens_with_lower, width_of
from lstm_cli.errors import DataError, brief, counted
from lstm_cli.graph.model import Model


def with_widths(config: Config) -> int | None:
    """Return the size of embeddings that the files of vectors give where the config gives none; None: nothing to set.

    Raises
    ------
    ConfigError
        A size that the config gives is not that of the file, or files differ in size and the config gives none.
    DataError
        A file is missing or is none of vectors.
    """
    pretrained, sizes = config.model.pretrained, config.model.embedding
    widths = {name: width_of(config.source.resolve(path)) for name, path in pretrained.items()}
    if not widths:
        return None
    if "embedding" not in config.model.model_fields_set:
        if len({*widths.values()}) > 1:
            text = ", ".join(f"{brief(name)}: {width}" for name, width in widths.items())
            raise config.error(
                "model.pretrained", f"the files have vectors of different sizes: add embedding: {{{text}}}"
            )
        return next(iter(widths.values()))
    for name, width in widths.items():
        size = sizes if isinstance(sizes, int) else sizes.get(name, width)
        if size != width:
            what = f"the file has vectors of {counted(width, 'number')}, but model.embedding is {size}"
            raise config.error(f"model.pretrained.{name}", f"{what}: leave model.embedding out, or set it to {width}")
    return None


def take_vectors(model: Model, config: Config, schema: Schema) -> tuple[list[str], dict[str, str]]:
    """Replace the initial embeddings of tokens by the vectors of files; return notes, and the digests of the files.

    A token that is not in the file has the vector of its lower case. One that has neither starts with numbers of
    the mean and deviation of those that were found.
    """
    values, notes, digests = model.parameters.values(), [], {}
    for name, given in config.model.pretrained.items():
        path, tokens = config.source.resolve(given), schema.tokens[name].tokens
        vectors = read_vectors(path, {*tokens_with_lower(tokens)})
        exact = [token for token in tokens if token in vectors.of]
        lower = [token for token in tokens if token not in vectors.of and token.lower() in vectors.of]
        if not exact and not lower:
            raise DataError(
                f"{brief(given)}: has no vector of the {len(tokens) - 1:,} tokens of {brief(name)}: give another"
            )
        values[f"embedding.{name}"] = _rows(values[f"embedding.{name}"], tokens, vectors)
        known = len([token for token in (*exact, *lower) if token != UNKNOWN])
        more = f", {len(lower):,} of them in lower case" if lower else ""
        notes.append(
            f"{brief(name)}: {known:,} of {counted(len(tokens) - 1, 'token')} have a vector in {brief(given)}{more}"
        )
        digests[name] = vectors.digest
    model.parameters.set_values(values)
    return notes, digests


def _rows(drawn: np.ndarray, tokens: tuple[str, ...], vectors: Vectors) -> np.ndarray:
    """Return the rows (V, D) of an embedding; those not in the file are drawn like the others."""
    found = [vectors.of.get(token, vectors.of.get(token.lower())) for token in tokens]
    known = np.array([vector for vector in found if vector is not None])
    rows: np.ndarray = known.mean(axis=0) + known.std() / drawn.std() * (drawn - drawn.mean())
    for row, vector in zip(rows, found, strict=True):
        if vector is not None:
            row[:] = vector
    return rows
