"""One reader per kind of policy: an API object becomes a value of `model`, checked as the API server checks it.

Imports `fields` and `model`. Never decides whether a connection is allowed.
"""
