"""Warnings about policies that probably do not do what their author meant, each with its fix.

Imports `analysis` and below. Pure: notes, never verdicts.
"""
