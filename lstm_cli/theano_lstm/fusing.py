"""Names of a layer's activations, which it needs to run over whole sequences as one Op."""

from pytensor.graph.basic import Variable, equal_computations
from pytensor.tensor import dmatrix

from lstm_cli.ops.activations import ACTIVATIONS, Activation
from lstm_cli.theano_lstm.loops.recording import current_notes


def activation_name(activation: Activation) -> str | None:
    """Return the name of a function that computes one of `ACTIVATIONS`, however it is written; None for any other.

    While a loop is built the function is not called for it: what it computed there is compared.
    """
    notes = current_notes()
    x, computed = (None, None) if notes is None else notes.activations.get(id(activation), (None, None))
    if x is None:
        x = dmatrix()
        computed = activation(x)
    for name, known in ACTIVATIONS.items():
        if isinstance(computed, Variable) and equal_computations([computed], [known(x)], [x], [x]):
            return name
    return None


def fused_name(layer: object, attribute: str, activation: Activation, expected: str | None = None) -> str:
    """Return the name under which the Op knows an activation.

    Parameters
    ----------
    layer : RNN
        For the error message, as the next.
    attribute : str
        The attribute that holds the activation.
    activation : callable
    expected : str, optional
        The only activation that the Op supports there; by default any of `ACTIVATIONS`.

    Raises
    ------
    NotImplementedError
        The Op does not support it.
    """
    name = activation_name(activation)
    if name is None or expected not in (None, name):
        known = expected or ", ".join(ACTIVATIONS)
        raise NotImplementedError(
            f"{type(layer).__name__}.sequence: the Op for whole sequences has only {known} for {attribute}, "
            f"which was replaced by {activation}; use activate in a scan"
        )
    return name
