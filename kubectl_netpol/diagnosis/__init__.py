"""A prediction beside an observation: the finding, its evidence and the next step.

Imports `connection`, `analysis`, `probe` and below. Pure: how the facts were found is not its business.
"""
