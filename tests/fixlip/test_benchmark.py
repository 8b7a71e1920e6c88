from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

import fixlip_core as fx
from fixlip.benchmark import OUTCOMES, BenchmarkOptions, benchmark
from fixlip.errors import CommandError
from fixlip_core.benchmarking import Outcome, read_outcomes
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import InvalidParameterError
from tests.support.processes import ROOT, fixlip, wait_until


@pytest.fixture(scope="module")
def demo() -> fx.DualEncoder:
    return fx.load_encoder("demo")


@pytest.fixture
def options(tmp_path: Path, demo: fx.DualEncoder, monkeypatch: pytest.MonkeyPatch) -> BenchmarkOptions:
    """One scene by two methods, with a model that is loaded already."""
    monkeypatch.setattr(fx, "load_encoder", lambda *_, **__: demo)
    return BenchmarkOptions(
        data="demo",
        scenes=1,
        methods="fixlip:order=1,grad_eclip",
        model="demo",
        device="cpu",
        precision="fp32",
        out=tmp_path / "out",
        seed=0,
        budget=16,
        resume=False,
    )


def run(options: BenchmarkOptions) -> str:
    """What it prints."""
    console = Console(file=io.StringIO(), width=160)
    assert benchmark(console, options)
    printed = console.file
    assert isinstance(printed, io.StringIO)
    return printed.getvalue()


def found_in(out: Path) -> list[Outcome]:
    return [replace(outcome, seconds=0.0) for outcome in read_outcomes(out / OUTCOMES)]


def test_it_goes_on_where_it_was_stopped(options: BenchmarkOptions, tmp_path: Path) -> None:
    printed = run(options)
    assert "1 samples x 2 methods = 2 explanations, 0 of them there already" in printed
    assert "the first sample took" in printed
    for title in ("Pointing game", "Area between", "p-faithfulness", "Confidence drop"):
        assert title in printed
    assert {"report.md", "scores.csv", "summary.csv", "figures"} <= {path.name for path in options.out.iterdir()}
    with pytest.raises(CommandError, match="has results already: go on with --resume"):
        run(options)
    # As if it had been killed while it wrote the second line.
    log = options.out / OUTCOMES
    log.write_bytes(log.read_bytes()[:-9])
    printed = run(replace(options, scenes=2, resume=True))
    assert "2 samples x 2 methods = 4 explanations, 1 of them there already" in printed
    run(replace(options, scenes=2, out=tmp_path / "whole"))
    assert found_in(options.out) == found_in(tmp_path / "whole")


def test_it_goes_on_with_nothing_else(options: BenchmarkOptions) -> None:
    run(replace(options, methods="grad_eclip"))
    with pytest.raises(InvalidParameterError, match=r"has results of data 'demo \(seed 0\)'"):
        run(replace(options, methods="grad_eclip", seed=1, resume=True))


def test_methods_that_need_attention_are_left_out(
    options: BenchmarkOptions, demo: fx.DualEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclass(frozen=True)
    class Blind:
        card: fx.ModelCard

        def __getattr__(self, name: str) -> Any:
            return getattr(demo, name)

    blind = Blind(replace(demo.card, attention=False))
    monkeypatch.setattr(fx, "load_encoder", lambda *_, **__: blind)
    printed = run(options)
    assert "left out, for demo shows no attention: grad_eclip" in printed
    assert [outcome.variant for outcome in found_in(options.out)] == ["fixlip:order=1"]
    with pytest.raises(CommandError, match="no method is left"):
        run(replace(options, methods="grad_eclip", out=options.out / "other"))


def test_other_data_go_the_same_way(options: BenchmarkOptions, tmp_path: Path) -> None:
    for seed, name in enumerate(("red circle", "blue star", "green ring", "pink heart")):
        (tmp_path / "shapes" / name).mkdir(parents=True)
        Image.fromarray(draw_scene(seed).image).save(tmp_path / "shapes" / name / "1.png")
    printed = run(replace(options, data=f"mosaics:{tmp_path / 'shapes'}", methods="grad_eclip"))
    assert re.search(r"mosaics of shapes \([0-9a-f]{8}, seed 0\): 1 samples", printed)
    (outcome,) = found_in(options.out)
    (uniform,) = (figure.value for figure in outcome.figures if figure.name == "uniform")
    assert uniform == 0.25


def test_wrong_arguments_are_a_line(tmp_path: Path) -> None:
    outcome = fixlip("benchmark", "--data", "imagenet", "--out", str(tmp_path))
    assert outcome.returncode == 1
    assert outcome.stderr == "fixlip: data must be demo, coco:DIR or mosaics:DIR, not 'imagenet'\n"


def test_an_interrupt_keeps_what_is_done(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fixlip", "benchmark", "--methods", "grad_eclip,game", "--out", str(tmp_path)]
    log = tmp_path / OUTCOMES
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "COLUMNS": "200"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 2, within_s=120)
            process.send_signal(signal.SIGINT)
            printed = process.communicate(timeout=120)[0].decode()
        finally:
            process.kill()
    assert process.returncode == 130, printed
    assert "stopped early; the same command with --resume goes on from here" in printed
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert re.search(r"Model demo \(sha256:[0-9a-f]{16}, fp32, cpu\), \d+ samples", report)
    assert len(found_in(tmp_path)) >= 2


def test_the_page_says_what_is_true(demo: fx.DualEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")
    commands = [line for line in page.splitlines() if line.startswith("$ fixlip benchmark")]
    options = {option for command in commands for option in re.findall(r"(--[a-z]+)", command)}
    assert options
    assert options <= set(re.findall(r"(--[a-z]+)", fixlip("benchmark", "--help").stdout))
    (program,) = re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    monkeypatch.setattr(fx, "load_encoder", lambda *_: demo)
    exec(program, {})
