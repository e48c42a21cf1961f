"""Truth and noise simulated, networks trained from them, and judged on truths they never saw (development only)."""
