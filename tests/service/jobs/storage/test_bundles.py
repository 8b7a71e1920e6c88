from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs.errors import ArtifactNotFoundError, StorageUnavailableError
from service.jobs.settings import JobSettings
from service.jobs.storage.bundle import Bundle, pack
from service.jobs.storage.bundles import BundleStore
from service.jobs.storage.holdings import GRACE_S, Holdings, hold, release
from service.jobs.storage.objects import Objects

FILES = {"result.json": b"{}", "maps/graph.png": bytes(700_000)}
KEYS = Keys("fixlip")


@pytest.fixture
def bundles(redis: Redis, store_url: str) -> BundleStore:
    return BundleStore.open(JobSettings(store_url=store_url), redis)


@pytest.fixture
def local(redis: Redis, tmp_path: Path) -> BundleStore:
    return BundleStore.open(JobSettings(data_dir=tmp_path), redis)


def begin_holding(redis: Redis, bundle: Bundle, holder: str = "job:1") -> None:
    with redis.pipeline() as pipe:
        hold(pipe, KEYS, bundle.digest, holder)
        pipe.execute()


def end_holding(redis: Redis, bundle: Bundle, holder: str = "job:1") -> None:
    with redis.pipeline() as pipe:
        release(pipe, KEYS, bundle.digest, holder, time.time())
        pipe.execute()


def let_claims_lapse(redis: Redis) -> None:
    for digest in redis.zrange("fixlip:unheld", 0, -1):
        redis.zincrby("fixlip:unheld", -GRACE_S, text(digest))


def is_there(bundles: BundleStore, bundle: Bundle) -> bool:
    try:
        bundles.read(bundle)
    except ArtifactNotFoundError:
        return False
    return True


def gathered(chunks: AsyncIterator[bytes]) -> list[bytes]:
    async def gather() -> list[bytes]:
        return [chunk async for chunk in chunks]

    return asyncio.run(gather())


def test_a_bundle_is_read_whole_or_in_part(bundles: BundleStore) -> None:
    bundle = bundles.add(FILES)
    assert bundles.read(bundle) == FILES
    graph, result = (bundles.find(bundle, name) for name in ("maps/graph.png", "result.json"))
    assert bundles.read_part(bundle, graph, 0, graph.size_bytes) == FILES["maps/graph.png"]
    assert bundles.read_part(bundle, result, 1, 2) == b"}"
    assert bundles.read_part(bundle, graph, 7, 7) == b""
    chunks = gathered(bundles.stream_part(bundle, graph, 0, graph.size_bytes))
    assert len(chunks) > 1
    assert b"".join(chunks) == FILES["maps/graph.png"]
    assert b"".join(gathered(bundles.stream_part(bundle, graph, 1, 500_000))) == FILES["maps/graph.png"][1:500_000]


def test_what_is_not_there_is_not_found(bundles: BundleStore) -> None:
    bundle = bundles.add(FILES)
    for name in ("view.png", "", "../result.json"):
        with pytest.raises(ArtifactNotFoundError):
            bundles.find(bundle, name)
    nothing, _ = pack({"a": b"never stored"})
    for act in (lambda: bundles.read(nothing), lambda: bundles.find(nothing, "a")):
        with pytest.raises(ArtifactNotFoundError):
            act()


def test_many_files_make_a_long_first_line(local: BundleStore) -> None:
    files = {f"maps/{k}.png": str(k).encode() for k in range(2000)}
    bundle = local.add(files)
    entry = local.find(bundle, "maps/1999.png")
    assert local.read_part(bundle, entry, 0, entry.size_bytes) == b"1999"


def test_damage_is_found_and_the_last_bytes_are_kept_back(local: BundleStore, tmp_path: Path) -> None:
    bundle = local.add(FILES)
    entry = local.find(bundle, "maps/graph.png")
    (path,) = tmp_path.rglob(bundle.digest)
    path.write_bytes(path.read_bytes()[:-3] + b"!{}")
    received = []

    async def receive() -> None:
        async for chunk in local.stream_part(bundle, entry, 0, entry.size_bytes):
            received.append(chunk)

    for act in (
        lambda: local.read(bundle),
        lambda: local.read_part(bundle, entry, 0, entry.size_bytes),
        lambda: asyncio.run(receive()),
    ):
        with pytest.raises(StorageUnavailableError, match="damaged"):
            act()
    assert 0 < sum(map(len, received)) < entry.size_bytes
    path.write_bytes(b"{}\n")
    with pytest.raises(StorageUnavailableError, match="damaged"):
        BundleStore.open(JobSettings(data_dir=tmp_path), Redis()).find(bundle, "result.json")


