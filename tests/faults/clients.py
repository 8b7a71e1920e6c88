"""The service's clients: those who submit, and one who looks at everything again and again."""

from __future__ import annotations

import threading
from typing import Final

import httpx
from pydantic_core import to_json

from tests.faults.ledger import SUCCESS, Ledger, Outcome, Sighting
from tests.faults.orders import Order, orders

__all__ = ["Client", "DeniedError", "Load", "RefusedError", "Watch"]

URL: Final = "/v1/explanations"
TIMEOUT_S: Final = 30.0
LOOK_EVERY_S: Final = 0.5
PAUSE_S: Final = 0.05
RETRY_S: Final = 0.5
UNAVAILABLE: Final = 503


class RefusedError(Exception):
    """The service is away, and says so: it may be asked again without doing anything twice."""


class DeniedError(Exception):
    """The service refused what it may not refuse, or broke down."""


class Client:
    """One client. Every request has a connection of its own, so that a refused one was certainly not sent.

    Args:
        url: of the API.
        ledger: where promises and sightings go.
    """

    def __init__(self, url: str, ledger: Ledger) -> None:
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_S, limits=limits, trust_env=False)
        self._ledger = ledger

    def submit(self, order: Order, outcome: Outcome = SUCCESS) -> str:
        """Submit once; the acknowledged job's id.

        Raises:
            RefusedError: nothing was accepted.
            httpx.TransportError: nobody knows whether the job was accepted.
            DeniedError: the service said something that it may not say.
        """
        # An order that is repeated, as nobody knows what became of it, is to be worked on all the same.
        fields = {"caption": order.caption, "model": order.model, "cache": "bypass"}
        fields["params"] = to_json(order.params).decode()
        try:
            answer = self._http.post(URL, data=fields, files={"image": order.image})
        except httpx.ConnectError as error:
            raise RefusedError(str(error)) from error
        if answer.status_code == UNAVAILABLE:
            raise RefusedError(answer.text)
        if not answer.is_success:
            self._ledger.deny(f"submitting: the API answered {answer.status_code}: {answer.text}")
            raise DeniedError(answer.text)
        job_id: str = answer.json()["id"]
        self._ledger.promise(job_id, order, outcome)
        return job_id

    def look(self, job_id: str) -> None:
        """See how a job stands, unless the service does not answer; its answer must be there once it has succeeded."""
        job = self._read(job_id)
        if job is not None and self._ledger.see(job_id, Sighting.of(job.json())):
            tensor = self._read(f"{job_id}/interactions.npz")
            if tensor is not None and tensor.content != self._ledger.entries[job_id].order.answer:
                self._ledger.deny(f"{job_id} has a wrong answer")

    def tensor(self, job_id: str) -> bytes | None:
        """A succeeded job's tensor; None where the service has none."""
        answer = self._http.get(f"{URL}/{job_id}/interactions.npz")
        return answer.content if answer.is_success else None

    def _read(self, path: str) -> httpx.Response | None:
        """What is at a path, None where the service does not answer or may not say that."""
        try:
            answer = self._http.get(f"{URL}/{path}")
        except httpx.TransportError:
            return None
        if not answer.is_success and answer.status_code != UNAVAILABLE:
            self._ledger.deny(f"{path}: the API answered {answer.status_code}: {answer.text}")
        return answer if answer.is_success else None

    def get(self, path: str) -> httpx.Response:
        """Any other answer."""
        return self._http.get(path)

    def cancel(self, job_id: str) -> httpx.Response:
        """Ask for a job to be canceled."""
        return self._http.post(f"{URL}/{job_id}/cancel")


class Load:
    """A client who always has so many jobs open, whatever happens to the service meanwhile.

    Args:
        client: how it submits.
        ledger: says how many are open.
        jobs: how many are to be acknowledged before it may end.
        in_flight: how many are open at a time.
    """

    def __init__(self, client: Client, ledger: Ledger, *, jobs: int, in_flight: int) -> None:
        self._client = client
        self._ledger = ledger
        self._jobs = jobs
        self._in_flight = in_flight
        self._may_end = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to submit."""
        self._thread.start()

    def finish(self, within_s: float) -> None:
        """Submit what is still missing to all jobs, and no more."""
        self._may_end.set()
        self._thread.join(within_s)
        assert not self._thread.is_alive(), "the service does not take jobs any more"

    def stop(self) -> None:
        """Submit no more."""
        self._ended.set()

    def _run(self) -> None:
        for order in orders():
            while not self._ended.is_set() and len(self._ledger.open) >= self._in_flight:
                self._ended.wait(PAUSE_S)
            while not self._ended.is_set() and not self._is_submitted(order):
                self._ended.wait(RETRY_S)
            is_enough = len(self._ledger.entries) >= self._jobs
            if self._ended.is_set() or (is_enough and self._may_end.is_set()):
                return

    def _is_submitted(self, order: Order) -> bool:
        try:
            self._client.submit(order)
        except (RefusedError, httpx.TransportError):
            return False  # of a broken connection nobody knows: the job may be there, unknown to its client, and again
        except DeniedError:
            pass  # it is in the books, and fails the trial
        return True


class Watch:
    """A client who looks at the jobs again and again, to see them change and never change again.

    Args:
        client: how it does it.
        ledger: what it is interested in.
    """

    def __init__(self, client: Client, ledger: Ledger) -> None:
        self._client = client
        self._ledger = ledger
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join(TIMEOUT_S)

    def _run(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            for job_id in self._ledger.worth_a_look():
                self._client.look(job_id)
