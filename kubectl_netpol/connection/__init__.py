"""From the names that were typed to a verdict: what they resolve to, where the connection arrives, what decides it.

Imports `engine` and below. Pure. The only place that knows how a Service redirects a connection.
"""
