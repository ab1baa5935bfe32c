"""The verdict between every two pods, as bit sets, and its summary by workload.

Imports `engine`, `connection`, `diagnosis` (to hold a probe's result beside a verdict) and below. No text, no JSON.
"""
