"""How a worker's models are loaded, by the settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import fixlip_core
from worker.models import Load
from worker.models_file import ModelsFileError, load_model, read_models_file
from worker.settings import WorkerSettings

__all__ = ["model_loads"]


def model_loads(settings: WorkerSettings) -> Mapping[str, Load]:
    """What loads each of the models of ``settings``, by id; nothing is loaded yet.

    Raises:
        ModelsFileError: the models file cannot be read, or has no model of a name.
    """
    device, precision = settings.device, settings.precision
    if settings.models_file is None:
        return {
            name: partial(fixlip_core.load_encoder, name, device=device, precision=precision)
            for name in settings.models
        }
    file = settings.models_file
    entries = read_models_file(file)
    wanted = settings.named_models or tuple(entries)
    if unknown := [name for name in wanted if name not in entries]:
        raise ModelsFileError(f"{file}: it has no model {unknown[0]!r}, which FIXLIP_MODELS names")
    return {name: partial(load_model, entries[name], file=file, device=device, precision=precision) for name in wanted}
