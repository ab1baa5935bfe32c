"""From the names that a person types to a verdict: what they name, where the connection arrives, what decides it.

Imports `engine` and below. Pure. The only place that knows what a Service does to a connection.
"""
