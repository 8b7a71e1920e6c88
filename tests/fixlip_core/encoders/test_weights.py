from __future__ import annotations

import torch
from torch import nn

import fixlip_core
from fixlip_core.encoders.weights import weights_bytes_of


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8, bias=False)
        self.again = self.first
        self.register_buffer("counts", torch.zeros(3, dtype=torch.int64))


def test_parameters_and_buffers_count_once() -> None:
    assert weights_bytes_of(Tied()) == 4 * 8 * 4 + 3 * 8


def test_encoders_know_their_model() -> None:
    encoder = fixlip_core.load_encoder("demo")
    assert encoder.weights_bytes > 1_000_000
