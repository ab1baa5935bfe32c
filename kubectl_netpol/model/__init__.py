"""The cluster as frozen values in the API's own words: objects, policies, selectors, ports, addresses, the snapshot.

Imports nothing of ours but `errors`. No YAML, no files, no API server, no verdict.
"""
