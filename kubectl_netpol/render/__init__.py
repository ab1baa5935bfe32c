"""Results as text, JSON and the matrix page: the only package with colours, widths and JSON keys.

Imports `console` and every package that makes results. Decides nothing and reads nothing but its own resources.
"""
