"""The models file: what it may say, what is refused, and with which line."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.sources import demo_directory
from tests.support.small_models import small_siglip, write_model
from tests.support.small_tokenizers import write_siglip_tokenizer
from worker.models_file import ModelEntry, ModelsFileError, load_model, read_models_file

ROOT = Path(__file__).parents[2]
DIGEST = "0" * 64
WEIGHTS = "open_clip_model.safetensors"


def write(folder: Path, text: str) -> Path:
    path = folder / "models.toml"
    path.write_text(text, encoding="utf-8")
    return path


def load(path: Path, id_: str) -> Any:
    return load_model(read_models_file(path)[id_], file=path, device="cpu", precision="fp32")


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class TestReading:
    def test_paths_are_relative_to_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(
            tmp_path,
            f"""
            [[model]]
            id = "b"
            architecture = "ViT-B-16-SigLIP"
            weights = "weights.safetensors"
            sha256 = "{DIGEST}"
            tokenizer = "canonicalize:tokenizers/b/tokenizer.json"
            [[model]]
            id = "a"
            weights = "./a"
            sha256 = "{DIGEST}"
            tokenizer = "/elsewhere/tokenizer.json"
            grid = [4, 2]
            [[model]]
            id = "tag"
            architecture = "ViT-B-32"
            weights = "openai"
            tokenizer = "clip-bpe"
            """,
        )
        monkeypatch.chdir(tmp_path.parent)
        entries = read_models_file(Path(tmp_path.name) / "models.toml")
        assert list(entries) == ["b", "a", "tag"]
        assert entries["b"].name == f"ViT-B-16-SigLIP/{tmp_path}/weights.safetensors"
        assert entries["b"].tokenizer == f"canonicalize:{tmp_path}/tokenizers/b/tokenizer.json"
        assert entries["a"].name == f"{tmp_path}/a"
        assert entries["a"].tokenizer == "/elsewhere/tokenizer.json"
        assert entries["a"].grid == (4, 2)
        assert (entries["tag"].name, entries["tag"].tokenizer) == ("ViT-B-32/openai", "clip-bpe")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "model: Field required"),
            ("model = []", "model: List should have at least 1 item"),
            ("x = 1\n[[model]]\nid = 'a'\nweights = 'demo'", "x: there is no such key"),
            ("[[model]]\nid = 'a'\nweights = 'demo'\nprecison = 'bf16'", "model 'a', precison: there is no such key"),
            ("[[model]]\nid = 'a'", "model 'a', weights: Field required"),
            ("[[model]]\nweights = 'demo'", "model number 1, id: Field required"),
            ("model = ['a']", "model number 1, Input should be"),
            ("[[model]]\nid = 'a b'\nweights = 'demo'", "model 'a b', id: String should match"),
            ("[[model]]\nid = 'a'\nweights = 'openai'", "model 'a', architecture: required"),
            ("[[model]]\nid = 'a'\nweights = 'a.pt'\nsha256 = '" + DIGEST + "'", "model 'a', architecture: required"),
            ("[[model]]\nid = 'a'\nweights = 'hf-hub:o/n'\narchitecture = 'B'", "model 'a', architecture: hf-hub:o/n"),
            ("[[model]]\nid = 'a'\nweights = './a'", "model 'a', sha256: required"),
            ("[[model]]\nid = 'a'\nweights = './a'\nsha256 = 'ab'", "model 'a', sha256: String should match"),
            ("[[model]]\nid = 'a'\nweights = 'demo'\nprecision = 'fp8'", "model 'a', precision: Input should be"),
            ("[[model]]\nid = 'a'\nweights = 'demo'\ndevice = 'gpu'", "model 'a', device: String should match"),
            ("[[model]]\nid = 'a'\nweights = 'demo'\ngrid = [7]", "model 'a', grid: "),
            ("[[model]]\nid = 'a'\nweights = 'demo'\ngrid = [0, 7]", "model 'a', grid: "),
            ("[[model]]\nid = 'a'\nweights = 'demo'\n" * 2, "model 'a', id: there are two of that id"),
            ("[[model]\n", "cannot be read: "),
        ],
    )
    def test_what_cannot_be_is_one_line_with_file_id_and_key(self, tmp_path: Path, text: str, says: str) -> None:
        path = write(tmp_path, text)
        with pytest.raises(ModelsFileError) as caught:
            read_models_file(path)
        assert str(caught.value).startswith(f"{path}: {says}")
        assert "\n" not in str(caught.value)

    def test_every_fault_is_named(self, tmp_path: Path) -> None:
        path = write(tmp_path, "[[model]]\nid = 'a'\nprecision = 'fp8'\n[[model]]\nid = 'b'\nweights = 'openai'")
        with pytest.raises(
            ModelsFileError, match=r"'a', weights: .*; model 'a', precision: .*; model 'b', architecture"
        ):
            read_models_file(path)

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ModelsFileError, match=r"models\.toml: cannot be read: No such file"):
            read_models_file(tmp_path / "models.toml")

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        (tmp_path / "models.toml").write_bytes(b"\xff\xfe")
        with pytest.raises(ModelsFileError, match="cannot be read"):
            read_models_file(tmp_path / "models.toml")


class TestLoading:
    def test_a_directory_under_an_id(self, tmp_path: Path) -> None:
        folder = write_model(tmp_path / "siglip", small_siglip())
        tokenizer = write_siglip_tokenizer(tmp_path / "tokenizer")
        path = write(
            tmp_path,
            f"""
            [[model]]
            id = "house"
            weights = "./siglip"
            sha256 = "{digest_of(folder / WEIGHTS)}"
            tokenizer = "tokenizer"
            precision = "bf16"
            """,
        )
        card = load(path, "house").card
        assert (card.id, card.family, card.precision, card.device) == ("house", "siglip", "bf16", "cpu")
        assert card.tokenizer == f"canonicalize:{tokenizer}"

    @pytest.mark.parametrize(
        ("keys", "key", "says"),
        [
            ("architecture = 'ViT-B-23'\nweights = 'openai'", "architecture", "did you mean"),
            ("architecture = 'ViT-B-32'\nweights = 'opnai'", "weights", "tags: openai"),
            (f"weights = './nowhere'\nsha256 = '{DIGEST}'", "weights", "nowhere is not there"),
            (f"weights = './model'\nsha256 = '{DIGEST}'", "sha256", "the sha256 of"),
            ("weights = './model'\nsha256 = 'RIGHT'\ntokenizer = 'nowhere'", "tokenizer", "nowhere is not there"),
            ("weights = 'demo'\nprecision = 'fp16'", "precision", "needs a GPU"),
            ("weights = 'demo'\ngrid = [7, 7]", "grid", "patches of its own"),
        ],
    )
    def test_what_cannot_be_loaded_is_one_line_with_file_id_and_key(
        self, tmp_path: Path, keys: str, key: str, says: str
    ) -> None:
        shutil.copytree(demo_directory(), tmp_path / "model")
        right = digest_of(tmp_path / "model" / WEIGHTS)
        path = write(tmp_path, f"[[model]]\nid = 'house'\n{keys}".replace("RIGHT", right))
        with pytest.raises(ModelsFileError) as caught:
            load(path, "house")
        assert str(caught.value).startswith(f"{path}: model 'house', {key}: ")
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_truncated_file_is_refused_by_its_digest(self, tmp_path: Path) -> None:
        shutil.copytree(demo_directory(), tmp_path / "model")
        weights = tmp_path / "model" / WEIGHTS
        path = write(tmp_path, f"[[model]]\nid = 'house'\nweights = './model'\nsha256 = '{digest_of(weights)}'")
        assert load(path, "house").card.id == "house"
        weights.write_bytes(weights.read_bytes()[:-1])
        with pytest.raises(ModelsFileError, match="'house', sha256: "):
            load(path, "house")

    def test_a_damaged_file_with_its_own_digest_is_refused_all_the_same(self, tmp_path: Path) -> None:
        shutil.copytree(demo_directory(), tmp_path / "model")
        weights = tmp_path / "model" / WEIGHTS
        weights.write_bytes(weights.read_bytes()[:-1])
        path = write(tmp_path, f"[[model]]\nid = 'house'\nweights = './model'\nsha256 = '{digest_of(weights)}'")
        with pytest.raises(ModelsFileError, match=r"'house', weights: the weights of .* could not be loaded"):
            load(path, "house")


class TestExample:
    PATH = ROOT / "models.example.toml"

    def test_is_a_models_file_of_models_that_exist(self) -> None:
        entries = read_models_file(self.PATH)
        library = open_clip()
        for entry in entries.values():
            assert entry.architecture is None or entry.architecture in library.list_models()
            if entry.architecture is not None and not entry.is_path:
                assert library.get_pretrained_cfg(entry.architecture, entry.weights)
        assert {entry.is_path for entry in entries.values()} == {True, False}

    def test_shows_every_key(self) -> None:
        assert set(re.findall(r"^(\w+) =", self.PATH.read_text(encoding="utf-8"), flags=re.MULTILINE)) == set(
            ModelEntry.model_fields
        )

    def test_its_first_model_loads(self) -> None:
        assert load(self.PATH, "demo").card.grid == (8, 8)