def test_what_is_held_is_written_once(local: BundleStore, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    put = Objects.put

    def note(self: Objects, path: str, data: bytes) -> None:
        written.append(path)
        put(self, path, data)

    monkeypatch.setattr(Objects, "put", note)
    bundle = local.add(FILES)
    assert local.add(FILES) == bundle
    assert len(written) == 2, "who has claimed it may have died before it was written"
    begin_holding(redis, bundle)
    assert local.add(FILES) == bundle
    assert len(written) == 2
    assert local.read(bundle) == FILES


def test_what_nobody_holds_is_removed_once_its_grace_is_over(bundles: BundleStore, redis: Redis) -> None:
    held, orphan = bundles.add(FILES), bundles.add({"a": b"of an API that died"})
    begin_holding(redis, held)
    assert bundles.collect_garbage(most=10) == 0
    let_claims_lapse(redis)
    assert bundles.collect_garbage(most=10) == 1
    assert (is_there(bundles, held), is_there(bundles, orphan)) == (True, False)
    assert redis.zcard("fixlip:unheld") == 0
    assert redis.keys("fixlip:removing:*") == []


def test_what_several_hold_stays_until_the_last_lets_go(bundles: BundleStore, redis: Redis) -> None:
    bundle = bundles.add(FILES)
    for holder in ("job:1", "upload:2"):
        begin_holding(redis, bundle, holder)
    let_claims_lapse(redis)
    end_holding(redis, bundle, "job:1")
    assert bundles.collect_garbage(most=10) == 0
    assert is_there(bundles, bundle)
    end_holding(redis, bundle, "upload:2")
    assert bundles.collect_garbage(most=10) == 1
    assert not is_there(bundles, bundle)


def test_who_has_claimed_a_bundle_may_hold_it_though_the_last_holder_lets_go_meanwhile(
    bundles: BundleStore, redis: Redis
) -> None:
    bundle = bundles.add(FILES)
    begin_holding(redis, bundle)
    let_claims_lapse(redis)
    assert bundles.claim(bundle)
    end_holding(redis, bundle)
    assert bundles.collect_garbage(most=10) == 0
    begin_holding(redis, bundle, "job:2")
    let_claims_lapse(redis)
    assert bundles.collect_garbage(most=10) == 0
    assert is_there(bundles, bundle)


def test_a_claim_says_whether_the_bundle_can_be_counted_on(local: BundleStore, redis: Redis) -> None:
    bundle = local.add(FILES)
    assert local.keep(bundle)
    assert not local.claim(bundle), "nobody holds it"
    let_claims_lapse(redis)
    assert not local.keep(bundle), "it may have been removed"
    assert local.keep(bundle)
    begin_holding(redis, bundle)
    let_claims_lapse(redis)
    assert local.keep(bundle)
    assert local.claim(bundle)


def test_as_many_are_removed_at_once_as_may_be(local: BundleStore, redis: Redis) -> None:
    for k in range(5):
        local.add({"a": str(k).encode()})
    let_claims_lapse(redis)
    assert [local.collect_garbage(most=2) for _ in range(4)] == [2, 2, 1, 0]


def test_a_writer_waits_while_its_bundle_is_removed(local: BundleStore, redis: Redis, tmp_path: Path) -> None:
    bundle = local.add(FILES)
    let_claims_lapse(redis)
    books = Holdings(redis, KEYS)
    assert books.take_garbage(most=10) == [bundle.digest]
    assert books.take_garbage(most=10) == [], "another process is at it"
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(local.add, FILES)
        time.sleep(0.2)
        assert not writing.done()
        (path,) = tmp_path.rglob(bundle.digest)
        path.unlink()
        books.removed([bundle.digest])
        assert writing.result(timeout=10) == bundle
    assert local.read(bundle) == FILES


def test_a_removal_that_does_not_end_is_an_error_for_writers(
    local: BundleStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = local.add(FILES)
    let_claims_lapse(redis)
    Holdings(redis, KEYS).take_garbage(most=10)
    monkeypatch.setattr("service.jobs.storage.bundles._WAIT_S", 0.1)
    with pytest.raises(StorageUnavailableError, match="being removed"):
        local.add(FILES)
    redis.delete(f"fixlip:removing:{bundle.digest}")  # as it lapses, where the process has died
    assert local.collect_garbage(most=10) == 1


def test_writers_holders_and_removers_at_once_lose_nothing_that_is_held_in_time(
    local: BundleStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    grace_s = 0.1
    monkeypatch.setattr("service.jobs.storage.holdings.GRACE_S", grace_s)
    contents = [{"a": str(k).encode()} for k in range(3)]
    end_s = time.monotonic() + 3.0

    def use(k: int) -> int:
        in_time = n = 0
        while time.monotonic() < end_s:
            n += 1
            files, begun_s = contents[(k + n) % len(contents)], time.monotonic()
            bundle = local.add(files)
            begin_holding(redis, bundle, f"job:{k}")
            if time.monotonic() - begun_s < grace_s:
                assert local.read(bundle) == files
                in_time += 1
            end_holding(redis, bundle, f"job:{k}")
            time.sleep(0.2 * (n % 3))
        return in_time

    def remove() -> int:
        removed = 0
        while time.monotonic() < end_s:
            removed += local.collect_garbage(most=10)
        return removed

    with ThreadPoolExecutor(6) as pool:
        removers = [pool.submit(remove) for _ in range(2)]
        users = [pool.submit(use, k) for k in range(4)]
        assert sum(user.result() for user in users) > 0
        assert sum(remover.result() for remover in removers) > 0
    assert redis.keys("fixlip:holders:*") == []
