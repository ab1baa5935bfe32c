"""The API side, and the only part that imports `kubernetes`, `urllib3` and `websocket`; import it inside functions."""
