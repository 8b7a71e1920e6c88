"""Where a model's weights come from: open_clip's names, hub ids, local directories and checkpoint files.

Nothing here ever gives random weights: what is not there raises an error that says what was looked for.
"""

from __future__ import annotations

import difflib
import hashlib
import textwrap
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from fixlip_core.errors import UnknownModelError, WeightsDigestError, WeightsNotFoundError

__all__ = [
    "CHECKPOINT_SUFFIXES",
    "DEMO",
    "HUB",
    "ModelSource",
    "check_digest",
    "demo_directory",
    "is_published",
    "resolve_source",
    "weights_errors",
]

DEMO: Final = "demo"
HUB: Final = "hf-hub:"
_LOCAL = "local-dir:"
_CONFIG_FILE = "open_clip_config.json"
_REASON_CHARACTERS = 240
CHECKPOINT_SUFFIXES: Final = (".safetensors", ".bin", ".pt", ".pth")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model comes from, as open_clip's loader takes it.

    Attributes:
        name: architecture, or the place of config and weights.
        pretrained: pretrained tag or checkpoint file of an architecture.
        quick_gelu: whether the weights were trained with the quick GELU.
    """

    name: str
    pretrained: str | None = None
    quick_gelu: bool = False

    @property
    def directory(self) -> Path | None:
        """The local directory that config and weights are in, if they are."""
        return Path(self.name.removeprefix(_LOCAL)) if self.name.startswith(_LOCAL) else None


def demo_directory() -> Path:
    """Directory of the demo encoder that ships with the package."""
    return Path(str(resources.files("fixlip_core.demo"))) / "encoder"


def resolve_source(name: str, library: Any) -> ModelSource:
    """What ``name`` stands for; see :func:`fixlip_core.encoders.loading.load_encoder`.

    Args:
        name: the model's name.
        library: the open_clip module.

    Raises:
        UnknownModelError: there is no such architecture, or the name has no weights in it.
        WeightsNotFoundError: there is no such tag, file or directory.
    """
    if name == DEMO:
        return _local(demo_directory())
    if name.startswith(HUB):
        return ModelSource(name)
    if name.startswith(_LOCAL) or Path(name).is_dir():
        return _local(Path(name.removeprefix(_LOCAL)))
    architecture, _, weights = name.partition("/")
    known = library.list_models()
    if architecture not in known:
        close = difflib.get_close_matches(architecture, known, n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise UnknownModelError(
            f"model {name!r} is unknown: it is neither 'demo', an open_clip architecture with a pretrained tag "
            f"('ViT-B-32/openai'), 'hf-hub:OWNER/NAME' nor a directory{hint}"
        )
    tags = library.list_pretrained_tags_by_model(architecture)
    if not weights:
        raise UnknownModelError(
            f"model {name!r} names no weights: write '{architecture}/TAG' with one of {', '.join(tags) or 'no tags'}, "
            f"or '{architecture}/PATH' with a checkpoint file"
        )
    config = library.get_pretrained_cfg(architecture, weights)
    if not config and not Path(weights).is_file():
        raise WeightsNotFoundError(
            f"weights {weights!r} of {architecture} are neither a file nor a pretrained tag; "
            f"tags: {', '.join(tags) or 'none'}"
        )
    # open_clip only warns when a tag was trained with the quick GELU and the architecture's file does not say so.
    return ModelSource(architecture, weights, quick_gelu=bool(config and config.get("quick_gelu")))


def is_published(name: str) -> bool:
    """Whether ``name`` is an open_clip architecture with one of its pretrained tags, and no file's or hub's."""
    from fixlip_core.encoders._open_clip import open_clip

    library = open_clip()
    architecture, _, tag = name.partition("/")
    return architecture in library.list_models() and tag in library.list_pretrained_tags_by_model(architecture)


def check_digest(source: ModelSource, library: Any, sha256: str) -> None:
    """Compare the checkpoint file, fetched if need be, with its digest.

    Args:
        source: where the weights are.
        library: the open_clip module.
        sha256: 64 hex digits.

    Raises:
        WeightsDigestError: the file is another one.
    """
    path = _checkpoint(source, library)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256.lower():
        raise WeightsDigestError(f"the sha256 of {path} is {found}, not {sha256.lower()}")


@contextmanager
def weights_errors(name: str) -> Iterator[None]:
    """Whatever open_clip, the hub client or torch raises while weights are fetched and read, as one error.

    Raises:
        WeightsNotFoundError: in the place of any other error.
    """
    try:
        yield
    except WeightsNotFoundError:
        raise
    except Exception as error:  # their kinds are many: sockets, pickles, JSON, headers, shapes
        reason = textwrap.shorten(str(error), _REASON_CHARACTERS) or type(error).__name__
        fault = "do not fit the architecture" if _were_read(error) else "could not be loaded"
        raise WeightsNotFoundError(f"the weights of {name!r} {fault}: {reason}") from error


def _were_read(error: Exception) -> bool:
    """Whether open_clip had the tensors in hand and was fitting them to the model; the kinds of error do not say."""
    factory = {
        frame.f_code.co_name
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__") == "open_clip.factory"
    }
    return "load_checkpoint" in factory and "load_state_dict" not in factory


def _local(directory: Path) -> ModelSource:
    if not (directory / _CONFIG_FILE).is_file():
        raise WeightsNotFoundError(f"{directory} is not a model directory: it has no {_CONFIG_FILE}")
    if not any(path.suffix in CHECKPOINT_SUFFIXES for path in directory.iterdir()):
        raise WeightsNotFoundError(f"{directory} has no weights: a file ending in {', '.join(CHECKPOINT_SUFFIXES)}")
    return ModelSource(_LOCAL + str(directory))


def _checkpoint(source: ModelSource, library: Any) -> Path:
    """The file that open_clip's loader will read."""
    if source.directory is not None:
        return Path(library.factory._find_checkpoint_in_dir(source.directory))
    if source.pretrained is None:
        return Path(library.pretrained.download_pretrained_from_hf(source.name.removeprefix(HUB)))
    if config := library.get_pretrained_cfg(source.name, source.pretrained):
        return Path(library.pretrained.download_pretrained(config))
    return Path(source.pretrained)
