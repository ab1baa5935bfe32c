"""Whether a connection is allowed, and by which rule. The only place that decides a verdict.

Imports `model` alone. Pure: no Services, no YAML, no API server.
"""
