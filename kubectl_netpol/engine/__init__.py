"""Is this connection allowed, and which rule says so? The only place that decides a verdict.

Imports `model` alone. Pure: knows nothing of Services, YAML or the API server.
"""
