"""What Prometheus is told to watch, against the metrics that the API has."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.support.metrics import metrics
from tests.support.recipes import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROMETHEUS / name).read_text(encoding="utf-8"))
    return found


RULES: list[dict[str, Any]] = [rule for group in read("rules.yml")["groups"] for rule in group["rules"]]


def test_it_reads_its_rules_and_scrapes_the_api() -> None:
    config = read("prometheus.yml")
    assert config["rule_files"] == ["rules.yml"]
    (scraped,) = config["scrape_configs"]
    assert (scraped["metrics_path"], scraped["static_configs"]) == ("/metrics", [{"targets": ["api:8000"]}])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_of_real_metrics(rule: dict[str, Any], redis_url: str) -> None:
    assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
    assert rule["annotations"].keys() == {"summary"}
    named = re.findall(r"fixlip_\w+(?:\{[^}]*\})?", rule["expr"])
    assert named
    assert set(named) <= metrics(redis_url)
