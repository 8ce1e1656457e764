"""``theano.tensor.subtensor``: the Ops that index by one vector, which newer PyTensors have joined with the others."""

from pytensor.tensor import subtensor

AdvancedSubtensor1 = getattr(subtensor, "AdvancedSubtensor1", subtensor.AdvancedSubtensor)
AdvancedIncSubtensor1 = getattr(subtensor, "AdvancedIncSubtensor1", subtensor.AdvancedIncSubtensor)

__all__ = ["AdvancedIncSubtensor1", "AdvancedSubtensor1"]
