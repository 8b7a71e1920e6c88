from __future__ import annotations

import pytest

from service.jobs.sentinels import SentinelAddress


def test_everything_that_a_url_can_say() -> None:
    address = SentinelAddress.parse(
        "redis+sentinel://jobs:p%3Aa%2Fs%40s@one:26380,[fd00::2]:26381,three/2"
        "?master=main&sentinel_username=watch&sentinel_password=two%20words"
    )
    assert address.hosts == (("one", 26380), ("fd00::2", 26381), ("three", 26379))
    assert address.master == "main"
    assert address.options == {"db": 2, "username": "jobs", "password": "p:a/s@s"}
    assert address.sentinel_options == {"username": "watch", "password": "two words"}


def test_the_least_that_a_url_must_say() -> None:
    address = SentinelAddress.parse("redis+sentinel://one?master=main")
    assert (address.hosts, address.options, address.sentinel_options) == ((("one", 26379),), {"db": 0}, {})


def test_a_password_without_a_user() -> None:
    assert SentinelAddress.parse("redis+sentinel://:secret@one?master=main").options == {"db": 0, "password": "secret"}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis+sentinel://one/0", "names the master"),
        ("redis+sentinel://one/0?master=", "names the master"),
        ("redis+sentinel://one/zero?master=main", "'zero' is not the number of a database"),
        ("redis+sentinel://one/0?master=main&ssl=true", "no option 'ssl'"),
        ("redis+sentinel://?master=main", "'' is not a sentinel's host"),
        ("redis+sentinel://one,,two?master=main", "'' is not a sentinel's host"),
        ("redis+sentinel://one:port?master=main", "port"),
    ],
)
def test_urls_that_say_too_little_or_too_much(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SentinelAddress.parse(url)


def test_a_wrong_url_is_refused_without_its_password() -> None:
    with pytest.raises(ValueError, match="database") as error:
        SentinelAddress.parse("redis+sentinel://:secret@one/x?master=main")
    assert "secret" not in str(error.value)
