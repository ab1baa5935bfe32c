"""Results as text, JSON objects and the matrix page: the only place with colours, widths and JSON keys.

Imports every package that makes results, and `console`. Computes nothing, reads nothing.
"""
