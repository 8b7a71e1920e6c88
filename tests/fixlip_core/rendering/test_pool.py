from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import InvalidImageError, InvalidParameterError, RenderingLostError
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import drawing, render_maps
from fixlip_core.rendering.pool import RenderPool
from fixlip_core.types import ImageArray
from tests.support.explanations import example, with_regions

WAIT_S = 60.0
VIEW = draw_scene(7, n_objects=2).image


class WithdrawnError(Exception):
    """What a caller's check raises here."""


def wait_until(is_so: Callable[[], object]) -> None:
    ends = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.01)


def children_of(pid: int) -> set[int]:
    """The processes of a process that draw for it."""
    found = set()
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        found |= {int(child) for child in tasks.read_text().split()}
    return {child for child in found if "fixlip_core.rendering.drawing" in Path(f"/proc/{child}/cmdline").read_text()}


def is_alive(pid: int) -> bool:
    # A process is gone with the last of its threads: until then its end of a pipe stays open.
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return any(state_in(stat) not in "ZX" for stat in threads)


def state_in(stat: Path) -> str:
    try:
        return stat.read_text().rpartition(")")[2].split()[0]
    except OSError:  # it has just gone
        return "X"


def drawers() -> set[int]:
    return {pid for pid in children_of(os.getpid()) if is_alive(pid)}


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    """One pool for the tests that do it no harm."""
    with RenderPool(2) as opened:
        yield opened


@pytest.fixture
def stopped() -> Iterator[tuple[RenderPool, int]]:
    """A pool of one process, and that process, which takes no step."""
    before = drawers()
    with RenderPool(1) as opened:
        opened.render(example(), VIEW)
        (pid,) = drawers() - before
        os.kill(pid, signal.SIGSTOP)
        yield opened, pid


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


class TestWhatIsDrawn:
    def test_is_what_the_library_draws(self, pool: RenderPool) -> None:
        for explanation in (example(), example(order=1), with_regions()):
            assert pool.render(explanation, VIEW) == render_maps(explanation, VIEW)

    def test_is_right_for_every_thread(self, pool: RenderPool, threads: ThreadPoolExecutor) -> None:
        explanations = [example(seed=seed) for seed in range(4)]
        views: list[ImageArray] = [np.roll(VIEW, 16 * seed, axis=1) for seed in range(4)]
        drawn = list(threads.map(pool.render, explanations, views))
        assert drawn == [render_maps(explanation, view) for explanation, view in zip(explanations, views, strict=True)]

    def test_is_drawn_without_torch(self, pool: RenderPool) -> None:
        pool.render(example(), VIEW)
        for pid in drawers():
            loaded = Path(f"/proc/{pid}/maps").read_text()
            assert "matplotlib" in loaded
            assert "torch" not in loaded


def test_the_owner_itself_needs_no_drawing_library() -> None:
    program = "import sys, fixlip_core.rendering.pool; print({'torch', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


class TestErrors:
    def test_an_error_of_the_library_is_raised_here_whole(self, pool: RenderPool) -> None:
        with pytest.raises(InvalidImageError, match=r"\(H, W, 3\) uint8") as image:
            pool.render(example(), VIEW[..., 0])
        assert (image.value.field, image.value.code) == ("image", "invalid_image")
        nan = np.full(5, np.nan)
        broken: Explanation = with_regions()
        object.__setattr__(broken, "first", nan)
        with pytest.raises(InvalidParameterError, match="finite") as parameter:
            pool.render(broken, VIEW)
        assert (parameter.value.field, parameter.value.code) == ("explanation", "invalid_parameter")

    def test_an_error_costs_no_process(self, pool: RenderPool) -> None:
        pool.render(example(), VIEW)
        before = drawers()
        with pytest.raises(InvalidImageError):
            pool.render(example(), VIEW[None])
        assert drawers() == before

    def test_a_defect_says_where_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken() -> None:
            raise RuntimeError("a defect")

        monkeypatch.setattr(drawing, "Explanation", broken)
        is_drawn, (kind, arguments, state) = drawing._answer("maps", {}, VIEW, None)
        assert (is_drawn, kind, arguments) == (False, RuntimeError, ("a defect",))
        assert "in broken" in state["__notes__"][0]


