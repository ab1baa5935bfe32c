"""The verdict for every pair of pods, computed with bit sets, and its summary by workload.

Imports `engine`, `connection`, `diagnosis` (for the result of a probed pair) and below. Pure. No text, no JSON.
"""
