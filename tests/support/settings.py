"""The environment variables that the service's settings come from."""

from __future__ import annotations

from typing import Any

from pydantic_settings import BaseSettings

from service.settings import ServiceSettings
from worker.settings import WorkerSettings

__all__ = ["variables"]


def variables(*classes: type[BaseSettings]) -> dict[str, Any]:
    """Default values by name of the variable; of the API's and the worker's settings unless others are given."""
    return {
        str(field.validation_alias or f"{kind.model_config['env_prefix']}{name}".upper()): field.default
        for kind in classes or (ServiceSettings, WorkerSettings)
        for name, field in kind.model_fields.items()
    }
