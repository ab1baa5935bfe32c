"""YAML, JSON and API objects to a `Snapshot`, and policies back to YAML.

With `policies` the only place that distinguishes absent, null and empty fields. Imports `policies` and below.
No files, no network.
"""