class TestLosses:
    def test_a_killed_process_fails_its_drawing_and_is_replaced(
        self, stopped: tuple[RenderPool, int], threads: ThreadPoolExecutor
    ) -> None:
        pool, pid = stopped
        drawn: Future[object] = threads.submit(pool.render, example(), VIEW)
        time.sleep(0.2)
        assert not drawn.done()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(RenderingLostError) as caught:
            drawn.result(WAIT_S)
        assert caught.value.code == "rendering_lost"
        assert pool.render(example(), VIEW) == render_maps(example(), VIEW)
        assert not is_alive(pid)

    def test_a_process_killed_while_idle_is_replaced_unnoticed(self) -> None:
        before = drawers()
        with RenderPool(1) as pool:
            pool.render(example(), VIEW)
            (pid,) = drawers() - before
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not is_alive(pid))
            assert pool.render(example(), VIEW) == render_maps(example(), VIEW)

    def test_others_draw_on(self, threads: ThreadPoolExecutor) -> None:
        before = drawers()
        with RenderPool(2) as pool:
            pool.render(example(), VIEW)
            (first,) = drawers() - before
            os.kill(first, signal.SIGSTOP)
            lost: Future[object] = threads.submit(pool.render, example(), VIEW)
            time.sleep(0.2)
            drawn = [threads.submit(pool.render, example(seed=seed), VIEW) for seed in range(2)]
            wait_until(lambda: len(drawers() - before) == 2)
            os.kill(first, signal.SIGKILL)
            with pytest.raises(RenderingLostError):
                lost.result(WAIT_S)
            assert [one.result(WAIT_S) for one in drawn] == [render_maps(example(seed=k), VIEW) for k in range(2)]

    def test_a_process_that_cannot_start_is_a_loss_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pool = RenderPool(1)
        with monkeypatch.context() as patched:
            patched.setattr(sys, "executable", "/nowhere/python")
            with pytest.raises(RenderingLostError, match="can be started"):
                pool.render(example(), VIEW)
        with pool:
            assert pool.render(example(), VIEW) == render_maps(example(), VIEW)


class TestChecks:
    def test_the_caller_is_asked_while_it_is_drawn_and_may_withdraw(self, stopped: tuple[RenderPool, int]) -> None:
        pool, pid = stopped
        began = time.monotonic()

        def check() -> None:
            if time.monotonic() > began + 0.5:
                raise WithdrawnError

        with pytest.raises(WithdrawnError):
            pool.render(example(seed=1), VIEW, check=check)
        assert time.monotonic() < began + 2
        assert not is_alive(pid)
        assert pool.render(example(seed=2), VIEW) == render_maps(example(seed=2), VIEW)

    def test_the_caller_is_asked_while_it_waits_for_a_process(
        self, stopped: tuple[RenderPool, int], threads: ThreadPoolExecutor
    ) -> None:
        pool, pid = stopped
        first: Future[object] = threads.submit(pool.render, example(), VIEW)
        time.sleep(0.2)
        asked: list[float] = []

        def check() -> None:
            asked.append(time.monotonic())
            if len(asked) == 5:
                raise WithdrawnError

        with pytest.raises(WithdrawnError):
            pool.render(example(), VIEW, check=check)
        assert np.diff(asked).max() < 1
        os.kill(pid, signal.SIGCONT)
        assert first.result(WAIT_S) == render_maps(example(), VIEW)

    def test_what_a_check_raises_is_never_taken_for_a_loss(self, stopped: tuple[RenderPool, int]) -> None:
        def check() -> None:
            raise OSError("the caller's own")

        with pytest.raises(OSError, match="the caller's own"):
            stopped[0].render(example(), VIEW, check=check)


class TestEnds:
    def test_nothing_is_left_behind(self) -> None:
        before = drawers()
        with RenderPool(2) as pool:
            pool.render(example(), VIEW)
        assert drawers() == before
        with pytest.raises(RenderingLostError, match="ended"):
            pool.render(example(), VIEW)

    def test_a_drawing_under_way_is_lost(self, stopped: tuple[RenderPool, int], threads: ThreadPoolExecutor) -> None:
        pool, pid = stopped
        drawn: Future[object] = threads.submit(pool.render, example(), VIEW)
        waits: Future[object] = threads.submit(pool.render, example(), VIEW)
        time.sleep(0.2)
        pool.__exit__(None, None, None)
        for lost in (drawn, waits):
            with pytest.raises(RenderingLostError):
                lost.result(WAIT_S)
        assert not is_alive(pid)

    def test_a_signal_to_the_group_is_for_the_owner(self, pool: RenderPool) -> None:
        pool.render(example(), VIEW)
        for pid in drawers():
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGTERM)
        assert pool.render(example(), VIEW) == render_maps(example(), VIEW)

    def test_an_owner_that_is_killed_takes_them_with_it(self) -> None:
        program = "import time; from fixlip_core.rendering.pool import RenderPool\nwith RenderPool(1): time.sleep(600)"
        with subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[3]) as owner:
            wait_until(lambda: children_of(owner.pid))
            (pid,) = children_of(owner.pid)
            owner.kill()
        wait_until(lambda: not is_alive(pid))
