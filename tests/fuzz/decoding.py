"""Decoders at hostile bytes: ``python -m tests.fuzz.decoding DECODER EXAMPLES``, in a process of bounded memory.

Each takes valid files, damages them in every way that Hypothesis thinks of, and lets nothing through but the errors
that are documented. The process may hold ``MEMORY_BYTES`` beyond what it began with: to ask for more fails it.
"""

from __future__ import annotations

import asyncio
import io
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from starlette.requests import Request

from fixlip_core.errors import FormatError, InputError, InvalidImageError
from fixlip_core.formats import from_json_bytes, from_npz_bytes, to_json_bytes, to_npz_bytes
from fixlip_core.images import FORMATS, decode_image
from service.problems import ProblemError
from service.requests import FORM, JSON, ExplanationRequest, read_request
from tests.support.explanations import example, with_regions

__all__ = ["DECODERS", "MEMORY_BYTES"]

MEMORY_BYTES: Final = 600_000_000
MAX_PIXELS: Final = 4_000_000
BOUNDARY: Final = "b0undary"

Edit = tuple[float, int, bytes]


def _edited(data: bytes, edits: list[Edit]) -> bytes:
    """``data`` after each edit: from a place (a share of the length) on, so many bytes are replaced."""
    for share, removed, inserted in edits:
        place = int(share * len(data))
        data = data[:place] + inserted + data[place + removed :]
    return data


_EDITS: Final = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.one_of(st.integers(0, 8), st.integers(0, 100_000)),
        st.one_of(st.binary(max_size=8), st.sampled_from([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00" * 4])),
    ),
    max_size=4,
)


def _damaged(files: list[bytes]) -> st.SearchStrategy[bytes]:
    return st.one_of(st.builds(_edited, st.sampled_from(files), _EDITS), st.binary(max_size=200))


def _pictures() -> list[bytes]:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8))
    files = []
    for kind in FORMATS:
        for mode in ("RGB", "L"):
            stream = io.BytesIO()
            picture.convert(mode).save(stream, kind)
            files.append(stream.getvalue())
    return files


def _image(data: bytes) -> None:
    try:
        picture = decode_image(data, max_pixels=MAX_PIXELS)
    except InvalidImageError:
        return
    assert picture.mode == "RGB"
    assert 0 < picture.width * picture.height <= MAX_PIXELS


def _npz(data: bytes) -> None:
    try:
        from_npz_bytes(data)
    except FormatError:
        return


def _json(data: bytes) -> None:
    try:
        from_json_bytes(data)
    except FormatError:
        return


def _read(data: bytes, content_type: str) -> ExplanationRequest | None:
    headers = [(b"content-type", content_type.encode())]
    # Without an application, Starlette raises other errors than within one.
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "app": None}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": data, "more_body": False}

    try:
        return asyncio.run(read_request(Request(scope, receive)))
    except (ProblemError, ValidationError, InputError):
        return None


def _request_json(data: bytes) -> None:
    _read(data, JSON)


def _request_form(data: bytes) -> None:
    _read(data, f"{FORM}; boundary={BOUNDARY}")


def _json_bodies() -> list[bytes]:
    whole = {"image": "aGVsbG8=", "caption": "a", "params": {"p": 0.5}, "metadata": {"a": "b"}, "webhook": None}
    return [json.dumps(whole).encode(), b'{"caption": "\\u0000"}', b"[" * 1000, b'{"a":' * 1000, b"1" * 5000]


def _forms() -> list[bytes]:
    parts = [
        'name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG',
        'name="caption"\r\n\r\na dog',
        'name="params"\r\n\r\n{"p": 0.5}',
    ]
    lines = [f"--{BOUNDARY}\r\nContent-Disposition: form-data; {part}\r\n" for part in parts]
    return ["".join([*lines, f"--{BOUNDARY}--\r\n"]).encode("latin-1")]


Decoder = tuple[Callable[[bytes], None], Callable[[], list[bytes]]]

DECODERS: Final[dict[str, Decoder]] = {
    "image": (_image, _pictures),
    "npz": (_npz, lambda: [to_npz_bytes(example()), to_npz_bytes(with_regions())]),
    "json": (_json, lambda: [to_json_bytes(example()), to_json_bytes(with_regions())]),
    "request-json": (_request_json, _json_bodies),
    "request-form": (_request_form, _forms),
}
"""What is called with damaged files, and the files before that."""


def _held_bytes() -> int:
    """Address space of this process."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _main(name: str, examples: int, *files: str) -> None:
    decode, valid = DECODERS[name]
    originals = valid()
    for original in originals:
        decode(original)
    limit = _held_bytes() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for file in files:
        print(f"decoding {Path(file).name}", flush=True)
        decode(Path(file).read_bytes())
    if examples:
        _fuzz(decode, originals, examples)


def _fuzz(decode: Callable[[bytes], None], originals: list[bytes], examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=2000,
        database=None,
        # The short run is the same each time; the long one is to find what is new.
        derandomize=examples <= 1000,
        suppress_health_check=list(HealthCheck),
    )
    @given(_damaged(originals))
    def fuzz(data: bytes) -> None:
        decode(data)

    fuzz()


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
