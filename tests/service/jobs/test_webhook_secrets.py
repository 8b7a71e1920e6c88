from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from service.jobs.errors import TooManyWebhookSecretsError, WebhookSecretNotFoundError
from service.jobs.webhook_secrets import MAX_SECRETS, WebhookSecrets


@pytest.fixture
def secrets(redis: Redis) -> WebhookSecrets:
    return WebhookSecrets(redis)


def test_a_secret_is_a_key_of_256_bits(secrets: WebhookSecrets) -> None:
    one, two = secrets.create("ada"), secrets.create("ada")
    prefix, _, key = one.secret.partition("_")
    assert prefix == "whsec"
    assert len(base64.b64decode(key, validate=True)) == 32
    assert one.secret != two.secret
    assert one.id != two.id


def test_they_are_kept_the_newest_first(secrets: WebhookSecrets) -> None:
    made = [secrets.create("ada") for _ in range(MAX_SECRETS)]
    assert secrets.all_of("ada") == made[::-1]


def test_each_tenant_has_its_own(secrets: WebhookSecrets) -> None:
    mine = secrets.create("ada")
    assert secrets.exist("ada")
    assert not secrets.exist("bob")
    assert secrets.all_of("bob") == []
    with pytest.raises(WebhookSecretNotFoundError, match=mine.id):
        secrets.delete("bob", mine.id)
    assert secrets.all_of("ada") == [mine]


def test_a_deleted_one_is_gone(secrets: WebhookSecrets) -> None:
    mine = secrets.create("ada")
    secrets.delete("ada", mine.id)
    assert not secrets.exist("ada")
    with pytest.raises(WebhookSecretNotFoundError):
        secrets.delete("ada", mine.id)


def test_there_are_so_many_and_no_more_however_many_ask(secrets: WebhookSecrets) -> None:
    def create(_: int) -> bool:
        try:
            secrets.create("ada")
        except TooManyWebhookSecretsError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(create, range(16))) == MAX_SECRETS
    secrets.delete("ada", secrets.all_of("ada")[-1].id)
    secrets.create("ada")
