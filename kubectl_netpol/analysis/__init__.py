"""What policies mean for a pod, and what a change of policies opens and closes.

Imports `engine` and `model`. Pure: every verdict comes from the engine.
"""
