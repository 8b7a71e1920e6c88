from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from service.jobs.artifacts import ArtifactStore, results_of
from service.jobs.errors import ArtifactNotFoundError, InvalidArtifactNameError, StorageUnavailableError
from service.jobs.records import new_job_id

JOB_ID = new_job_id()
BAD_NAMES = ["", "..", "../x", "a/../b", "/etc/passwd", "a//b", "a/b/c", "a\\b", "a\0b", ".hidden", "maps/.x", "a\n"]


def files_below(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


def test_files_read_back_as_written(store: ArtifactStore, tmp_path: Path) -> None:
    store.write(JOB_ID, "results-1", {"result.json": b"{}", "maps/token-0.png": b"\x89PNG"})

    assert store.read(JOB_ID, "results-1", "maps/token-0.png") == b"\x89PNG"
    assert store.path(JOB_ID, "results-1", "result.json").read_bytes() == b"{}"
    assert files_below(tmp_path) == {f"jobs/{JOB_ID}/results-1/{name}" for name in ("result.json", "maps/token-0.png")}


def test_parts_are_apart_and_a_part_written_again_is_replaced_whole(store: ArtifactStore, tmp_path: Path) -> None:
    store.write(JOB_ID, "inputs", {"image": b"1"})
    store.write(JOB_ID, "results-1", {"old": b"2"})
    store.write(JOB_ID, "results-1", {"new": b"3"})

    assert files_below(tmp_path) == {f"jobs/{JOB_ID}/inputs/image", f"jobs/{JOB_ID}/results-1/new"}


def test_a_write_that_fails_half_way_leaves_nothing(
    store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []

    def fill_up(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fill_up)

    with pytest.raises(StorageUnavailableError, match="No space left"):
        store.write(JOB_ID, "results-1", {"a": b"1", "b": b"2", "c": b"3"})
    assert len(written) == 2
    assert [path for path in tmp_path.rglob("*") if path.name != "drafts"] == []


def test_all_that_leads_to_a_file_is_flushed(
    store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda number: flushed.append(Path(f"/proc/self/fd/{number}").readlink()))

    store.write(JOB_ID, "inputs", {"image": b"1"})
    *_, file, draft, jobs, job = flushed

    assert file == draft / "image"
    assert (jobs, job) == (tmp_path / "jobs", tmp_path / "jobs" / JOB_ID)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_are_no_plain_file_names_are_refused(store: ArtifactStore, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArtifactNameError):
        store.write(JOB_ID, "results-1", {name: b""})
    with pytest.raises(ArtifactNotFoundError):
        store.read(JOB_ID, "results-1", name)
    assert files_below(tmp_path) == set()


@pytest.mark.parametrize("job_id", ["", "..", "../../etc", "x" * 32, JOB_ID.upper() + "A", JOB_ID + "/.."])
def test_ids_that_are_no_ids_are_refused(store: ArtifactStore, tmp_path: Path, job_id: str) -> None:
    with pytest.raises(InvalidArtifactNameError):
        store.write(job_id, "inputs", {"image": b""})
    with pytest.raises(InvalidArtifactNameError):
        store.delete(job_id)
    with pytest.raises(ArtifactNotFoundError):
        store.read(job_id, "inputs", "image")
    assert files_below(tmp_path) == set()


def test_reading_what_is_not_there_says_so(store: ArtifactStore) -> None:
    store.write(JOB_ID, "results-1", {"maps/a.png": b""})

    for name in ("image", "maps", "maps/b.png", "maps/" + 300 * "b"):
        with pytest.raises(ArtifactNotFoundError, match=name):
            store.read(JOB_ID, "results-1", name)


def test_delete_removes_the_whole_job_and_is_no_error_twice(store: ArtifactStore, tmp_path: Path) -> None:
    store.write(JOB_ID, "inputs", {"image": b"1"})
    store.write(JOB_ID, "results-1", {"maps/a.png": b"2"})
    store.delete(JOB_ID)
    store.delete(JOB_ID)

    assert [path for path in tmp_path.rglob("*") if path.name not in ("jobs", "drafts")] == []


def test_probe_passes_where_the_store_can_be_written_and_leaves_nothing(store: ArtifactStore, tmp_path: Path) -> None:
    store.probe()

    assert files_below(tmp_path) == set()


def test_probe_fails_where_it_cannot(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StorageUnavailableError):
        ArtifactStore(tmp_path / "file").probe()


@pytest.mark.parametrize(
    "part", ["", "results", "results-0", "results-01", "results--1", "inputs/..", "../inputs", "x"]
)
def test_parts_that_are_none_are_refused(store: ArtifactStore, tmp_path: Path, part: str) -> None:
    with pytest.raises(InvalidArtifactNameError):
        store.write(JOB_ID, part, {"image": b""})
    with pytest.raises(ArtifactNotFoundError):
        store.read(JOB_ID, part, "image")
    assert files_below(tmp_path) == set()


def test_attempts_never_meet(store: ArtifactStore) -> None:
    for attempt in (1, 2, 12):
        store.write(JOB_ID, results_of(attempt), {"result.json": f"{attempt}".encode()})
    store.delete_results(JOB_ID, 1)
    store.delete_results(JOB_ID, 1)

    assert [store.read(JOB_ID, results_of(attempt), "result.json") for attempt in (2, 12)] == [b"2", b"12"]
    with pytest.raises(ArtifactNotFoundError):
        store.read(JOB_ID, results_of(1), "result.json")


def test_a_probe_that_fails_leaves_nothing(
    store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StorageUnavailableError, match="No space left"):
        store.probe()
    assert files_below(tmp_path) == set()


def test_drafts_of_writers_who_are_gone_are_removed(store: ArtifactStore, tmp_path: Path) -> None:
    store.delete_drafts(older_than_s=60)
    for name in ("old", "new"):
        (tmp_path / "drafts" / name / "maps").mkdir(parents=True)
        (tmp_path / "drafts" / name / "maps" / "a.png").write_bytes(b"half")
    (tmp_path / "drafts" / "probe").write_bytes(b"")
    for name in ("old", "probe"):
        os.utime(tmp_path / "drafts" / name, (0, time.time() - 61))
    store.delete_drafts(older_than_s=60)

    assert files_below(tmp_path) == {"drafts/new/maps/a.png"}


def test_a_data_directory_that_cannot_be_tidied_says_so(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_bytes(b"")

    with pytest.raises(StorageUnavailableError):
        ArtifactStore(tmp_path).delete_drafts(older_than_s=60)
    with pytest.raises(StorageUnavailableError):
        ArtifactStore(tmp_path).delete_results(JOB_ID, 1)
    with pytest.raises(StorageUnavailableError):
        ArtifactStore(tmp_path).delete(JOB_ID)
