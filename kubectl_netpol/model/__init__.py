"""The cluster as frozen values in the API's own terms: objects, policies, selectors, ports, addresses, the snapshot.

Imports only `errors`. No YAML, no files, no API server, no verdict.
"""
