"""CLIP's byte-pair encoding from the vocabulary file that ships inside open_clip.

The package is located but not imported, because importing it imports torch.
"""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from fixlip_core.errors import UnsupportedModelError

__all__ = ["read_clip_bpe"]

_VOCABULARY_FILE = "bpe_simple_vocab_16e6.txt.gz"
_MERGES = 49_152 - 256 - 2
_WORDS = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")
_END_OF_WORD = "</w>"


def read_clip_bpe() -> Tokenizer:
    """The encoding; the marks of beginning and end are the two ids after its last.

    Raises:
        UnsupportedModelError: open_clip's vocabulary is not installed.
    """
    merges = _read_merges()
    # The order is that of Radford et al.'s vocabulary: bytes, bytes that end a word, merged pieces, marks.
    alphabet = _byte_alphabet()
    pieces = [*alphabet, *(piece + _END_OF_WORD for piece in alphabet), *("".join(pair) for pair in merges)]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=_END_OF_WORD))
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_WORDS, behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return backend


def _read_merges() -> list[tuple[str, str]]:
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise UnsupportedModelError("CLIP's vocabulary comes with open_clip_torch, which is not installed")
    lines = gzip.decompress((Path(spec.origin).parent / _VOCABULARY_FILE).read_bytes()).decode().split("\n")
    merges = []
    for line in lines[1 : _MERGES + 1]:
        left, right = line.split()
        merges.append((left, right))
    return merges


def _byte_alphabet() -> list[str]:
    """The printable stand-ins of the 256 bytes, in CLIP's order (printable bytes first, then the others)."""
    ranges = (range(ord("!"), ord("~") + 1), range(ord("¡"), ord("¬") + 1), range(ord("®"), ord("ÿ") + 1))
    printable = [byte for span in ranges for byte in span]
    others = [byte for byte in range(256) if byte not in set(printable)]
    return [chr(byte) for byte in printable] + [chr(256 + k) for k in range(len(others))]
