"""The API server: kubeconfig, credentials, lists, exec and port-forward.

Imports `manifests` and below. The only place that imports `kubernetes`, `urllib3` and `websocket`. Imported only inside
functions, but for `options`, so that a command without a cluster starts without them. Nothing of policies' meaning.
"""
