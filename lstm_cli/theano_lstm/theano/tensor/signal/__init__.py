"""``theano.tensor.signal``: convolution of single images, and pooling."""
