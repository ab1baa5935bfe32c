"""Warnings about policies that probably do not mean what their author wanted, each with its fix.

Imports `analysis` and below. Pure: notes, never verdicts.
"""
