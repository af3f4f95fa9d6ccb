"""Export of policies: plain arrays, ONNX graphs and torch modules that act as the compiled network does."""
