"""The metrics of positions that were collected: the same as of the batches that they are from."""

from lstm_cli.engine.metrics import Categories, Numbers, Sets, Symbols
from lstm_cli.scores.positions import Positions


def metrics_of(positions: Positions) -> dict[str, float]:
    """Return the metrics of positions, of a model or of any other predictor; none where there are no positions.

    They equal those of `engine.evaluation` up to the last bits of sums. Without `nats`, as for predictors without
    probabilities, those that need them are left out.
    """
    task = positions.task
    if not len(positions):
        return {}
    match task.kind:
        case "number":
            numbers = Numbers(task.output_columns)
            numbers.update(positions.predicted, positions.truth)
            return numbers.result()
        case "set":
            return _of_sets(positions)
        case "category" if task.is_next:
            symbols = Symbols()
            if positions.nats is None:
                return {}
            symbols.update(positions.nats, positions.truth)
            return symbols.result()
        case "category":
            categories = Categories(task.size)
            categories.add(positions.predicted, positions.truth)
            return categories.result()


def _of_sets(positions: Positions) -> dict[str, float]:
    sets, unseen = Sets(), positions.unseen
    sets.add(
        positions.predicted,
        positions.truth,
        positions.truth[:0, 0] if positions.nats is None else positions.nats,
        0 if unseen is None else int(unseen.sum()),
    )
    found = sets.result()
    return found if positions.nats is not None else {name: value for name, value in found.items() if name != "nll"}
