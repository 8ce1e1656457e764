"""What a finished run's report shows of its best weights, which the model holds already."""

from lstm_cli.data import Split
from lstm_cli.insight.explanation import Explanation
from lstm_cli.training.horizon import rolled
from lstm_cli.training.job import Job

_ORDER: tuple[Split, ...] = ("test", "valid", "train")


def explain(job: Job) -> Explanation:
    """Return what the weights in the model do on the test data, else on the validation or the training data."""
    split = next(name for name in _ORDER if name in job.scored)
    if job.config.rollout is not None:
        errors, trajectories = rolled(job, split)
        return Explanation(split, loop_errors=errors, trajectories=trajectories)
    return Explanation(split)
