"""One reader per kind of policy: an API object becomes a value of `model`, validated like in the API server.

Imports `fields` and `model`. Never decides whether a connection is allowed.
"""
