"""``theano.version``: the last Theano's, 1.0.5.

Scripts compare it with releases from 0.6 to 1.0 to find out what a name is called and which arguments it takes. Here
names and arguments are those of the last release; PyTensor's own number, 3.0 or higher, would say something else.
"""

version = full_version = short_version = "1.0.5"

__all__ = ["full_version", "short_version", "version"]
