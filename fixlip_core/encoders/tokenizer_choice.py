"""Which tokenizer a model was trained with, by its config, and where that tokenizer's files are."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from fixlip_core.encoders.cleaning import CLEANINGS
from fixlip_core.encoders.tokenizer import CLIP_BPE, TokenizerName
from fixlip_core.encoders.tokenizer_files import COMPANION_FILES, TOKENIZER_FILE
from fixlip_core.errors import TokenizerNotFoundError, UnsupportedModelError

__all__ = ["choose_tokenizer"]

_IRRELEVANT_OPTIONS = {"reduction_mask"}  # how captions that are too long are cut; here they are refused


def choose_tokenizer(text: Mapping[str, Any], *, directory: Path | None = None, given: str | None = None) -> str:
    """The name of a model's tokenizer, as :func:`fixlip_core.encoders.tokenizer.load_tokenizer` knows it.

    Args:
        text: ``text_cfg`` of the model's config.
        directory: the model's local directory, if it has one; its tokenizer is there too.
        given: what to take instead: a name, or the path of a ``tokenizer.json`` or of its directory. Without a
            cleaning in front, that of the config.

    Raises:
        TokenizerNotFoundError: the files are not in the directory, or could not be fetched.
        UnsupportedModelError: the config asks for something that is not known here.
    """
    name = _configured(text)
    if given is not None:
        wanted = TokenizerName.parse(given)
        # Equal to its own parse: nothing was in front.
        name = replace(name, source=given) if wanted.source == given else wanted
    elif name.source != CLIP_BPE:
        name = replace(name, source=str(_find(name.source, directory)))
    if name.source != CLIP_BPE:
        name = replace(name, source=str(_tokenizer_file(Path(name.source))))
    return str(name)


def _configured(text: Mapping[str, Any]) -> TokenizerName:
    """What the config says, a repository's name in the place of the file."""
    options = {key: value for key, value in (text.get("tokenizer_kwargs") or {}).items() if value}
    repository = text.get("hf_tokenizer_name") or CLIP_BPE
    cleaning = options.pop("clean", TokenizerName.parse(repository).cleaning)
    strip_separator = options.pop("strip_sep_token", False)
    unknown = sorted(options.keys() - _IRRELEVANT_OPTIONS)
    if text.get("tokenizer_mode"):
        unknown.append(f"tokenizer_mode={text['tokenizer_mode']}")
    if cleaning not in CLEANINGS:
        unknown.append(f"clean={cleaning}")
    if unknown:
        raise UnsupportedModelError(f"the model's tokenizer has options that are not known here: {', '.join(unknown)}")
    return TokenizerName(source=repository, cleaning=cleaning, strip_separator=bool(strip_separator))


def _find(repository: str, directory: Path | None) -> Path:
    if directory is None:
        return _fetch(repository)
    path = directory / TOKENIZER_FILE
    if not path.is_file():
        raise TokenizerNotFoundError(
            f"{directory} has no {TOKENIZER_FILE}: put that of {repository} there, or name another one"
        )
    return path


def _fetch(repository: str) -> Path:
    """The tokenizer's file from the hub, or from the cache of what came from it; its companions lie beside it."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        path = Path(hf_hub_download(repository, TOKENIZER_FILE))
        for companion in COMPANION_FILES:
            with suppress(EntryNotFoundError):  # not every tokenizer has them, and a cache need not
                hf_hub_download(repository, companion)
    except Exception as error:  # sockets, HTTP statuses, invalid names
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise TokenizerNotFoundError(
            f"the tokenizer {repository!r} could not be fetched; name a local {TOKENIZER_FILE} instead: {reason}"
        ) from error
    return path


def _tokenizer_file(path: Path) -> Path:
    """An absolute path, so that the name means the same in another process."""
    path = path / TOKENIZER_FILE if path.is_dir() else path
    if not path.is_file():
        raise TokenizerNotFoundError(f"the tokenizer {path} is not there")
    return path.absolute()
