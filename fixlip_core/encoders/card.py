"""What a loaded model says of itself: enough for a service to check requests without loading it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from fixlip_core.errors import FormatError

__all__ = ["ModelCard"]

_REVISION_DIGITS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model's identity and limits.

    Attributes:
        id: name by which it was loaded, e.g. ``demo`` or ``ViT-B-32/openai``, or its id in the operator's models file.
        weights_sha256: digest of every weight as it is used, in the card's precision, by name; 64 hex digits.
        family: ``clip``, ``siglip`` (trained with a sigmoid, so the logit has a bias) or ``coca``.
        embed_dim: D, length of the embeddings.
        grid: (rows, columns) of patches.
        image_size_px: (height, width) of the picture the model sees.
        context_length: positions of the text tower, marks among them.
        n_marks: positions that no content token can take: CLIP's BOS and EOS, SigLIP's EOS.
        tokenizer: name of the tokenizer, as :func:`fixlip_core.encoders.tokenizer.load_tokenizer` knows it.
        attention: whether both towers are transformers that methods which need attention or gradients can read.
        logit_scale: t in v = t cos + b.
        logit_bias: b in v = t cos + b.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        device: ``cpu`` or ``cuda`` with an index.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    weights_sha256: str
    family: str
    embed_dim: int
    grid: tuple[int, int]
    image_size_px: tuple[int, int]
    context_length: int
    n_marks: int
    tokenizer: str
    attention: bool
    logit_scale: float
    logit_bias: float
    precision: str
    device: str

    @property
    def revision(self) -> str:
        """The weights in brief: ``sha256:`` and the first 16 hex digits of their digest."""
        return f"sha256:{self.weights_sha256[:_REVISION_DIGITS]}"

    @property
    def max_tokens(self) -> int:
        """Longest caption in content tokens."""
        return self.context_length - self.n_marks

    def to_dict(self) -> dict[str, Any]:
        """The card as JSON values."""
        return {**asdict(self), "grid": list(self.grid), "image_size_px": list(self.image_size_px)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ModelCard:
        """The card that :meth:`to_dict` gave.

        Raises:
            FormatError: a field is missing or of another kind, or there is one that no card has.
        """
        try:
            return _CARD.validate_python(data)
        except ValidationError as error:
            (first, *_) = error.errors(include_url=False, include_input=False)
            field = ".".join(map(str, first["loc"])) or "it"
            raise FormatError(f"not a model card: {field}: {first['msg']}") from error


_CARD: Final = TypeAdapter(ModelCard)
