"""``x.eval()`` starts at once: PyTensor compiles it with numba."""

from functools import wraps
from typing import Any

from pytensor.graph.basic import Variable

from lstm_cli.ops.mode import exclusive
from lstm_cli.theano_lstm.theano.modes import AnyMode, get_mode


def eval_at_once() -> None:
    """Let `eval` of a variable use the mode that ``config.mode`` names; repeated calls change nothing."""
    evaluate = Variable.eval
    if hasattr(evaluate, "at_once"):
        return

    @exclusive
    @wraps(evaluate)
    def at_once(self: Variable, *arguments: Any, mode: str | AnyMode | None = None, **options: Any) -> Any:
        return evaluate(self, *arguments, mode=get_mode(mode), **options)

    at_once.at_once = True  # type: ignore[attr-defined]
    Variable.eval = at_once
