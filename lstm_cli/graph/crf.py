"""A conditional random field over the network's outputs: what trains it, and what it says about a batch.

Its parameters are ``crf.transitions`` (K, K), ``crf.start`` (K,) and ``crf.end`` (K,); the equations are those of
`lstm_cli.ops.crf`. The chain of a sequence has all of its real steps, so that `counted` of the inputs has to name every
one; those that do not count have the target -1.

Legend: N real steps of a batch, K classes.
"""

from dataclasses import dataclass

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.graph.inputs import Inputs
from lstm_cli.graph.model import Model
from lstm_cli.ops.crf import Chains, crf_decode, crf_loss, crf_marginals


@dataclass(frozen=True)
class Labelings:
    """Negative log-likelihood of the labelings of whole sequences, shared out over their steps."""

    model: Model

    def target(self, dtype: str) -> Variable:
        """Return the class indices (N,)."""
        return pt.lvector("target")

    def __call__(self, output: Variable, inputs: Inputs[Variable]) -> tuple[Variable, Variable]:
        """Return the loss, and the share of every step (N,)."""
        return crf_loss(_chains(self.model, output, inputs), inputs.target, inputs.weight)


def decoded(model: Model, output: Variable, inputs: Inputs[Variable]) -> Variable:
    """Return the outputs as they are predicted: of a field (N, K + 1), see `lstm_cli.data.schema.labelings`."""
    if not model.spec.crf:
        return output
    chains = _chains(model, output, inputs)
    labels = crf_decode(chains).astype(output.dtype)
    return pt.concatenate([crf_marginals(chains), labels[:, None]], axis=1)


def _chains(model: Model, output: Variable, inputs: Inputs[Variable]) -> Chains:
    return Chains(output, inputs.counted % inputs.lengths.shape[0], inputs.lengths, *model.chain())
