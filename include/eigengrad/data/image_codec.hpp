// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/namespaces.hpp>

// What decodes images: functions of stb_image, compiled once in cmake/eigengradImages.cpp (target eigengrad::images)
// and not with every file that includes these headers. Other code of stb in the same program does not clash with them.

namespace eigengrad::EIGENGRAD_ISA::data::detail {

extern "C" {
/// False, and why, if the bytes are no image.
bool eigengrad_image_info(const unsigned char* bytes, int size, int* width, int* height, int* channels,
                          const char** problem);
/// The pixels, row by row, with so many channels; null, and why, if they are damaged. For eigengrad_image_free.
unsigned char* eigengrad_image_decode(const unsigned char* bytes, int size, int channels, const char** problem);
void eigengrad_image_free(unsigned char* pixels);
/// False if there is no memory for it.
bool eigengrad_image_resize(const unsigned char* from, int width, int height, unsigned char* to, int to_width,
                            int to_height, int channels);
}

}  // namespace eigengrad::EIGENGRAD_ISA::data::detail
