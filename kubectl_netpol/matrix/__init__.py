"""The verdict for every pair of pods, computed with bit sets, and its summary by workload.

Imports `engine`, `connection`, `diagnosis` (for a pair's probe result) and below. No text, no JSON.
"""
