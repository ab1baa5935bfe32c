"""The least NetworkPolicy that opens a connection: from labels alone, or from verdicts on what runs.

Imports `analysis`, `manifests.writer` and below. Pure. From labels it must start without the engine.
"""
