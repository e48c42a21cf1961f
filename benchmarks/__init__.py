"""Measurements of speed, memory and quality, one command each: ``python -m benchmarks NAME``."""
