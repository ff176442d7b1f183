// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/tensor.hpp>

// Windows that move over an image, as convolution and pooling share them.
//   Window window{.kernel = 3, .stride = 2, .padding = 1};      // 3 x 3; {3, 5} is 3 high and 5 wide
//   window.output("MaxPool2d", x.shape());                            // (N, P, Q, C)

namespace eigengrad::EIGENGRAD_ISA {

/// A height and a width in pixels; one number stands for both.
struct Size2d {
  Index height = 1;
  Index width = 1;

  constexpr Size2d() = default;
  constexpr Size2d(Index both) : height(both), width(both) {}  // NOLINT(google-explicit-constructor): .kernel = 3
  constexpr Size2d(Index h, Index w) : height(h), width(w) {}
  constexpr bool operator==(const Size2d&) const = default;
  constexpr Index area() const { return height * width; }
};

/// "3x5"
inline std::string to_string(const Size2d& size) { return joined(size.height, 'x', size.width); }
inline std::ostream& operator<<(std::ostream& out, const Size2d& size) { return out << to_string(size); }

namespace detail {

/// Images with pixels.
/// Errors   ShapeError for another rank than (N, H, W, C), or no pixels
EIGENGRAD_CALLED inline void check_image(const detail::check::Where& where, const Shape& x) {
  if (x.rank() == 4 && x[1] > 0 && x[2] > 0) return;
  throw ShapeError(error_text(where.name(), ": input has shape ", x, ", expected (N, H, W, C) with pixels"));
}

}  // namespace detail

/// A window of kernel taps, `dilation` pixels apart, that moves by `stride` over an image with `padding` more
/// pixels on each side.
struct Window {
  Size2d kernel;
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;

  /// The pixels from the first tap to the last.
  constexpr Size2d extent() const {
    return {dilation.height * (kernel.height - 1) + 1, dilation.width * (kernel.width - 1) + 1};
  }

  /// Errors   ValueError for a kernel, stride or dilation below 1, a padding below 0, or any of them above 2^30 (2^14
  ///          if an Index has 32 bits)
  EIGENGRAD_CALLED void check_options(const detail::check::Where& where) const {
    const auto check_both = [&](std::string_view option, const Size2d& size, Index least) {
      constexpr Index kMost = detail::kLargestFactor / 2;  // so that no product of two overflows
      if (size.height < least || size.width < least) {
        throw ValueError(error_text(where.name(), ": ", option, " is ", size, ", expected ", least, " or more"));
      }
      if (size.height > kMost || size.width > kMost) {
        throw ValueError(error_text(where.name(), ": ", option, " is ", size, ", expected ", kMost, " or less"));
      }
    };
    check_both("kernel", kernel, 1);
    check_both("stride", stride, 1);
    check_both("padding", padding, 0);
    check_both("dilation", dilation, 1);
  }

  /// As check_options, and the window always lies on a pixel: it has no dilation, and the padding is at most half
  /// the kernel.
  EIGENGRAD_CALLED void check_pooling(const detail::check::Where& where) const {
    check_options(where);
    if (dilation != Size2d(1)) {
      throw ValueError(error_text(where.name(), ": dilation is ", dilation, ", expected 1x1 in pooling"));
    }
    if (2 * padding.height <= kernel.height && 2 * padding.width <= kernel.width) return;
    throw ValueError(
        error_text(where.name(), ": padding is ", padding, ", expected at most half the kernel, which is ", kernel));
  }

  /// The positions of the window on images x (N, H, W, C), as a shape with the same N and C.
  /// Errors   ShapeError if x has not four axes or no pixels, or another number of channels than is expected, if one
  ///          is, or the window is larger than the padded image
  EIGENGRAD_CALLED Shape output(const detail::check::Where& where, const Shape& x,
                                std::optional<Index> channels = {}) const {
    if (x.rank() != 4) {
      throw ShapeError(
          error_text(where.name(), ": input has ", x.rank(), " axes, expected 4: (N, H, W, C); input shape ", x));
    }
    detail::check_image(where, x);
    // Before the window: that of images whose channels come first often does not fit, and these are what is wrong.
    if (channels) detail::check::channels(where, x, *channels);
    const Size2d padded{detail::check::sum(where, x[1], 2 * padding.height),
                        detail::check::sum(where, x[2], 2 * padding.width)};
    const Size2d needed = extent();
    if (needed.height > padded.height || needed.width > padded.width) {
      // Pooling expects no number of channels, and takes an image for one if it can.
      const bool fits_channels_first =
          !channels && needed.height - 2 * padding.height <= x[2] && needed.width - 2 * padding.width <= x[3];
      throw ShapeError(error_text(where.name(), ": window of ", needed, " pixels, expected at most ", padded,
                                  ", the padded image; input shape ", x,
                                  fits_channels_first ? detail::check::channels_first_images() : ""));
    }
    return {x[0], (padded.height - needed.height) / stride.height + 1, (padded.width - needed.width) / stride.width + 1,
            x[3]};
  }

  /// The positions of a pooling window: as output, and every window lies on a pixel.
  /// Errors   those of check_pooling and output
  EIGENGRAD_CALLED Shape pooled(const detail::check::Where& where, const Shape& x) const {
    check_pooling(where);
    return output(where, x);
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA
