"""Loops over recurrent layers, run as one Op a layer in place of PyTensor's scan.

`recording` notes which layers step while `theano.scan` builds a loop; `recognition` decides whether it can do without
a scan; `over_time` computes for all steps at once what does not depend on states; `layers` runs each layer, by the
trainer's kernels (`loop`) or, for theano-lstm's GRU, numpy (`gru_loop`). Gradients of gradients are scans (`by_scan`).
"""
