"""BLAS and LAPACK on float64 matrices that lie in columns, without Python's lock.

scipy's own wrappers hold the lock while they work. With a large matrix every other thread of the process then stands
still for seconds: those that run passes, and those that say that the process is alive. The routines are the same, and
so are the bits.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import numpy as np
from scipy.linalg import cython_blas, cython_lapack

from fixlip_core.types import FloatArray

__all__ = ["add_gram", "add_product", "factor", "inverse", "solve", "solve_lower"]

_name_of: Final = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", ctypes.pythonapi))
_pointer_of: Final = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def _routine(module: ModuleType, name: str) -> Callable[..., None]:
    """A routine of scipy's, which takes pointers alone; ctypes lets go of the lock while it runs."""
    capsule = module.__pyx_capi__[name]
    signature = _name_of(capsule)
    pointers = [ctypes.c_void_p] * (signature.count(b",") + 1)
    return ctypes.CFUNCTYPE(None, *pointers)(_pointer_of(capsule, signature))


_dgemm: Final = _routine(cython_blas, "dgemm")
_dsyrk: Final = _routine(cython_blas, "dsyrk")
_dpotrf: Final = _routine(cython_lapack, "dpotrf")
_dpotri: Final = _routine(cython_lapack, "dpotri")
_dpotrs: Final = _routine(cython_lapack, "dpotrs")
_dtrtrs: Final = _routine(cython_lapack, "dtrtrs")


def add_gram(gram: FloatArray, rows: FloatArray) -> None:
    """Add ``rows.T @ rows`` of (m, n) rows to the lower triangle of (n, n) ``gram``, in place."""
    (m, n), rows = rows.shape, np.ascontiguousarray(rows, np.float64)
    _call(_dsyrk, b"L", b"N", n, m, 1.0, rows.T, n, 1.0, _in_columns(gram, n), n)


def add_product(product: FloatArray, left: FloatArray, right: FloatArray) -> None:
    """Add ``left.T @ right`` of (m, n) matrices to (n, n) ``product``, in place."""
    (m, n), left, right = left.shape, np.ascontiguousarray(left, np.float64), np.ascontiguousarray(right, np.float64)
    if right.shape != (m, n):
        raise ValueError(f"shapes {left.shape} and {right.shape} differ")
    _call(_dgemm, b"N", b"T", n, n, m, 1.0, left.T, n, right.T, n, 1.0, _in_columns(product, n), n)


def factor(matrix: FloatArray, *, lower: bool = True) -> int:
    """Cholesky's factor of a symmetric (n, n) matrix, in its own lower or upper triangle; the other is left alone.

    Returns:
        0, or another number where the matrix is not positive definite.
    """
    n, fault = len(matrix), ctypes.c_int()
    _call(_dpotrf, _triangle(lower), n, _in_columns(matrix, n), n, fault)
    return fault.value


def solve(factored: FloatArray, right: FloatArray, *, lower: bool = True) -> FloatArray:
    """(n,) or (n, k) solution of the system whose (n, n) matrix :func:`factor` has factored."""
    n, fault = len(factored), ctypes.c_int()
    solution = np.array(right if right.ndim == 2 else right[:, None], np.float64, order="F")
    if len(solution) != n:
        raise ValueError(f"shapes {factored.shape} and {right.shape} do not fit")
    _call(_dpotrs, _triangle(lower), n, solution.shape[1], _in_columns(factored, n), n, solution, n, fault)
    return solution if right.ndim == 2 else solution[:, 0]


def solve_lower(factored: FloatArray, right: FloatArray) -> FloatArray:
    """(n, k) ``L^-1 right`` by the lower triangle L of (n, n) ``factored``; written over a ``right`` in columns."""
    n, fault = len(factored), ctypes.c_int()
    solution = np.asfortranarray(right, np.float64)
    if solution.ndim != 2 or len(solution) != n:
        raise ValueError(f"shapes {factored.shape} and {right.shape} do not fit")
    _call(_dtrtrs, b"L", b"N", b"N", n, solution.shape[1], _in_columns(factored, n), n, solution, n, fault)
    return solution


def inverse(factored: FloatArray) -> tuple[FloatArray, int]:
    """Lower triangle of the inverse of the matrix that :func:`factor` has factored below, and 0; else its fault."""
    n, fault = len(factored), ctypes.c_int()
    inverted = np.array(factored, np.float64, order="F")
    _call(_dpotri, b"L", n, _in_columns(inverted, n), n, fault)
    return inverted, fault.value


def _triangle(lower: bool) -> bytes:
    return b"L" if lower else b"U"


def _in_columns(matrix: FloatArray, n: int) -> FloatArray:
    """``matrix``, which a routine would read or write beyond if it were of another layout."""
    if matrix.shape != (n, n) or matrix.dtype != np.float64 or not matrix.flags.f_contiguous:
        raise ValueError(f"the matrix must be float64, ({n}, {n}) and lie in columns")
    return matrix


def _call(routine: Callable[..., None], *arguments: Any) -> None:
    """Call it as Fortran calls: everything by reference."""
    routine(*map(_reference, arguments))


def _reference(argument: Any) -> Any:
    match argument:
        case bytes():
            return argument
        case int():
            return ctypes.byref(ctypes.c_int(argument))
        case float():
            return ctypes.byref(ctypes.c_double(argument))
        case np.ndarray():
            return argument.ctypes.data_as(ctypes.c_void_p)
        case _:
            return ctypes.byref(argument)
