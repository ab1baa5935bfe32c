"""What policies mean for a pod, and what a change of policies opens and closes.

Imports `engine` and `model`. Pure: asks the engine for every verdict, and has none of its own.
"""
