"""What a layer needs to run over whole sequences as one Op: the names of its activations."""

from pytensor.graph.basic import Variable, equal_computations
from pytensor.tensor import dmatrix

from lstm_cli.ops.activations import ACTIVATIONS, Activation


def activation_name(activation: Activation) -> str | None:
    """Return the name of a function that computes one of `ACTIVATIONS`, however it is written; None for any other."""
    x = dmatrix()
    computed = activation(x)
    for name, known in ACTIVATIONS.items():
        if isinstance(computed, Variable) and equal_computations([computed], [known(x)]):
            return name
    return None


def fused_name(layer: object, attribute: str, activation: Activation, expected: str | None = None) -> str:
    """Return the name under which the Op knows an activation.

    Parameters
    ----------
    layer : RNN
        For the error, as the next.
    attribute : str
        Where the layer holds the activation.
    activation : callable
    expected : str, optional
        The one activation that the Op has there; by default any of `ACTIVATIONS`.

    Raises
    ------
    NotImplementedError
        The Op does not have it.
    """
    name = activation_name(activation)
    if name is None or expected not in (None, name):
        known = expected or ", ".join(ACTIVATIONS)
        raise NotImplementedError(
            f"{type(layer).__name__}.sequence: the Op for whole sequences has only {known} for {attribute}, "
            f"which was replaced by {activation}; use activate in a scan"
        )
    return name
