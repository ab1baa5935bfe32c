"""What policies mean for a pod, and what a change of policies opens and closes.

Imports `engine`, `connection` and below. Pure: asks the engine for every verdict, and has none of its own.
"""
