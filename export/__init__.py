"""From trained Keras networks to the ONNX files that ``solardn`` runs. For development, not installed."""
