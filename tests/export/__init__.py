"""Tests of the conversion; they import TensorFlow, which takes some seconds."""
