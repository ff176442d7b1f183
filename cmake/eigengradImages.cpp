// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// stb_image and stb_image_resize behind the functions of data/image_codec.hpp.

#include <eigengrad/data/image_codec.hpp>

// g++ does not see that what is read from memory has no buffer to refill.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
// Of the others some have no mark by which they are known, and others are read beyond their end by versions of stb that
// are in use.
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_STATIC
#include <stb_image.h>
#if __has_include(<stb_image_resize2.h>)
#include <stb_image_resize2.h>
#else
#include <stb_image_resize.h>
#endif

namespace eigengrad::EIGENGRAD_ISA::data::detail {

extern "C" {

bool eigengrad_image_info(const unsigned char* bytes, int size, int* width, int* height, int* channels,
                          const char** problem) {
  if (stbi_info_from_memory(bytes, size, width, height, channels) != 0) return true;
  *problem = stbi_failure_reason();
  return false;
}

unsigned char* eigengrad_image_decode(const unsigned char* bytes, int size, int channels, const char** problem) {
  int width = 0, height = 0, ignored = 0;
  unsigned char* const pixels = stbi_load_from_memory(bytes, size, &width, &height, &ignored, channels);
  if (pixels == nullptr) *problem = stbi_failure_reason();
  return pixels;
}

void eigengrad_image_free(unsigned char* pixels) { stbi_image_free(pixels); }

bool eigengrad_image_resize(const unsigned char* from, int width, int height, unsigned char* to, int to_width,
                            int to_height, int channels) {
#if __has_include(<stb_image_resize2.h>)
  return stbir_resize_uint8_linear(from, width, height, 0, to, to_width, to_height, 0,
                                   static_cast<stbir_pixel_layout>(channels)) != nullptr;
#else
  return stbir_resize_uint8(from, width, height, 0, to, to_width, to_height, 0, channels) != 0;
#endif
}

}  // extern "C"

}  // namespace eigengrad::EIGENGRAD_ISA::data::detail
