"""Manifests that the tests of `allow` share, and the parts of specs that come out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.running import labels, named

if TYPE_CHECKING:
    from pathlib import Path

# A Deployment behind a Service, a pod of a StatefulSet and others, all isolated; and the cluster's DNS.
DEEP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: a}
spec:
  selector: {matchLabels: {app: web, part: front}}
  template:
    metadata: {labels: {app: web, part: front, version: "1"}}
    spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: a}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Pod
metadata:
  name: db-0
  namespace: b
  labels: {app: db, statefulset.kubernetes.io/pod-name: db-0, controller-revision-hash: x}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db-backup, namespace: b, labels: {app: db, job: backup}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: bare, namespace: b, labels: {pod-template-hash: x}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: b, labels: {app: agent}}
spec: {hostNetwork: true, containers: [{name: c}]}
status: {phase: Running, podIP: 10.9.0.1, hostIP: 10.9.0.1, hostIPs: [{ip: 10.9.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: coredns-x, namespace: kube-system, labels: {k8s-app: kube-dns, pod-template-hash: x}}
spec:
  containers:
  - name: c
    ports: [{name: dns, containerPort: 5353, protocol: UDP}, {name: dns-tcp, containerPort: 5353}]
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec:
  selector: {k8s-app: kube-dns}
  ports:
  - {name: dns, port: 53, targetPort: dns, protocol: UDP}
  - {name: dns-tcp, port: 53, targetPort: dns-tcp}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: a}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: b}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
REAL_DNS = {
    "to": [{**named("kube-system"), **labels(**{"k8s-app": "kube-dns"})}],
    "ports": [{"protocol": "UDP", "port": 5353}, {"protocol": "TCP", "port": 5353}],
}
FRONT = {"podSelector": {"matchLabels": {"app": "web", "part": "front"}}}

# Ends of every kind: a node, pods with and without an address, Services of pods and of addresses.
ENDS = """
apiVersion: v1
kind: Namespace
metadata: {name: a}
---
apiVersion: v1
kind: Node
metadata: {name: worker}
status: {addresses: [{type: InternalIP, address: 192.0.2.7}, {type: Hostname, address: worker}]}
---
apiVersion: v1
kind: Pod
metadata: {name: san, namespace: a, labels: {run: san}}
spec: {containers: [{name: c}]}
status: {phase: Running, podIP: 10.0.0.1, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: own-dns, namespace: a, labels: {run: own-dns}}
spec: {dnsPolicy: None, dnsConfig: {nameservers: [198.51.100.53, 10.0.0.9]}, containers: [{name: c}]}
status: {phase: Running, podIP: 10.0.0.2, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: a, labels: {run: web}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
status: {phase: Running, podIP: 10.0.0.3, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: resolver, namespace: a, labels: {run: resolver}}
spec: {containers: [{name: c}]}
status: {phase: Running, podIP: 10.0.0.9, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: waiting, namespace: a, labels: {run: waiting}}
spec: {containers: [{name: c}]}
status: {phase: Pending}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: a}
spec: {selector: {run: web}, ports: [{name: web, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: a}
spec: {ports: [{port: 5432}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: outside-1, namespace: a, labels: {kubernetes.io/service-name: outside}}
addressType: IPv4
ports: [{name: "", port: 6432}]
endpoints: [{addresses: [198.51.100.1]}, {addresses: [198.51.100.2]}]
"""
DENIED = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: a}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
NODE_LOCAL = """
---
apiVersion: v1
kind: Pod
metadata: {name: node-local-dns-x, namespace: kube-system, labels: {k8s-app: node-local-dns}}
spec: {hostNetwork: true, containers: [{name: c}]}
status: {phase: Running, podIP: 192.0.2.7, hostIP: 192.0.2.7, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {selector: {k8s-app: kube-dns}, ports: [{name: dns, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Pod
metadata: {name: coredns-x, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {containers: [{name: c}]}
status: {phase: Running, podIP: 10.0.9.9, conditions: [{type: Ready, status: "True"}]}
"""


def blocks(*cidrs: str) -> list[dict[str, Any]]:
    return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]


def written(folder: Path, name: str, *texts: str) -> str:
    """The option that reads these manifests."""
    path = folder / name
    path.write_text("".join(texts), encoding="utf-8")
    return f"-f {path}"
