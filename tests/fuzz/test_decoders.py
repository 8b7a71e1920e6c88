"""No bytes crash, hang or bloat what decodes them; `make fuzz` tries many more."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fixlip_core.formats import to_json_bytes, to_npz_bytes
from tests.fuzz.decoding import BOUNDARY, DECODERS
from tests.fuzz.scale import IS_FULL
from tests.support.explanations import example

ROOT = Path(__file__).parents[2]
EXAMPLES = 20_000 if IS_FULL else 150
LIMIT_S = 1200 if IS_FULL else 60


def decoded(name: str, examples: int, *files: Path) -> subprocess.CompletedProcess[str]:
    """The outcome of a process that decodes ``files`` and damaged ones."""
    command = [sys.executable, "-m", "tests.fuzz.decoding", name, str(examples), *map(str, files)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


@pytest.mark.timeout(LIMIT_S + 30)
@pytest.mark.parametrize("name", DECODERS)
def test_damaged_files_give_documented_errors_alone(name: str) -> None:
    outcome = decoded(name, EXAMPLES)
    assert outcome.returncode == 0, outcome.stderr[-6000:]


def _png(width: int, height: int, lines: int) -> bytes:
    """A PNG file whose header promises far more than its few bytes of nothing hold."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(lines), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _npz(*first: bytes) -> bytes:
    """An explanation whose first member is ``first``, one after the other."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(to_npz_bytes(example()))) as source,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
    ):
        for name in source.namelist():
            with target.open(name, "w") as member:
                for part in first if name == "first.npy" else [source.read(name)]:
                    member.write(part)
    return stream.getvalue()


def _claiming(shape: str) -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


def _changed(**fields: object) -> bytes:
    document = json.loads(to_json_bytes(example()))
    document["fixlip"] |= fields
    return json.dumps(document).encode()


def _players(count: object) -> bytes:
    document = json.loads(to_json_bytes(example()))
    document["metadata"]["n_players"] = count
    return json.dumps(document).encode()


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "picture of 10 gigabytes": ("image", lambda: _png(60_000, 60_000, 30_000_000)),
    "picture of 2^31 columns": ("image", lambda: _png(2**31 - 1, 1, 1_000)),
    "picture just too large": ("image", lambda: _png(4_000, 1_001, 12_100_000)),
    "picture of less than it promises": ("image", lambda: _png(2_000, 2_000, 100)),
    "array of 8 terabytes": ("npz", lambda: _npz(_claiming("(1000000000000,)"))),
    "array of deep brackets": ("npz", lambda: _npz(_claiming("(" * 40 + ")" * 40))),
    "archive that unpacks to 400 megabytes": ("npz", lambda: _npz(_claiming("(50000000,)"), *[bytes(10**6)] * 400)),
    "pickled array": ("npz", lambda: _npz(_pickled())),
    "players by the million": ("json", lambda: _players(10**6)),
    "players without end": ("json", lambda: _players(float("inf"))),
    "grid of 10^18 patches": ("json", lambda: _changed(grid=[10**9, 10**9])),
    "regions up to 10^12": ("json", lambda: _changed(regions=[10**12] * 6)),
    "explanation of deep brackets": ("json", lambda: b"[" * 1_000_000),
    "number of a million digits": ("json", lambda: b'{"fixlip": ' + b"1" * 1_000_000 + b"}"),
    "request of deep brackets": ("request-json", lambda: b"[" * 1_000_000),
    "request of deep objects": ("request-json", lambda: b'{"params":' * 200_000),
    "request of a million fields": ("request-json", lambda: json.dumps(dict.fromkeys(map(str, range(10**6)))).encode()),
    "number of a million digits in a request": (
        "request-json",
        lambda: b'{"params": {"p": ' + b"1" * 1_000_000 + b"}}",
    ),
    "form of 100,000 parts": (
        "request-form",
        lambda: f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'.encode() * 100_000,
    ),
    "form with a header of a megabyte": (
        "request-form",
        lambda: f"--{BOUNDARY}\r\nContent-Disposition: form-data; name={'a' * 1_000_000}\r\n\r\n1\r\n".encode(),
    ),
}


def _pickled() -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.array([{}], dtype=object), allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize("name", DECODERS)
def test_bombs_do_not_go_off(name: str, tmp_path: Path) -> None:
    files = []
    for bomb, (decoder, make) in BOMBS.items():
        if decoder == name:
            files.append(tmp_path / bomb)
            files[-1].write_bytes(make())
    outcome = decoded(name, 0, *files)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr[-6000:]


def test_the_limit_of_memory_would_be_noticed(tmp_path: Path) -> None:
    """The control: what none of the decoders may do fails the process."""
    program = (
        "import resource, tests.fuzz.decoding as d, numpy as np;"
        "limit = d._held_bytes() + d.MEMORY_BYTES;"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit));"
        "np.ones(d.MEMORY_BYTES // 4)"
    )
    outcome = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "MemoryError" in outcome.stderr
