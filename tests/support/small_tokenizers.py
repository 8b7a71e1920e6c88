"""Small tokenizers in the form that ``save_pretrained`` writes, trained on a few sentences.

They are framed like those of the model families: T5's for SigLIP, Gemma's for SigLIP-2, BERT's for CLIPA.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

__all__ = ["write_bert_tokenizer", "write_siglip2_tokenizer", "write_siglip_tokenizer"]

CORPUS = (
    "a red circle and a blue square on a white table",
    "two small dogs are playing with a green ball in the park",
    "the photo of a cat next to the window of an old house",
    "three yellow triangles left of a large purple star",
    "Don't you see the naïve café owner's bicycle, 42 years old?",
) * 4
VOCABULARY = 300


def write_siglip_tokenizer(folder: Path) -> Path:
    """Unigram with T5's marks, as SigLIP's: no beginning, end 1, padded with the same. Its ``tokenizer.json``."""
    backend = Tokenizer(models.Unigram())
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    backend.train_from_iterator(CORPUS, trainer)
    backend.post_processor = processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 1)])
    config = {"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>"}
    return _write(folder, backend, config)


def write_siglip2_tokenizer(folder: Path, **config: Any) -> Path:
    """Byte-fallback BPE with Gemma's marks, as SigLIP-2's: no beginning, end 1, padded with 0. Its ``tokenizer.json``.

    The file itself puts a beginning and no end around a text: its companion overrules it, as with Gemma's class.
    """
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    backend = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY + 256,
        special_tokens=[*special, *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    backend.train_from_iterator(CORPUS, trainer)
    backend.post_processor = processors.TemplateProcessing("<bos> $A", "<bos> $A <bos> $B", [("<bos>", 2)])
    framed = {"add_bos_token": False, "add_eos_token": True, "padding_side": "right"}
    pad = {"__type": "AddedToken", "content": "<pad>", "special": True}
    marks = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": pad}
    return _write(folder, backend, {"tokenizer_class": "GemmaTokenizer", **framed, **marks, **config})


def write_bert_tokenizer(folder: Path) -> Path:
    """WordPiece with BERT's marks, [CLS] before and [SEP] after, padded with 0. Its ``tokenizer.json``."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    backend = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
    backend.train_from_iterator(CORPUS, trainer)
    backend.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 2), ("[SEP]", 3)]
    )
    path = _write(folder, backend, {"tokenizer_class": "BertTokenizer"})
    marks = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    (folder / "special_tokens_map.json").write_text(json.dumps(marks), encoding="utf-8")
    return path


def _write(folder: Path, backend: Tokenizer, config: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.json"
    backend.save(str(path))
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return path
