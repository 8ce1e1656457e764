"""What a finished run's report shows of its best weights, which the model holds already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from lstm_cli.data import Dataset, Split, memory
from lstm_cli.engine.diagnostics import Probe
from lstm_cli.engine.evaluation import evaluate
from lstm_cli.errors import on_one_line
from lstm_cli.insight.diagnostics import diagnosed
from lstm_cli.insight.errors_file import Error, errors_of_targets
from lstm_cli.insight.evaluate import evaluation_of_targets, undriven_positions
from lstm_cli.insight.explanation import Explanation, SureError
from lstm_cli.insight.forecast_windows import by_feedback, errors_ahead, feedback_steps, windows
from lstm_cli.insight.samples import samples
from lstm_cli.predict.outputs import Network
from lstm_cli.scores.collect import scored_targets
from lstm_cli.scores.positions import Positions
from lstm_cli.scores.titles import UNSEEN, data_of_run
from lstm_cli.training.horizon import rolled
from lstm_cli.training.job import Job

ERRORS, MOST_ERRORS = 20, 1000  # that are shown, and that are looked at for them
LABELS, CLASSES = 60, 200  # of a confusion matrix and with scores of their own: at most, the most frequent ones
SHARE = 0.25  # of the free memory that positions may take

_ORDER: tuple[Split, ...] = ("test", "valid", "train")


@dataclass(frozen=True, eq=False)
class Scored:
    """A split that was scored: the loss and metrics, and the positions unless they would take too much memory.

    The positions are by target column, as of `scored_positions`.
    """

    scores: Mapping[str, float]
    positions: Mapping[str, Positions] | None

    @property
    def single(self) -> Positions | None:
        """The positions of a single target."""
        return None if self.positions is None else self.positions.get("")


def scored(job: Job, split: Split) -> Scored:
    """Score a split once, and keep what each position says if there is memory for it."""
    batches = job.scored[split]
    if not _fits(batches.dataset):
        loss, metrics = evaluate(job.evaluator, batches)
        return Scored({"loss": loss, **metrics}, None)
    positions, scores = scored_targets(job.evaluator, batches)
    return Scored(scores, positions)


def _fits(dataset: Dataset) -> bool:
    """Return whether the positions of a dataset and what is computed from them take a small part of the memory."""
    target, free = dataset.schema.target, memory.available()
    values = sum(
        {"category": 8, "number": (3 + one.head.curves) * one.size, "set": one.size}.get(one.kind, 0)
        for one in target.targets or (target,)
    )
    return free is None or 8 * values * dataset.scored_steps < SHARE * free


def explain(job: Job, tested: Scored | None = None) -> Explanation:
    """Return what the weights in the model do on the test data, else on the validation or the training data.

    Parameters
    ----------
    job : Job
        Its model holds the best weights.
    tested : Scored, optional
        The test data, scored with them.
    """
    split = next(name for name in _ORDER if name in job.scored)
    found = tested or scored(job, split)
    network, closed_loop = Network(job.trainer.model, job.data.schema), job.config.rollout is not None
    errors, trajectories = rolled(job, split) if closed_loop else ((), ())
    ahead, before = (None, None) if closed_loop else _ahead(job, network, split, found)
    return Explanation(
        split,
        evaluation=_evaluation(job, split, found),
        surest_errors=shown_errors(errors_of_targets(found.positions)) if found.positions is not None else (),
        forecasts=windows(ahead, before) if ahead is not None else (),
        horizon=errors_ahead(ahead, job.naives[""]) if ahead is not None else {},
        samples=() if closed_loop else samples(network),
        trajectories=trajectories,
        loop_errors=errors,
        diagnostics=diagnosed(_probe(job), job.scored[split]),
    )


def _probe(job: Job) -> Probe:
    return Probe(job.trainer.model, job.trainer.objective)


def _evaluation(job: Job, split: Split, found: Scored) -> dict[str, object]:
    """Return the object that ``lstm evaluate --json`` prints."""
    if found.positions is None:
        return {"split": split, "metrics": dict(found.scores)}
    evaluation = evaluation_of_targets(
        found.positions,
        found.scores,
        data=data_of_run(split),
        split=split,
        naives=job.naives,
        alone=undriven_positions(job.evaluator, job.scored[split]),
        most_labels=LABELS,
    ).to_json()
    for own in (evaluation, *evaluation.get("targets", {}).values()):
        if len(classes := own.get("classes", {})) > CLASSES:
            frequent = sorted(classes, key=lambda label: -classes[label]["support"])[:CLASSES]
            own["classes"] = {label: classes[label] for label in frequent}
    return evaluation


def _ahead(job: Job, network: Network, split: Split, found: Scored) -> tuple[Positions | None, Positions | None]:
    """Return forecasts of several steps on a split, and on the validation data those that intervals are made from."""
    target, batches = job.data.schema.target, job.scored[split]
    if target.kind != "number" or not target.ahead:
        return None, None
    if target.horizon > 1:
        valid = found if split == "valid" or "valid" not in job.scored else scored(job, "valid")
        return found.single, valid.single
    steps = feedback_steps(job.naives[""], batches.dataset)
    ahead = by_feedback(network, batches.dataset, steps)
    if split == "valid" or "valid" not in job.scored:
        return ahead, ahead
    return ahead, by_feedback(network, job.scored["valid"].dataset, steps)


def shown_errors(errors: Iterable[Error]) -> tuple[SureError, ...]:
    """Return the errors that the page shows: the first ones, which are the surest or the largest.

    Of numbers there is one of each step that predicts, and one of each step that is predicted: an outlier is forecast
    from many steps.
    """
    found: list[SureError] = []
    known: set[tuple[str, str, int | None]] = set()
    for error in map(_shown, islice(errors, MOST_ERRORS)):
        predicted = error.step if error.step is None or error.ahead is None else error.step + error.ahead
        places = {(error.id, "from", error.step), (error.id, "of", predicted)}
        if known.isdisjoint(places):
            found.append(error)
            known |= places
    return tuple(found[:ERRORS])


def _shown(error: Error) -> SureError:
    """Return an error as the page shows it."""
    named = [_text(value) if name == "input" else f"{name} {_text(value)}" for name, value in error.inputs.items()]
    name = error.id if isinstance(error.id, tuple | list) else [error.id]
    return SureError(
        id=" ".join(map(str, name)),
        truth=UNSEEN if error.truth is None else _text(error.truth),
        prediction=_text(error.prediction),
        step=error.step,
        input=", ".join(named) or None,
        confidence=error.confidence,
        error=None if error.error is None else _text(error.error),
        column=error.column,
        ahead=error.ahead,
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(_text, value)) if value else "(none)"
    return f"{value:.5g}" if isinstance(value, float) else on_one_line(value)
