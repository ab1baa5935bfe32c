"""`explain POD` on a stand-in server with as many pods as a large cluster has: `python tests/bench/peers.py [PODS...]`.

Ten labels each, of which two are the pod's own; the server makes its pages as it is asked. Prints time, processor time
and the most memory of the zipapp, and the bytes that it read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import resource

PROJECT = Path(__file__).parents[2]
OWN = [
    {
        "metadata": {"name": "nginx", "namespace": "shop", "labels": {"run": "nginx"}},
        "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}]}]},
        "status": {"phase": "Running", "podIP": "10.0.0.2", "podIPs": [{"ip": "10.0.0.2"}]},
    }
]
POLICY = {
    "metadata": {"name": "from-teams", "namespace": "shop"},
    "spec": {
        "podSelector": {"matchLabels": {"run": "nginx"}},
        "ingress": [
            {
                "from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "app-7"}}}],
                "ports": [{"port": 80}],
            }
        ],
    },
}


def pod(number: int) -> dict[str, Any]:
    app = number // 20
    labels = {
        "app": f"app-{app}", "tier": f"tier-{app % 5}", "team": f"team-{app % 40}", "version": f"v{app % 9}",
        "app.kubernetes.io/name": f"app-{app}", "app.kubernetes.io/part-of": f"product-{app % 200}",
        "app.kubernetes.io/managed-by": "Helm", "pod-template-hash": f"{app * 7919 % 1000003:08x}",
        "apps.kubernetes.io/pod-index": str(number % 20),
        "statefulset.kubernetes.io/pod-name": f"app-{app}-{number % 20}",
    }  # fmt: skip
    metadata = {"name": f"app-{app}-{number % 20}", "namespace": f"team-{app % 300}", "labels": labels}
    return {"metadata": {**metadata, "uid": f"{number:032x}", "creationTimestamp": "2026-01-01T00:00:00Z"}}


def handler(pods: int, sent: list[int]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            answer: dict[str, Any] = {"metadata": {}, "items": []}
            if parts.path == "/apis":
                answer = {"groups": []}
            elif parts.path == "/api/v1/pods":
                begin = int(query.get("continue", "0"))
                end = min(pods, begin + int(query.get("limit", str(pods))))
                answer["items"] = [pod(number) for number in range(begin, end)]
                if end < pods:
                    answer["metadata"] = {"continue": str(end), "remainingItemCount": pods - end}
            elif parts.path == "/api/v1/namespaces/shop/pods":
                answer["items"] = OWN
            elif parts.path.endswith("networkpolicies"):
                answer["items"] = [POLICY]
            elif parts.path == "/api/v1/namespaces":
                answer["items"] = [
                    {"metadata": {"name": name}} for name in ["shop", *(f"team-{n}" for n in range(300))]
                ]
            content = json.dumps(answer).encode()
            sent[0] += len(content)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def main(sizes: list[int]) -> None:
    zipapp = os.environ.get("NETPOL_ZIPAPP", str(PROJECT / "dist" / "kubectl-netpol"))
    print(f"{'pods':>8} {'wall s':>7} {'cpu s':>6} {'memory MB':>9} {'read MB':>8}")
    for pods in sizes:
        sent = [0]
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(pods, sent))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with tempfile.TemporaryDirectory() as folder:
            cluster = {"server": f"http://127.0.0.1:{server.server_port}"}
            context = {"cluster": "c", "user": "u", "namespace": "shop"}
            config = {"current-context": "c", "contexts": [{"name": "c", "context": context}]}
            config |= {"clusters": [{"name": "c", "cluster": cluster}], "users": [{"name": "u", "user": {}}]}
            Path(folder, "config").write_text(json.dumps(config))
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, zipapp, "explain", "nginx"],
                env={**os.environ, "KUBECONFIG": str(Path(folder, "config"))},
                stdout=subprocess.PIPE,
                text=True,
            )
            assert process.stdout
            printed = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            took = time.perf_counter() - began
        server.shutdown()
        server.server_close()
        if process.returncode or "20: " not in printed:
            raise SystemExit(f"error: unexpected answer: {process.returncode} {printed}")
        print(_row(pods, took, used, sent[0]))


def _row(pods: int, took: float, used: resource.struct_rusage, sent: int) -> str:
    return f"{pods:8} {took:7.1f} {used.ru_utime + used.ru_stime:6.1f} {used.ru_maxrss / 1024:9.0f} {sent / 1e6:8.0f}"


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1000, 10_000, 150_000])
