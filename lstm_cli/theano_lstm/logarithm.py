"""The logarithm of probabilities that are chosen from those of a softmax.

Scripts write ``T.log(T.nnet.softmax(x))[T.arange(n), y]``, or choose first and take the logarithm then. In the first
form PyTensor replaces logarithm and softmax, and the product of their gradients, by what does not round: a probability
too small for a float would give an infinite loss, and a gradient that is no number. Theano did so for both forms, and
so do the rewrites here. The graph of the script stays as it was written, for what it replaces or differentiates.
"""

import pytensor.tensor as pt
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Variable, equal_computations
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.rewriting.special import local_logsoftmax
from pytensor.tensor.shape import Reshape
from pytensor.tensor.special import Softmax
from pytensor.tensor.subtensor import AdvancedSubtensor, Subtensor

LOG_SOFTMAX = "lstm_log_softmax"

# They choose and arrange elements and compute nothing.
_ARRANGING = (AdvancedSubtensor, DimShuffle, Reshape, Subtensor)


@node_rewriter([pt.log])
def choose_afterwards(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Replace the logarithm of what is chosen from a softmax by what is chosen from the logarithms."""
    chosen = node.inputs[0].owner
    if not _arranges(chosen) or not _from_softmax(chosen.inputs[0]):
        return None
    return [chosen.op(pt.log(chosen.inputs[0]), *chosen.inputs[1:])]


@node_rewriter([pt.mul])
def divide_by_no_probability(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """In the gradient of a softmax p, omit quotients by parts of p that are multiplied by p afterwards.

    The gradient of ``log(p[k])`` is ``g / p[k]`` at k and 0 elsewhere; times p it is g at k.
    """
    for place, p in enumerate(node.inputs):
        if len(node.inputs) == 2 and p.owner is not None and isinstance(p.owner.op, Softmax):
            product = _times(p, node.inputs[1 - place], fgraph)
            if product is not None and node.outputs[0].type.is_super(product.type):
                return [product]
    return None


def _arranges(node: Apply | None) -> bool:
    return node is not None and isinstance(node.op, _ARRANGING)


def _from_softmax(x: Variable) -> bool:
    node = x.owner
    if _arranges(node):
        return _from_softmax(node.inputs[0])
    return node is not None and isinstance(node.op, Softmax)


def _times(p: Variable, gradient: Variable, fgraph: FunctionGraph) -> Variable | None:
    """Return the product of p and a gradient with respect to p, None if that has no quotient by a part of p."""
    node = gradient.owner
    if node is None:
        return None
    if node.op == pt.true_div and node.inputs[1] is p:
        return pt.second(p, node.inputs[0])
    if node.op == pt.add:
        products = [_times(p, term, fgraph) for term in node.inputs]
        if all(product is None for product in products):
            return None
        terms = zip(node.inputs, products, strict=True)
        return pt.add(*(term * p if product is None else product for term, product in terms))
    return _product_of_part(p, gradient, fgraph)


def _product_of_part(p: Variable, gradient: Variable, fgraph: FunctionGraph) -> Variable | None:
    """Return `_times` of a gradient that one with respect to a part of p was made to."""
    for part, _ in fgraph.clients[p]:
        if not _arranges(part) or part.inputs[0] is not p:
            continue
        for flowing in gradient.owner.inputs:
            if flowing.type.ndim != part.outputs[0].type.ndim or not equal_computations(
                [gradient], [_pulled_back(part, flowing)], [flowing, *part.inputs], [flowing, *part.inputs]
            ):
                continue
            product = _times(part.outputs[0], flowing, fgraph)
            if product is not None:
                return _pulled_back(part, product)
    return None


def _pulled_back(part: Apply, flowing: Variable) -> Variable:
    gradient: Variable = part.op.pullback(part.inputs, part.outputs, [flowing])[0]
    return gradient


# Before any other rewrite, which may part what belongs together.
optdb.register(
    LOG_SOFTMAX, in2out(choose_afterwards, divide_by_no_probability, local_logsoftmax), "fast_run", position=0.5
)
