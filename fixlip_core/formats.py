"""Explanations as files: ``npz`` and JSON, both exact to the last bit.

The JSON is the format of ``shapiq.InteractionValues`` (its ``load`` reads it) with one more member, ``fixlip``, for
what shapiq has no place for.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fixlip_core.errors import FormatError
from fixlip_core.explanation import Explanation
from fixlip_core.types import FloatArray

if TYPE_CHECKING:
    import shapiq

__all__ = ["from_json_bytes", "from_npz_bytes", "load", "save", "to_json_bytes", "to_npz_bytes", "to_shapiq"]

FORMAT_VERSION = 2
MAX_MEMBER_BYTES = 2**28
"""Longest array that is read: the pairs of 5,792 players."""
_ARRAYS = ("first", "second", "first_std_error", "second_std_error")
# shapiq has no name for the index weighted by p: it is its FBII at p = 1/2 and generalises it elsewhere.
_SHAPIQ_INDEX = {"WFBII": "FBII", "WBV": "BV"}
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)


def to_npz_bytes(explanation: Explanation) -> bytes:
    """The explanation as an ``npz`` archive. The same explanation gives the same bytes.

    Members: ``first``, ``second``, ``first_std_error``, ``second_std_error`` (float64) and ``header`` (JSON text).
    """
    header = json.dumps(_header(explanation), sort_keys=True, ensure_ascii=False)
    members = {name: getattr(explanation, name) for name in _ARRAYS} | {"header": np.array(header)}
    buffer = io.BytesIO()
    # numpy.savez stamps the time of day on its members; results are named by their digest, so they must not have one.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in members.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _TIMESTAMP), member.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def from_npz_bytes(data: bytes) -> Explanation:
    """The explanation that :func:`to_npz_bytes` wrote.

    Raises:
        FormatError: the data is damaged or something else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            arrays = {name: _member(archive, name) for name in _ARRAYS}
            header = json.loads(str(_member(archive, "header")))
        return _build(header, arrays)
    except Exception as error:  # parsers raise whatever hostile bytes lead them into
        raise FormatError(f"not an explanation in npz form: {error}") from error


def to_json_bytes(explanation: Explanation) -> bytes:
    """The explanation as JSON that ``shapiq.InteractionValues.load`` reads."""
    interactions = _interactions(explanation)
    header = _header(explanation)
    document = {
        "object_name": "InteractionValues",
        "data_type": "interaction_values",
        "version": None,
        "created_from": None,
        "description": f"{explanation.index} of {explanation.score} by {explanation.method}",
        "parameters": {},
        "metadata": {
            "n_players": explanation.n_players,
            "index": _SHAPIQ_INDEX.get(explanation.index, explanation.index),
            "max_order": explanation.order,
            "min_order": _min_order(explanation),
            "estimated": True,
            "estimation_budget": explanation.image_passes + explanation.text_passes,
            "baseline_value": interactions.get((), 0.0),
        },
        "data": {",".join(map(str, players)) or "Empty": value for players, value in interactions.items()},
        "fixlip": {
            **header,
            "first_std_error": _plain(explanation.first_std_error),
            "second_std_error": _plain(_upper(explanation.second_std_error)),
        },
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def from_json_bytes(data: bytes) -> Explanation:
    """The explanation that :func:`to_json_bytes` wrote.

    Raises:
        FormatError: the data is damaged or something else.
    """
    try:
        document = json.loads(data)
        header = document["fixlip"]
        n = int(document["metadata"]["n_players"])
        # Before there are matrices for as many players as a few bytes can claim.
        if len(header["second_std_error"]) != n * (n + 1) // 2:
            raise FormatError(f"there are no standard errors of the pairs of {n} players")
        first, second = np.zeros(n), np.zeros((n, n))
        for key, value in document["data"].items():
            players = [] if key == "Empty" else [int(part) for part in key.split(",")]
            if len(players) == 1:
                first[players[0]] = value
            elif len(players) == 2:
                second[players[0], players[1]] = second[players[1], players[0]] = value
        arrays = {
            "first": first,
            "second": second,
            "first_std_error": _floats(header.pop("first_std_error")),
            "second_std_error": _mirrored(_floats(header.pop("second_std_error")), n),
        }
        return _build(header, arrays)
    except Exception as error:  # as above
        raise FormatError(f"not an explanation in JSON form: {error}") from error


def to_shapiq(explanation: Explanation) -> shapiq.InteractionValues:
    """The values as ``shapiq.InteractionValues``, which warns of the indices that it does not know (attributions').

    Raises:
        ImportError: shapiq is not installed.
    """
    import shapiq

    interactions = _interactions(explanation)
    return shapiq.InteractionValues(
        interactions,
        index=_SHAPIQ_INDEX.get(explanation.index, explanation.index),
        max_order=explanation.order,
        min_order=_min_order(explanation),
        n_players=explanation.n_players,
        estimated=True,
        estimation_budget=explanation.image_passes + explanation.text_passes,
        baseline_value=interactions.get((), 0.0),
    )


def save(explanation: Explanation, path: Path) -> None:
    """Write ``path`` (``.npz`` or ``.json``) whole or not at all.

    Raises:
        FormatError: the path ends in neither.
    """
    writers = {".npz": to_npz_bytes, ".json": to_json_bytes}
    if path.suffix not in writers:
        raise FormatError(f"explanations are saved as .npz or .json, not {path.suffix or 'without a suffix'!r}")
    data = writers[path.suffix](explanation)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path) -> Explanation:
    """Read what :func:`save` wrote.

    Raises:
        FormatError: the file is damaged or of another format.
        FileNotFoundError: there is no such file.
    """
    readers = {".npz": from_npz_bytes, ".json": from_json_bytes}
    if path.suffix not in readers:
        raise FormatError(f"explanations are read from .npz or .json, not {path.suffix or 'without a suffix'!r}")
    return readers[path.suffix](path.read_bytes())


