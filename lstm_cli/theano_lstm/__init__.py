"""The API of theano-lstm (2014), and Theano's names for it. Nothing else in the package imports it."""
