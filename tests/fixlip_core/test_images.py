from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixlip_core.errors import InvalidImageError
from fixlip_core.images import FORMATS, decode_image, to_rgb, upright_size


def encode(image: Image.Image, format_: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def raw_png(width: int, height: int, *, depth: int, color_type: int, rows: bytes) -> bytes:
    """A PNG of any depth, Pillow's writer being limited to few."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.fixture(scope="module")
def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8))


def code_of(data: bytes, **limits: int) -> str:
    with pytest.raises(InvalidImageError) as error:
        decode_image(data, **limits)
    assert error.value.field == "image"
    return error.value.code


class TestDecodeImage:
    @pytest.mark.parametrize("format_", ["PNG", "BMP", "TIFF"])
    def test_lossless_formats_give_the_very_pixels(self, noise: Image.Image, format_: str) -> None:
        assert decode_image(encode(noise, format_)).tobytes() == noise.tobytes()

    @pytest.mark.parametrize("format_", FORMATS)
    def test_every_format_gives_the_picture(self, format_: str) -> None:
        picture = Image.new("RGB", (40, 56), (200, 30, 60))
        decoded = decode_image(encode(picture, format_))

        assert (decoded.mode, decoded.size) == ("RGB", (40, 56))
        assert np.abs(np.asarray(decoded).astype(int) - np.asarray(picture)).max() <= 3

    @pytest.mark.parametrize("data", [b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"\0" * 999])
    def test_what_is_no_image_is_refused(self, data: bytes) -> None:
        assert code_of(data) == "image_undecodable"

    @pytest.mark.parametrize("format_", ["PPM", "TGA", "ICO", "EPS", "PDF"])
    def test_other_formats_are_refused_though_pillow_knows_them(self, noise: Image.Image, format_: str) -> None:
        assert code_of(encode(noise, format_)) == "image_undecodable"

    @pytest.mark.parametrize("format_", FORMATS)
    def test_a_truncated_file_is_refused_wherever_it_ends(self, noise: Image.Image, format_: str) -> None:
        data = encode(noise, format_)
        codes = {code_of(data[:length]) for length in range(1, len(data) * 9 // 10, max(1, len(data) // 60))}

        assert codes <= {"image_truncated", "image_undecodable"}
        assert code_of(data[: len(data) // 2]) == ("image_undecodable" if format_ == "WEBP" else "image_truncated")

    @pytest.mark.parametrize("format_", FORMATS)
    def test_a_damaged_file_gives_a_picture_or_the_one_error(self, noise: Image.Image, format_: str) -> None:
        rng = np.random.default_rng(1)
        data = encode(noise, format_)
        outcomes = []
        for _ in range(100):
            damaged = bytearray(data)
            for place in rng.integers(0, min(len(data), 300), 3):
                damaged[place] = rng.integers(0, 256)
            try:
                outcomes.append(decode_image(bytes(damaged), max_pixels=1_000_000).mode)
            except InvalidImageError as error:
                outcomes.append(error.code)
        assert set(outcomes) <= {
            *("RGB", "image_undecodable", "image_truncated", "image_too_many_pixels"),
            *("image_mode_unsupported", "image_empty"),
        }

    def test_no_bytes_are_refused(self) -> None:
        assert code_of(b"") == "image_empty"

    def test_no_pixels_are_refused(self) -> None:
        assert code_of(raw_png(0, 5, depth=8, color_type=2, rows=b"")) == "image_undecodable"

    def test_the_limit_of_bytes_is_the_last_that_passes(self, noise: Image.Image) -> None:
        data = encode(noise)

        assert decode_image(data, max_bytes=len(data)).size == noise.size
        assert code_of(data, max_bytes=len(data) - 1) == "image_too_large"

    def test_the_limit_of_pixels_is_the_last_that_passes(self, noise: Image.Image) -> None:
        data = encode(noise)

        assert decode_image(data, max_pixels=40 * 56).size == noise.size
        assert code_of(data, max_pixels=40 * 56 - 1) == "image_too_many_pixels"

    @pytest.mark.parametrize("side", [8_001, 10_000, 20_000, 65_000])
    def test_a_bomb_is_refused_by_its_header(self, side: int) -> None:
        bomb = raw_png(side, side, depth=8, color_type=2, rows=bytes(1000))
        tracemalloc.start()
        try:
            assert code_of(bomb) == "image_too_many_pixels"
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG", "TIFF"])
    def test_of_an_animation_the_first_frame_is_taken(self, format_: str) -> None:
        frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
        options = {"lossless": True} if format_ == "WEBP" else {}
        data = encode(frames[0], format_, save_all=True, append_images=frames[1:], **options)

        assert decode_image(data).getpixel((4, 4)) == (255, 0, 0)

    @pytest.mark.parametrize(
        ("color_type", "samples", "expected"),
        [
            (0, (0x80FF,), (128, 128, 128)),
            (0, (0xFFFF,), (255, 255, 255)),
            (0, (0x01FF,), (1, 1, 1)),
            (2, (0x80FF, 0x0100, 0xFFFF), (128, 1, 255)),
            (4, (0x80FF, 0xFFFF), (128, 128, 128)),
            (6, (0x80FF, 0x0100, 0xFFFF, 0xFFFF), (128, 1, 255)),
        ],
    )
    def test_16_bits_are_scaled_to_8_not_clipped(
        self, color_type: int, samples: tuple[int, ...], expected: tuple[int, int, int]
    ) -> None:
        data = raw_png(1, 1, depth=16, color_type=color_type, rows=struct.pack(f">x{len(samples)}H", *samples))

        assert decode_image(data).getpixel((0, 0)) == expected

    @pytest.mark.parametrize("mode", ["I;16", "I;16B"])
    def test_16_bit_tiffs_of_either_byte_order_are_scaled(self, mode: str) -> None:
        order = ">" if mode.endswith("B") else "<"
        image = Image.frombytes(mode, (2, 1), struct.pack(f"{order}2H", 0x80FF, 0xFFFF))

        assert [to_rgb(image).getpixel((x, 0)) for x in (0, 1)] == [(128,) * 3, (255,) * 3]

    @pytest.mark.parametrize("format_", ["JPEG", "TIFF"])
    def test_cmyk_is_converted(self, format_: str) -> None:
        decoded = decode_image(encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), format_))

        assert np.abs(np.asarray(decoded).astype(int) - (255, 0, 0)).max() <= 3

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_the_exif_orientation_is_applied_and_dropped(self, noise: Image.Image, orientation: int) -> None:
        stored = {
            2: Image.Transpose.FLIP_LEFT_RIGHT,
            3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_90,
            7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270,
        }
        turned = noise.transpose(stored[orientation]) if orientation > 1 else noise
        exif = Image.Exif()
        exif[0x0112] = orientation

        decoded = decode_image(encode(turned, exif=exif))

        assert decoded.tobytes() == noise.tobytes()
        assert decoded.info == {}
        assert dict(decoded.getexif()) == {}

    def test_damaged_exif_does_not_matter(self, noise: Image.Image) -> None:
        data = encode(noise, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage")

        assert decode_image(data).tobytes() == noise.tobytes()


class TestUprightSize:
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_it_is_that_of_the_plain_picture(self, noise: Image.Image, orientation: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        opened = Image.open(io.BytesIO(encode(noise, exif=exif)))
        assert upright_size(opened) == to_rgb(opened).size
        assert upright_size(np.asarray(noise)) == noise.size

    def test_damaged_exif_does_not_matter(self, noise: Image.Image) -> None:
        opened = Image.open(io.BytesIO(encode(noise, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage")))
        assert upright_size(opened) == noise.size

    @pytest.mark.parametrize(
        "image", ["picture.png", np.zeros((4, 4)), np.zeros((0, 4, 3), np.uint8), Image.new("L", (0, 4))]
    )
    def test_what_is_no_picture_is_refused(self, image: Any) -> None:
        with pytest.raises(InvalidImageError):
            upright_size(image)


class TestToRgb:
    @pytest.mark.parametrize(
        ("image", "expected"),
        [
            (Image.new("L", (2, 2), 77), (77, 77, 77)),
            (Image.new("1", (2, 2), 1), (255, 255, 255)),
            (Image.new("P", (2, 2), 0), (0, 0, 0)),
            (Image.new("LA", (2, 2), (0, 0)), (255, 255, 255)),
            (Image.new("LA", (2, 2), (77, 255)), (77, 77, 77)),
            (Image.new("RGBA", (2, 2), (255, 0, 0, 0)), (255, 255, 255)),
            (Image.new("RGBA", (2, 2), (255, 0, 0, 51)), (255, 204, 204)),
            (Image.new("PA", (2, 2)), (255, 255, 255)),
            (Image.new("YCbCr", (2, 2), (128, 128, 128)), (128, 128, 128)),
        ],
        ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
    )
    def test_every_mode_becomes_rgb_on_white(self, image: Image.Image, expected: tuple[int, int, int]) -> None:
        rgb = to_rgb(image)

        assert (rgb.mode, rgb.getpixel((1, 1))) == ("RGB", expected)

    def test_a_transparent_palette_entry_lies_on_white(self) -> None:
        gif = encode(Image.new("P", (2, 2), 0), "GIF", transparency=0)

        assert decode_image(gif).getpixel((0, 0)) == (255, 255, 255)

    def test_an_array_is_taken_as_it_is(self, noise: Image.Image) -> None:
        array = np.asarray(noise)

        assert np.array_equal(np.asarray(to_rgb(array)), array)
        assert np.array_equal(np.asarray(to_rgb(array[:, ::-1])), array[:, ::-1])

    def test_the_callers_image_is_left_alone(self) -> None:
        image = Image.new("RGB", (2, 2))
        image.info["icc_profile"] = b"x"

        rgb = to_rgb(image)
        rgb.putpixel((0, 0), (1, 2, 3))

        assert (image.info, image.getpixel((0, 0))) == ({"icc_profile": b"x"}, (0, 0, 0))
        assert rgb.info == {}

    @pytest.mark.parametrize(
        ("image", "code"),
        [
            (Image.new("F", (2, 2)), "image_mode_unsupported"),
            (Image.new("I", (2, 2)), "image_mode_unsupported"),
            (Image.new("RGB", (0, 2)), "image_empty"),
            (np.zeros((0, 2, 3), np.uint8), "image_empty"),
            (np.zeros((2, 2, 3)), "invalid_image"),
            (np.zeros((2, 2), np.uint8), "invalid_image"),
            (np.zeros((2, 2, 4), np.uint8), "invalid_image"),
            ("scene.png", "invalid_image"),
            (None, "invalid_image"),
        ],
    )
    def test_what_cannot_be_used_is_refused(self, image: Any, code: str) -> None:
        with pytest.raises(InvalidImageError) as error:
            to_rgb(image)
        assert error.value.code == code

    def test_a_file_that_ends_early_is_found_out_when_it_is_used(self, noise: Image.Image) -> None:
        lazy = Image.open(io.BytesIO(encode(noise)[:500]))

        with pytest.raises(InvalidImageError) as error:
            to_rgb(lazy)
        assert error.value.code == "image_truncated"
