"""YAML, JSON and API objects to a `Snapshot`, and policies back to YAML.

Imports `policies` and below. The only place where absent, null and empty are told apart. No files, no network.
"""
