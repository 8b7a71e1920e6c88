"""What every encoder does with its coalitions: check them, take them to the device in batches, know what they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from fixlip_core.defaults import IMAGE_ROWS_PER_CALL, POSITIONS_PER_BATCH, TEXT_ROWS_PER_CALL
from fixlip_core.errors import InvalidParameterError
from fixlip_core.types import Coalitions, Embeddings

__all__ = [
    "LaunchedRows",
    "checked_coalitions",
    "launch",
    "operations_of",
    "owned",
    "positions_per_batch",
    "rows_per_call",
    "runs_ahead",
    "to_device",
]

# Queries, keys, values, the attended, the wide middle of the second branch, twice over for what is being replaced.
_STATES_PER_POSITION: Final = 20
_GPU_MEMORY_SHARE: Final = 0.25


def checked_coalitions(coalitions: Coalitions, n: int) -> Coalitions:
    """A copy of ``coalitions``, its rows one after another.

    Raises:
        InvalidParameterError: it is not bool of shape (m, n).
    """
    present = np.array(coalitions, order="C")
    if present.ndim != 2 or present.shape[1] != n or present.dtype != np.bool_:
        raise InvalidParameterError(
            f"coalitions must be bool of shape (m, {n}), not {present.dtype} of shape {present.shape}",
            field="coalitions",
        )
    return present


def positions_per_batch(device: torch.device, state_bytes: int) -> int:
    """Positions of a transformer to run at a time: on a CPU what suits its caches, on a GPU what its memory holds.

    Args:
        device: where they run.
        state_bytes: size of one position's state.
    """
    if device.type != "cuda":
        return POSITIONS_PER_BATCH
    free_bytes, _ = torch.cuda.mem_get_info(device)
    return max(POSITIONS_PER_BATCH, int(_GPU_MEMORY_SHARE * free_bytes) // (_STATES_PER_POSITION * state_bytes))


def rows_per_call(positions: int, image_positions: int, text_positions: int) -> tuple[int, int]:
    """Image rows and text rows that fill a batch of so many positions, and no fewer than are worth a call."""
    return max(IMAGE_ROWS_PER_CALL, positions // image_positions), max(TEXT_ROWS_PER_CALL, positions // text_positions)


def runs_ahead(device: torch.device) -> bool:
    """Whether calls to the device return before it is done."""
    return device.type == "cuda"


def to_device(array: np.ndarray[Any, Any], device: torch.device) -> torch.Tensor:
    """A copy on the device. The host does not wait: from memory that may be paged out, a GPU would make it."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if runs_ahead(device) else tensor


def owned(states: Sequence[torch.Tensor], rows: Sequence[int]) -> torch.Tensor:
    """(sum of ``rows``, ...): the states of some inputs, each for so many rows; (1, ...) where there is but one."""
    if len(states) == 1:
        return states[0][None]
    owners = to_device(np.repeat(np.arange(len(states)), rows), states[0].device)
    return torch.stack(list(states))[owners]


@dataclass(frozen=True, slots=True, eq=False)
class LaunchedRows:
    """Embeddings on their way; see :class:`fixlip_core.encoders.masked.Launched`.

    Attributes:
        on_host: (m, D) float32, filled once ``arrival`` has come.
        arrival: of a GPU; None where they are here.
    """

    on_host: torch.Tensor
    arrival: torch.cuda.Event | None = None

    def is_done(self) -> bool:
        """Whether they are here."""
        return self.arrival is None or bool(self.arrival.query())

    def embeddings(self) -> Embeddings:
        """(m, D) float32, once they are here."""
        if self.arrival is not None:
            self.arrival.synchronize()
        embeddings: Embeddings = self.on_host.numpy()
        return embeddings


def launch(embeddings: torch.Tensor) -> LaunchedRows:
    """Send (m, D) embeddings home, after all that the device has to do for them and before what it is given next."""
    if not runs_ahead(embeddings.device):
        return LaunchedRows(embeddings)
    on_host = torch.empty(embeddings.shape, dtype=embeddings.dtype, pin_memory=True)
    on_host.copy_(embeddings, non_blocking=True)
    arrival = torch.cuda.Event()
    arrival.record(torch.cuda.current_stream(embeddings.device))
    return LaunchedRows(on_host, arrival)


def operations_of(act: Callable[[], object]) -> int:
    """Floating-point operations of the matrix products and convolutions in ``act``: the same on every machine."""
    counter = _Counter()  # type: ignore[no-untyped-call]  # torch's base class is not typed
    with counter:
        act()
    return counter.total


class _Counter(TorchDispatchMode):
    """Counts this thread's operations by torch's own formulas; unlike torch's counter it puts no hooks on modules."""

    total: int = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        formula = flop_registry.get(func._overloadpacket)
        if formula is None:
            # Without gradients, torch hands over what is made of other operations whole.
            with self:
                parts = func.decompose(*args, **options)
            return func(*args, **options) if parts is NotImplemented else parts
        result = func(*args, **options)
        self.total += int(formula(*args, **options, out_val=result))
        return result
