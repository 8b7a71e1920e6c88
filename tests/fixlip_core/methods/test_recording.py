"""An attention that records changes nothing, but for the variant with one head."""

from __future__ import annotations

import torch

from fixlip_core.encoders.blocks import explicit
from fixlip_core.methods.recording import Recorder, record, rows_of_readout, similarity, units_among
from fixlip_core.methods.sides import Side
from tests.fixlip_core.methods.pairs import CAPTION, Subject, noise_image


def parts(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    query, key, value = (torch.randn(1, 2, 5, 3, generator=generator) for _ in range(3))
    return query, key, value


def test_recorder_attends_as_the_model_does() -> None:
    recorder, mask = Recorder(), torch.ones(5, 5, dtype=torch.bool).tril()
    for seed in (0, 1):
        torch.testing.assert_close(recorder(*parts(seed), mask), explicit(*parts(seed), mask))
    first, second = recorder.calls
    torch.testing.assert_close(first.weights.sum(dim=-1), torch.ones(1, 2, 5))
    assert not first.weights.triu(1).any()
    torch.testing.assert_close(second.attended, second.weights @ second.value)


def test_single_head_is_as_wide_as_all() -> None:
    recorder, (query, key, value) = Recorder(single_head=True), parts()
    attended = recorder(query, key, value, None)
    wide = [x.transpose(1, 2).flatten(2) for x in (query, key, value)]
    weights = (wide[0] @ wide[1].transpose(1, 2) * 6**-0.5).softmax(dim=-1)
    torch.testing.assert_close(attended.transpose(1, 2).flatten(2), weights @ wide[2])
    assert recorder.calls[0].attended.shape == query.shape


def test_similarity_is_the_cosine_whatever_the_length() -> None:
    target = torch.tensor([[0.6, 0.8]])
    torch.testing.assert_close(similarity(torch.tensor([[3.0, 4.0], [-8.0, 6.0]]), target), torch.tensor([1.0, 0.0]))


def test_rows_of_readout() -> None:
    x = torch.arange(12.0).reshape(1, 4, 3)
    assert rows_of_readout(x, 2).tolist() == [[[6, 7, 8]]]
    assert rows_of_readout(x, None).shape == (1, 4, 3)
    assert rows_of_readout(x[:, :1], 2).tolist() == [[[0, 1, 2]]]


def test_units_among_keys_without_the_class_token(clip: Subject) -> None:
    side = image_side(clip)
    assert units_among(side, 17) == list(range(1, 17))
    assert units_among(side, 16) == list(range(16))


def test_record_gives_the_cosine_and_every_attention_on_the_way(clip: Subject) -> None:
    side, target = image_side(clip), clip.embeddings(noise_image(), CAPTION)[1]
    for start in (0, 2):
        cosine, calls = record(side, target, start=start)
        torch.testing.assert_close(cosine, (side.embedding() * target).sum(), atol=1e-6, rtol=1e-4)
        # The last block is asked for the pooled position alone.
        assert [call.weights.shape[-2] for call in calls] == [17] * (2 - start) + [1]
        assert all(gradient.any() for gradient in torch.autograd.grad(cosine, [call.weights for call in calls]))


def image_side(clip: Subject) -> Side:
    with torch.no_grad():
        return Side.of_image(clip.encoder.image_tower, clip.encoder.view(noise_image()), 16)
