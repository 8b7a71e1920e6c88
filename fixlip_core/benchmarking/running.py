"""The benchmark itself: explain every sample by every variant, and judge what comes out."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from fixlip_core.benchmarking.outcomes import Figure, Outcome
from fixlip_core.benchmarking.remembering import remembering
from fixlip_core.benchmarking.variants import Variant
from fixlip_core.datasets import Dataset, Sample, object_regions
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import DatasetError, InputError, UnsupportedModelError
from fixlip_core.evaluation import Evaluation, Score, evaluate, pointing_game
from fixlip_core.explanation import Explanation
from fixlip_core.methods import MethodParameters, get_method

__all__ = ["METRICS", "run_benchmark", "sample_seed"]

METRICS: Final = ("faithfulness", "aid", "confidence")
"""Besides the pointing game, which needs a data set that knows where things are."""


def run_benchmark(
    encoder: DualEncoder,
    dataset: Dataset,
    variants: Sequence[Variant],
    *,
    scenes: int,
    seed: int = 0,
    budget: int | None = None,
    done: Collection[tuple[int, str]] = (),
) -> Iterator[Outcome]:
    """Outcomes of the first samples, as they come: all variants of one sample, then the next.

    Apart from ``seconds`` the same arguments give the same outcomes, whatever was done before. A sample that cannot be
    explained has outcomes that say why.

    Args:
        encoder: the model.
        dataset: the samples.
        variants: what is compared.
        scenes: how many samples; of a smaller data set, all.
        seed: of methods and metrics; every sample has one of its own.
        budget: image passes of methods that have a budget, where the variant does not say.
        done: (sample's number, variant's label) of the outcomes that are there already.
    """
    known = set(done)
    for index in range(scenes if dataset.size is None else min(scenes, dataset.size)):
        missing = [variant for variant in variants if (index, variant.label) not in known]
        if missing:
            yield from _judge_sample(encoder, dataset, index, missing, seed=seed, budget=budget)


def sample_seed(seed: int, index: int) -> int:
    """The seed of a sample's methods and metrics."""
    return int(np.random.default_rng([seed, index]).integers(2**32))


class _Subject:
    """A sample with what all variants share.

    Args:
        encoder: the model.
        sample: the pair.
        seed: of methods and metrics.
    """

    def __init__(self, encoder: DualEncoder, sample: Sample, seed: int) -> None:
        self.encoder, self.sample, self.seed = encoder, sample, seed
        self.memory = remembering(encoder)


def _judge_sample(
    encoder: DualEncoder, dataset: Dataset, index: int, variants: Sequence[Variant], *, seed: int, budget: int | None
) -> Iterator[Outcome]:
    own_seed = sample_seed(seed, index)
    about: dict[str, Any] = {"sample": f"sample {index}", "index": index, "caption": "", "n_objects": 0}
    subject, reason = None, ""
    try:
        sample = dataset.sample(index)
        about |= {"sample": sample.id, "caption": sample.caption, "n_objects": len(sample.objects)}
        subject = _Subject(encoder, sample, own_seed)
    except (DatasetError, InputError) as error:
        reason = str(error)
    for variant in variants:
        parameters = variant.parameters(seed=own_seed, budget=budget)
        about |= {"variant": variant.label, "method": variant.method}
        about |= {"parameters": parameters.model_dump(mode="json")}
        yield _outcome(subject, parameters, about) if subject else Outcome(**about, error=reason)


def _outcome(subject: _Subject, parameters: MethodParameters, about: Mapping[str, Any]) -> Outcome:
    """A variant's explanation, judged; or why there is none, or none that can be judged."""
    encoder, sample = subject.encoder, subject.sample
    started = time.perf_counter()
    try:
        explanation = get_method(about["method"]).run(encoder, sample.image, sample.caption, parameters, None)
        return _judged(subject, explanation, about, seconds=time.perf_counter() - started)
    except (InputError, UnsupportedModelError) as error:
        return Outcome(**about, error=str(error))


def _judged(subject: _Subject, explanation: Explanation, about: Mapping[str, Any], *, seconds: float) -> Outcome:
    sample = subject.sample
    found = evaluate(subject.memory, sample.image, sample.caption, explanation, METRICS, seed=subject.seed)
    figures = [Figure.of(score) for score in found.scores]
    return Outcome(
        **about,
        seconds=seconds,
        image_passes=explanation.image_passes,
        text_passes=explanation.text_passes,
        evaluation_image_passes=found.image_passes,
        evaluation_text_passes=found.text_passes,
        figures=(*figures, *_pointing(subject, explanation)),
        curves=_curves(found),
        flipped=found.curves is not None and found.curves.flipped,
    )


def _pointing(subject: _Subject, explanation: Explanation) -> tuple[Figure, Figure]:
    """The pointing game, and what a map that is the same everywhere would have in it."""
    text_players = str(explanation.provenance.get("text_players") or "token")
    regions = object_regions(subject.encoder, subject.sample, text_players=text_players)
    recognition = uniform = float("nan")
    why = "the model sees none of the objects that the caption names"
    if regions:
        recognition, why = pointing_game(explanation, regions).ratio, "all values are 0"
        uniform = float(np.mean([shares.mean() for shares in regions.values()]))
    return _figure("recognition", recognition, why), _figure("uniform", uniform, why)


def _figure(name: str, value: float, why: str) -> Figure:
    note = why if np.isnan(value) else None
    return Figure.of(Score("pointing", name, value, None, higher_is_better=True, note=note))


def _curves(found: Evaluation) -> dict[str, tuple[float, ...]] | None:
    """The curves' heights; None where they have no value."""
    if found.curves is None or found.curves.full_value == found.curves.empty_value:
        return None
    orders = {"first_order": found.curves.first_order, "second_order": found.curves.second_order}
    return {
        f"{order}_{name}": tuple(heights.tolist())
        for order, curves in orders.items()
        if curves is not None
        for name, heights in (("most_first", curves.most_first), ("least_first", curves.least_first))
    }
