from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.jobs.artifacts import ArtifactStore
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
    store.write(JOB_ID, "results", {"result.json": b"{}", "maps/token-0.png": b"\x89PNG"})

    assert store.read(JOB_ID, "results", "maps/token-0.png") == b"\x89PNG"
    assert store.path(JOB_ID, "results", "result.json").read_bytes() == b"{}"
    assert files_below(tmp_path) == {f"jobs/{JOB_ID}/results/{name}" for name in ("result.json", "maps/token-0.png")}


def test_parts_are_apart_and_a_part_written_again_is_replaced_whole(store: ArtifactStore, tmp_path: Path) -> None:
    store.write(JOB_ID, "inputs", {"image": b"1"})
    store.write(JOB_ID, "results", {"old": b"2"})
    store.write(JOB_ID, "results", {"new": b"3"})

    assert files_below(tmp_path) == {f"jobs/{JOB_ID}/inputs/image", f"jobs/{JOB_ID}/results/new"}


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
        store.write(JOB_ID, "results", {"a": b"1", "b": b"2", "c": b"3"})
    assert len(written) == 2
    assert [path for path in tmp_path.rglob("*") if path.name != "drafts"] == []


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_are_no_plain_file_names_are_refused(store: ArtifactStore, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArtifactNameError):
        store.write(JOB_ID, "results", {name: b""})
    with pytest.raises(ArtifactNotFoundError):
        store.read(JOB_ID, "results", name)
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
    store.write(JOB_ID, "results", {"maps/a.png": b""})

    for name in ("image", "maps", "maps/b.png"):
        with pytest.raises(ArtifactNotFoundError, match=name):
            store.read(JOB_ID, "results", name)


def test_delete_removes_the_whole_job_and_is_no_error_twice(store: ArtifactStore, tmp_path: Path) -> None:
    store.write(JOB_ID, "inputs", {"image": b"1"})
    store.write(JOB_ID, "results", {"maps/a.png": b"2"})
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
