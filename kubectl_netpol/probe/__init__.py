"""Which tool to run in the source container, and what its output means.

Imports `model`, `errors` and `concurrency`. How to exec is a parameter: nothing of the API server, nothing of policies.
"""
