"""The secrets with which webhooks are signed."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from service.access.required import Admin
from service.backend import BackendDep
from service.jobs.webhook_secrets import MAX_SECRETS
from service.routers._responses import problems
from service.views import NewWebhookSecret, WebhookSecretList, WebhookSecretView

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/webhook-secrets", tags=["webhooks"])


@router.post(
    "",
    operation_id="createWebhookSecret",
    summary="Make a webhook secret",
    status_code=201,
    response_description="The secret, which is shown this once.",
    responses=problems({409: f"There are {MAX_SECRETS} secrets already.", 503: "Redis does not answer."}),
)
def create_webhook_secret(who: Admin, backend: BackendDep, response: Response) -> NewWebhookSecret:
    """Make a secret for your receivers.

    Messages are signed with every secret there is, so that none is missed while receivers change to a new one.
    """
    response.headers["Cache-Control"] = "no-store"
    return NewWebhookSecret(**dict(backend.webhook_secrets.create(who.tenant)))


@router.get(
    "",
    operation_id="listWebhookSecrets",
    summary="List the webhook secrets",
    response_description="All secrets, the newest first, without what is secret.",
    responses=problems({503: "Redis does not answer."}),
)
def list_webhook_secrets(who: Admin, backend: BackendDep, response: Response) -> WebhookSecretList:
    """The secrets with which your messages are signed."""
    response.headers["Cache-Control"] = "no-store"
    secrets = backend.webhook_secrets.all_of(who.tenant)
    return WebhookSecretList(items=[WebhookSecretView(id=each.id, created_at=each.created_at) for each in secrets])


@router.delete(
    "/{secret_id}",
    operation_id="deleteWebhookSecret",
    summary="Delete a webhook secret",
    status_code=204,
    response_description="Messages are signed with it no more.",
    responses=problems({404: "No secret has this id.", 503: "Redis does not answer."}),
)
def delete_webhook_secret(secret_id: str, who: Admin, backend: BackendDep) -> None:
    """Stop signing with a secret. Without any, messages are tried again later, and webhooks are refused."""
    backend.webhook_secrets.delete(who.tenant, secret_id)
