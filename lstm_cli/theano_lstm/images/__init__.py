"""Ops on images: convolution and pooling, which PyTensor has no Ops for. Only Theano scripts use them.

Legend: N images, C channels (of filters: of a group), F filters, G groups; an image has any number of axes.
"""
