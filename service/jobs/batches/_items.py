"""A batch's items as they lie in the store: one bundle, page by page, so that nobody reads all of them for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from service.jobs.batches.records import BatchItem
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.bundles import BundleStore

__all__ = ["ITEMS_PER_PAGE", "ItemPages", "pack_items"]

ITEMS_PER_PAGE: Final = 100
_KEPT_PAGES: Final = 16


def pack_items(items: Sequence[BatchItem]) -> Mapping[str, bytes]:
    """The files of a batch's bundle: a line of JSON for each item."""
    pages = (items[start : start + ITEMS_PER_PAGE] for start in range(0, len(items), ITEMS_PER_PAGE))
    return {_name(number): _lines(page) for number, page in enumerate(pages)}


class ItemPages:
    """Reads items from the store, and keeps the pages that were read last. It may be used from several threads."""

    def __init__(self, bundles: BundleStore) -> None:
        self._bundles = bundles
        self._page = lru_cache(_KEPT_PAGES)(self._read)

    def item(self, bundle: Bundle, index: int) -> BatchItem:
        """An item of the batch of this bundle.

        Raises:
            ArtifactNotFoundError: it is not in the store.
            StorageUnavailableError: the store does not answer, or what it gives is damaged.
            ValueError: it is none that this version of the program can read.
        """
        return self._page(bundle, index // ITEMS_PER_PAGE)[index % ITEMS_PER_PAGE]

    def _read(self, bundle: Bundle, number: int) -> list[BatchItem]:
        entry = self._bundles.find(bundle, _name(number))
        lines = self._bundles.read_part(bundle, entry, 0, entry.size_bytes).splitlines()
        return [BatchItem.model_validate_json(line) for line in lines]


def _lines(items: Sequence[BatchItem]) -> bytes:
    return b"".join(item.model_dump_json().encode() + b"\n" for item in items)


def _name(number: int) -> str:
    return f"items/{number:06d}.jsonl"
