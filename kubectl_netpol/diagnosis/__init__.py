"""Why the network does what the policies say, or not: the finding, its evidence and the next step.

Imports `connection`, `analysis`, `probe` and below. Pure: the facts are passed in.
"""
