"""PyTensor Ops with their gradients; each calls a kernel and is checked against plain numpy."""
