"""The environment variables that the service's settings come from."""

from __future__ import annotations

from typing import Any

from pydantic_settings import BaseSettings

from service.settings import ServiceSettings
from service.webhooks.settings import WebhookSettings
from worker.settings import WorkerSettings

__all__ = ["variables"]


def variables(*classes: type[BaseSettings]) -> dict[str, Any]:
    """Default values by name of the variable; of the settings of all parts unless others are given."""
    return {
        str(field.validation_alias or f"{kind.model_config['env_prefix']}{name}".upper()): field.default
        for kind in classes or (ServiceSettings, WebhookSettings, WorkerSettings)
        for name, field in kind.model_fields.items()
    }
