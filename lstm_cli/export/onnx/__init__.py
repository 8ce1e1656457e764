"""A trained run as an ONNX model: one file per part of its graph, from the inputs to the outputs."""
