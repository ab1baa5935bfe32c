"""Minimal NetworkPolicies that open a connection: from label options alone, or from verdicts on what was read.

Imports `analysis`, `manifests.writer` and below. Pure. From label options it starts without the engine.
"""