def _member(archive: zipfile.ZipFile, name: str) -> FloatArray:
    """An array of the archive, which takes no more memory than its member's size, and that within a limit."""
    member = archive.getinfo(f"{name}.npy")
    if member.file_size > MAX_MEMBER_BYTES:
        raise FormatError(f"{name} has {member.file_size:,} bytes; at most {MAX_MEMBER_BYTES:,} are read")
    content = io.BytesIO(archive.read(member))
    if np.lib.format.read_magic(content) != (1, 0):
        raise FormatError(f"{name} is of a version of NumPy's format that explanations are not written in")
    shape, _, dtype = np.lib.format.read_array_header_1_0(content)
    # NumPy makes room for whatever shape the header claims before it looks at what there is.
    if math.prod(shape) * dtype.itemsize != member.file_size - content.tell():
        raise FormatError(f"{name} is not of the shape {shape} that it claims")
    content.seek(0)
    return np.asarray(np.lib.format.read_array(content, allow_pickle=False))


def _header(explanation: Explanation) -> dict[str, Any]:
    """Everything but the arrays, as JSON values: nan is null."""
    names = [field.name for field in dataclasses.fields(Explanation) if field.name not in _ARRAYS]
    header = {name: _plain(getattr(explanation, name)) for name in names}
    return {"format_version": FORMAT_VERSION, **header}


def _build(header: dict[str, Any], arrays: dict[str, FloatArray]) -> Explanation:
    values: dict[str, Any] = {**header, **arrays}
    version = values.pop("format_version")
    if version != FORMAT_VERSION:
        raise FormatError(f"format version {version!r} is not {FORMAT_VERSION}")
    for name in ("baseline", "empty_value", "full_value", "p", "estimated_r2"):
        values[name] = math.nan if values[name] is None else float(values[name])
    values["tokens"], values["grid"] = tuple(values["tokens"]), (int(values["grid"][0]), int(values["grid"][1]))
    values["regions"] = tuple(values["regions"])
    values["region_labels"] = tuple(values.get("region_labels", ()))  # earlier files have none
    return Explanation(**values)


def _interactions(explanation: Explanation) -> dict[tuple[int, ...], float]:
    """Values by players: the baseline where there is one, singles and, at order 2, pairs."""
    n = explanation.n_players
    values: dict[tuple[int, ...], float] = {(): explanation.baseline} if explanation.additive else {}
    values |= {(i,): float(value) for i, value in enumerate(explanation.first)}
    if explanation.order == 2:
        rows, columns = np.triu_indices(n, 1)
        pairs = zip(rows.tolist(), columns.tolist(), explanation.second[rows, columns].tolist(), strict=True)
        values |= {(i, j): value for i, j, value in pairs}
    return values


def _min_order(explanation: Explanation) -> int:
    """An attribution has no value of the empty coalition."""
    return 0 if explanation.additive else 1


def _plain(value: Any) -> Any:
    """``value`` as JSON: arrays and tuples as lists, mappings as objects, nan as null."""
    if isinstance(value, np.ndarray | tuple | list):
        return [_plain(item) for item in (value.tolist() if isinstance(value, np.ndarray) else value)]
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return dict(value) if hasattr(value, "keys") else value


def _floats(values: list[float | None]) -> FloatArray:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _upper(matrix: FloatArray) -> FloatArray:
    """The diagonal and all above it, row by row."""
    return np.asarray(matrix[np.triu_indices(len(matrix))])


def _mirrored(upper: FloatArray, n: int) -> FloatArray:
    matrix = np.zeros((n, n))
    rows, columns = np.triu_indices(n)
    matrix[rows, columns] = matrix[columns, rows] = upper
    return matrix
