"""``theano.gradient``."""

from pytensor.gradient import as_list_or_tuple as format_as
from pytensor.gradient import disconnected_grad as consider_constant
from pytensor.gradient import pullback as Lop
from pytensor.gradient import pushforward as Rop

__all__ = ["Lop", "Rop", "consider_constant", "format_as"]
