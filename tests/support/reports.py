"""A report of lint with one finding of each severity, one of them ignored, for the tests of its formats."""

from __future__ import annotations

from kubectl_netpol.analysis.coverage import Coverage, Share
from kubectl_netpol.lint.finding import BY_NUMBER, Finding, Severity, Subject
from kubectl_netpol.lint.report import Placed, Report

WEB, SHOP = Subject("NetworkPolicy", "shop", "web"), Subject("Namespace", "", "shop")
ERROR = Finding(
    BY_NUMBER["NP001"],
    Severity.ERROR,
    WEB,
    "spec.podSelector",
    "web selects no pod (app=wbe)",
    ("shop/web (app=web)",),
    "write app=web",
)
WARNING = Finding(BY_NUMBER["NP004"], Severity.WARNING, WEB, "spec.ingress[0].from[1]", "either, is: 100% <enough>")
INFO = Finding(BY_NUMBER["NP013"], Severity.INFO, SHOP, "", "some pods are open", ("shop/api is",), "a policy")
REPORT = Report(
    (Placed(ERROR, "a b/web.yaml", 7), Placed(WARNING, "/abs/web.yaml", None), Placed(INFO)),
    (Placed(ERROR, "web.yaml", 9, "a demo"), Placed(INFO, reason="")),
    ("shop/web", "shop/good"),
    (Coverage("shop", Share(2, 1), Share(2), (None, None)),),
)
CLEAN = Report((), (), ("shop/good",))
