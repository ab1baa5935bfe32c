"""kubectl netpol: what the NetworkPolicies say, beside what the network does."""

__version__ = "0.1.0"
