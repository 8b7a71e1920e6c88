from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fleet import DAY_S, PEAK, Fleet, demands, simulate, simulate_day
from benchmarks.service_times import Cost, Kind, ServiceTimes, load, save

SPAN_S = 150.0

TIMES = ServiceTimes(
    submit=Cost(redis_s=0.001, api_s=0.02),
    poll=Cost(redis_s=0.000_2, api_s=0.003),
    download=Cost(redis_s=0.001, api_s=0.05),
    run=Cost(redis_s=0.004, api_s=0.0),
    running_second=Cost(redis_s=0.000_5, api_s=0.0),
    idle_second=Cost(redis_s=0.000_8, api_s=0.0),
    busy_share=0.5,
    connections_per_worker=8.0,
    listed_s=1e-6,
    redis_bytes_per_job=8_000.0,
    kinds={
        "long": Kind(share=0.25, run_s=6.0, forward_passes=500, stored_bytes=3_000_000, stored_files=20),
        "short": Kind(share=0.75, run_s=2.0, forward_passes=100, stored_bytes=1_000_000, stored_files=10),
    },
    cores=2,
)
# 100 workers of which the busiest hour takes half.
HALF_BUSY = Fleet(workers=100, jobs_per_day=DAY_S / PEAK * 100 / 3.0 * 0.5, api_processes=4)


def test_every_part_is_as_busy_as_the_utilisation_law_says() -> None:
    found = simulate(TIMES, HALF_BUSY, span_s=SPAN_S)
    expected = demands(TIMES, dataclasses.replace(HALF_BUSY, jobs_per_day=PEAK * HALF_BUSY.jobs_per_day))
    assert found.workers == pytest.approx(expected["workers"], rel=0.05)
    assert found.api == pytest.approx(expected["api"], rel=0.07)
    assert found.redis == pytest.approx(expected["redis"], rel=0.05)
    assert found.store == pytest.approx(expected["store"], rel=0.05)


def test_no_job_is_lost_on_the_way() -> None:
    found = simulate(TIMES, HALF_BUSY, span_s=SPAN_S)
    assert found.submitted > 2_000
    # What has not finished is still running, for nobody waits here.
    assert found.submitted - 2 * HALF_BUSY.workers <= found.finished <= found.submitted
    assert np.median(found.wait_s) == 0.0


def test_too_many_jobs_keep_all_workers_busy_and_wait_longer_and_longer() -> None:
    found = simulate(TIMES, dataclasses.replace(HALF_BUSY, jobs_per_day=3 * HALF_BUSY.jobs_per_day), span_s=60.0)
    assert found.workers == pytest.approx(1.0, abs=0.01)
    assert found.wait_s[-100:].mean() > 2 * found.wait_s[: len(found.wait_s) // 2].mean() > 1.0


def test_signs_of_life_of_many_workers_fill_redis_and_slow_submissions() -> None:
    calm = simulate(TIMES, dataclasses.replace(HALF_BUSY, workers=300), span_s=60.0)
    crowd = simulate(TIMES, dataclasses.replace(HALF_BUSY, workers=1_300), span_s=60.0)
    assert crowd.redis - calm.redis == pytest.approx(min(1.0 - calm.redis, 0.8), abs=0.05)
    assert crowd.redis > 0.99
    assert np.percentile(crowd.submit_s, 99) > 10 * np.percentile(calm.submit_s, 99)


def test_faster_workers_do_as_much_as_more_of_them() -> None:
    one, other = Fleet(100, 1e5), Fleet(25, 1e5, speed=4.0)
    assert demands(TIMES, one)["workers"] == pytest.approx(demands(TIMES, other)["workers"])


def test_the_same_seed_gives_the_same_hour() -> None:
    fleet = Fleet(10, 20_000.0)
    first, again, other = (simulate(TIMES, fleet, seed=seed, span_s=600.0) for seed in (0, 0, 1))
    assert (first.wait_s == again.wait_s).all()
    assert first.redis == again.redis != other.redis


def test_a_day_has_its_jobs_and_its_busiest_time_in_the_afternoon() -> None:
    fleet = Fleet(workers=10, jobs_per_day=100_000.0)  # 3.5 workers' work on the mean, 10.4 at the busiest
    day = simulate_day(TIMES, fleet)
    assert len(day.wait_s) == 100_000
    assert day.utilisation == pytest.approx(100_000 * 3.0 / DAY_S / 10, rel=0.01)
    assert day.behind_s == 0.0
    # Jobs are in the order of their submission, half of them before the busiest moment, and queues outlast it.
    assert 0.45 < day.wait_s.argmax() / len(day.wait_s) < 0.9
    assert simulate_day(TIMES, dataclasses.replace(fleet, workers=30)).wait_s.max() < day.wait_s.max()


def test_figures_are_stored_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "times.json"
    save(TIMES, file)
    assert load(file) == TIMES


def test_the_stored_figures_can_be_read_and_shares_add_up() -> None:
    assert sum(kind.share for kind in load().kinds.values()) == pytest.approx(1.0)


def test_a_busy_redis_takes_its_share_of_every_step() -> None:
    busy = TIMES.when_busy()
    assert busy.submit == Cost(redis_s=0.000_5, api_s=0.02)
    assert busy.idle_second == Cost(redis_s=0.000_4, api_s=0.0)
    assert (busy.when_busy(), busy.kinds) == (busy, TIMES.kinds)


def test_a_cost_less_another_is_never_negative() -> None:
    whole, part = Cost(0.5, 0.2, {"get": 10.0, "set": 1.0}), Cost(0.1, 0.3, {"get": 4.0, "set": 1.0})
    left = whole.minus(part, 2.0).each(2.0)
    assert left == Cost(0.15, 0.0, {"get": 1.0})
    assert left.n_commands == 1.0
