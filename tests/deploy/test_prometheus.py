"""What Prometheus is told to watch, against the metrics that the API and the workers have."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.support.metrics import api_metrics, worker_metrics
from tests.support.recipes import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROMETHEUS / name).read_text(encoding="utf-8"))
    return found


RULES: list[dict[str, Any]] = [rule for group in read("rules.yml")["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]


def test_it_reads_its_rules_and_scrapes_api_and_workers() -> None:
    config = read("prometheus.yml")
    assert config["rule_files"] == ["rules.yml"]
    api, workers = config["scrape_configs"]
    assert (api["metrics_path"], api["static_configs"]) == ("/metrics", [{"targets": ["api:8000"]}])
    assert workers["metrics_path"] == "/metrics"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_is_of_real_metrics(rule: dict[str, Any], redis_url: str) -> None:
    named = re.findall(r"(?<![\w:])fixlip_\w+", rule["expr"])
    assert named
    assert set(named) <= api_metrics(redis_url) | worker_metrics()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_for_labels_that_there_are(rule: dict[str, Any]) -> None:
    """A label that no metric has makes an alert that never comes."""
    known = {
        "fixlip_jobs": {"status"},
        "fixlip_http_requests_total": {"method", "route", "status"},
        "fixlip_http_problems_total": {"route", "code"},
        "fixlip_worker_runs_total": {"outcome", "code"},
    }
    for name, labels in re.findall(r"(fixlip_\w+)\{([^}]*)\}", rule["expr"]):
        assert set(re.findall(r"(\w+)=", labels)) <= known[name]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_the_matter(rule: dict[str, Any]) -> None:
    assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
    assert rule["annotations"].keys() == {"summary"}


def test_prometheus_accepts_them() -> None:
    """Its own checker says so, where it is installed; YAML and the other tests are all there is elsewhere."""
    if promtool := shutil.which("promtool"):
        subprocess.run([promtool, "check", "rules", str(PROMETHEUS / "rules.yml")], check=True)
        subprocess.run([promtool, "check", "config", "--syntax-only", str(PROMETHEUS / "prometheus.yml")], check=True)
