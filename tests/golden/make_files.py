#!/usr/bin/env python3
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Writes, beside itself, files of other libraries that the tests of io/ and data/ read: numbers.safetensors with one
tensor of each type, arrays of NumPy, and images.

    python3 -m venv build/files && build/files/bin/pip install numpy safetensors==0.8.0 pillow
    build/files/bin/python tests/golden/make_files.py
"""
import pathlib

import numpy as np
import safetensors
from PIL import Image

HERE = pathlib.Path(__file__).parent

# What the tests expect: -2 ... 3 as far as the type has them, a fraction and a large number for floats.
SIGNED = np.array([[-2, -1, 0], [1, 2, 3]])
UNSIGNED = np.array([[0, 1, 2], [3, 4, 200]])
FLOATS = np.array([[-2.0, -0.5, 0.0], [1.0, 1.5, 192.0]])

TYPES = {"BOOL": ("bool", (UNSIGNED % 2).astype(np.bool_)),
         "U8": ("uint8", UNSIGNED.astype(np.uint8)), "I8": ("int8", SIGNED.astype(np.int8)),
         "U16": ("uint16", UNSIGNED.astype(np.uint16)), "I16": ("int16", SIGNED.astype(np.int16)),
         "U32": ("uint32", UNSIGNED.astype(np.uint32)), "I32": ("int32", SIGNED.astype(np.int32)),
         "U64": ("uint64", UNSIGNED.astype(np.uint64)), "I64": ("int64", SIGNED.astype(np.int64)),
         "F16": ("float16", FLOATS.astype(np.float16)), "F32": ("float32", FLOATS.astype(np.float32)),
         "F64": ("float64", FLOATS.astype(np.float64)),
         "BF16": ("bfloat16", (FLOATS.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)),
         "F8_E5M2": ("float8_e5m2", (FLOATS.astype(np.float16).view(np.uint16) >> 8).astype(np.uint8)),
         "F8_E4M3": ("float8_e4m3fn", np.array([[0xC0, 0xB0, 0x00], [0x38, 0x3C, 0x74]], np.uint8))}


def main():
    arrays = dict(TYPES)
    arrays["scalar"] = ("float32", np.array(7.5, np.float32))
    arrays["nothing"] = ("float32", np.zeros((0, 4), np.float32))
    tensors = {name: safetensors.TensorSpec(dtype=dtype, shape=array.shape, data_ptr=array.ctypes.data,
                                            data_len=array.nbytes) for name, (dtype, array) in arrays.items()}
    (HERE / "numbers.safetensors").write_bytes(bytes(safetensors.serialize(tensors, {"made by": "Python"})))

    np.save(HERE / "f4.npy", FLOATS.astype("<f4"))
    np.save(HERE / "f8_fortran_big_endian.npy", np.asfortranarray(np.arange(24.0).reshape(2, 3, 4).astype(">f8")))
    np.save(HERE / "i2_scalar.npy", np.int16(-7))
    np.save(HERE / "b1.npy", (UNSIGNED % 2).astype(np.bool_))
    for version in ((1, 0), (2, 0), (3, 0)):
        with open(HERE / f"u4_version_{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, UNSIGNED.astype("<u4"), version=version)
    save_images()


def save_images():
    """12 rows of 20 pixels: red rises to the right, green downwards, blue falls to the right. The JPEG is within a few
    steps of it; the PNG is it. Another PNG has 16 colours in a palette, in blocks of 3 by 5."""
    y, x = np.mgrid[0:12, 0:20]
    colours = np.stack([12 * x, 20 * y, 240 - 12 * x], axis=-1).astype(np.uint8)
    Image.fromarray(colours).save(HERE / "colours.jpg", quality=98, subsampling=0)
    Image.fromarray(colours).save(HERE / "colours_progressive.jpg", quality=98, subsampling=0, progressive=True)
    Image.fromarray((12 * x).astype(np.uint8)).save(HERE / "grey.jpg", quality=98)
    Image.fromarray(colours).save(HERE / "colours.png")
    sixteen = Image.fromarray((x // 5 + 4 * (y // 3)).astype(np.uint8), "P")
    sixteen.putpalette([value for i in range(16) for value in (i, 10 * i, 255 - i)])
    sixteen.save(HERE / "palette.png", bits=4)


if __name__ == "__main__":
    main()
