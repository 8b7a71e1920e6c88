"""The BLAS threads of the process, with holders that overlap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from fixlip_core.coalitions import enumerate_product, sample_product
from fixlip_core.estimators.factored import fit_towers
from fixlip_core.threads import ONE_BLAS_THREAD
from fixlip_core.types import FloatArray
from tests.fixlip_core.games import smooth_tower, tower


def set_blas_threads(count: int) -> None:
    """From a thread that ends: whoever sets it first alone may do so while alive."""
    thread = Thread(target=threadpool_limits, args=(count,), kwargs={"user_api": "blas"})
    thread.start()
    thread.join()


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """BLAS starts with two threads, whatever the machine."""
    before = blas_threads()
    set_blas_threads(2)
    yield
    set_blas_threads(max(before))


def test_the_last_to_leave_puts_it_back() -> None:
    second_is_in, first_is_out = Event(), Event()

    def second() -> set[int]:
        with ONE_BLAS_THREAD:
            second_is_in.set()
            assert first_is_out.wait(10)
            return blas_threads()

    with ThreadPoolExecutor(1) as pool:
        with ONE_BLAS_THREAD:
            assert blas_threads() == {1}
            running = pool.submit(second)
            assert second_is_in.wait(10)
        first_is_out.set()
        assert running.result() == {1}
    assert blas_threads() == {2}


def test_nesting_and_errors_leave_what_was() -> None:
    with ONE_BLAS_THREAD:
        with pytest.raises(ZeroDivisionError), ONE_BLAS_THREAD:
            raise ZeroDivisionError
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_fits_at_once_give_the_bytes_of_fits_alone() -> None:
    image = tower(sample_product(16, 96, 0.5, np.random.default_rng(0)), smooth_tower(16, 12, 1), grid=(4, 4))
    text = tower(enumerate_product(4, 0.5), smooth_tower(4, 12, 2))
    start = Barrier(4)

    def fit() -> FloatArray:
        return fit_towers(image, text, scale=5.0, bias=0.0).fit.coefficients.second

    def fit_together(_: int) -> FloatArray:
        start.wait(10)
        return fit()

    alone = fit()
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(fit_together, range(4)):
            np.testing.assert_array_equal(found, alone)
    assert blas_threads() == {2}


def test_a_library_that_would_come_later_is_limited_too() -> None:
    program = """
from threadpoolctl import threadpool_info
from fixlip_core.threads import ONE_BLAS_THREAD
with ONE_BLAS_THREAD:
    import numpy, scipy.linalg
    print(sorted(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"))
"""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}

    printed = subprocess.check_output([sys.executable, "-c", program], env=environment, text=True)

    assert set(json.loads(printed)) == {1}
