// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <string>
#include <string_view>

#include <eigengrad/core/error.hpp>
#include <eigengrad/core/inlining.hpp>
#include <eigengrad/core/shape.hpp>

// The checks that layers, operations and options share, and the one place of their wording.

namespace eigengrad::EIGENGRAD_ISA::detail::check {

/// Who checks: a text, or anything with a description(), of which the name is built only when the check fails.
class Where {
 public:
  template <std::convertible_to<std::string_view> Text>
  Where(const Text& text) : text_(text) {}  // NOLINT(google-explicit-constructor): that is what it is for
  template <class Named>
  requires requires(const Named& named) { named.description(); }
  Where(const Named& named)  // NOLINT(google-explicit-constructor)
      : named_(&named), name_([](const void* object) { return static_cast<const Named*>(object)->description(); }) {}

  std::string name() const { return named_ == nullptr ? std::string(text_) : name_(named_); }

 private:
  std::string_view text_;
  const void* named_ = nullptr;
  std::string (*name_)(const void* named) = nullptr;
};

/// What may be meant by an input whose last axis has not the expected size: nothing, or "; " and what to do.
using Suggestion = std::string (*)(const Shape& input, Index expected);
EIGENGRAD_COLD inline std::string no_suggestion(const Shape&, Index) { return {}; }

/// "Linear 3072->100: input has 3000 features, expected 3072; input shape (200, 3000)"
EIGENGRAD_CALLED inline void last_axis(const Where& where, std::string_view unit, const Shape& input, Index expected,
                                       Suggestion suggestion = no_suggestion) {
  if (input.rank() > 0 && input[-1] == expected) return;
  throw ShapeError(error_text(where.name(), ": input has ", input.rank() > 0 ? input[-1] : 0, " ", unit, ", expected ",
                              expected, "; input shape ", input, suggestion(input, expected)));
}

/// "; put nn::Flatten before it" for images, and for whatever Flatten makes fit.
EIGENGRAD_COLD inline std::string flatten_suggestion(const Shape& input, Index expected) {
  if (input.rank() == 0) return {};
  Index flat = 1;
  for (int axis = 1; axis < input.rank(); ++axis) flat *= input[axis];
  if (flat == expected) return "; put nn::Flatten before it";
  if (input.rank() != 4) return {};
  return error_text("; put nn::Flatten before it, which gives ", flat, " features");
}

/// "; images are (N, H, W, C) here: for (N, C, H, W) use ops::permute(x, {0, 2, 3, 1})"
EIGENGRAD_COLD inline std::string channels_first_images() {
  return "; images are (N, H, W, C) here: for (N, C, H, W) use ops::permute(x, {0, 2, 3, 1})";
}

/// How to bring the channels to the last axis, if they are at axis 1, where PyTorch has them.
EIGENGRAD_COLD inline std::string channels_first_suggestion(const Shape& input, Index expected) {
  if (input.rank() == 4 && input[1] == expected) return channels_first_images();
  if (input.rank() == 3 && input[1] == expected)
    return "; channels are the last axis here: for (N, C, L) use ops::permute(x, {0, 2, 1})";
  return {};
}

/// "Linear 72->10: input has 8 features, expected 72; input shape (5, 3, 3, 8); put nn::Flatten before it": the inputs
/// of a matrix product.
EIGENGRAD_CALLED inline void features(const Where& where, const Shape& input, Index expected) {
  last_axis(where, "features", input, expected, flatten_suggestion);
}

/// "BatchNorm2d 3: input has 8 channels, expected 3; input shape (5, 3, 8, 8); images are (N, H, W, C) here: ..."
EIGENGRAD_CALLED inline void channels(const Where& where, const Shape& input, Index expected) {
  last_axis(where, "channels", input, expected, channels_first_suggestion);
}

/// "Flatten: input has 0 axes, expected at least 1; input shape ()"
EIGENGRAD_CALLED inline void rank_at_least(const Where& where, const Shape& input, int expected) {
  if (input.rank() >= expected) return;
  throw ShapeError(error_text(where.name(), ": input has ", input.rank(), " axes, expected at least ", expected,
                              "; input shape ", input));
}

/// "ReLU: gradient of the output has shape (2, 3), expected (2, 4)"
EIGENGRAD_CALLED inline void same_shape(const Where& where, std::string_view what, const Shape& got,
                                        const Shape& expected) {
  if (got == expected) return;
  throw ShapeError(error_text(where.name(), ": ", what, " has shape ", got, ", expected ", expected));
}

/// "Linear 3->4: weight has shape (4,), expected (4, 3)": what a layer holds, against what it was built for.
/// Errors   StateError for none of the elements that it should have: the layer has been moved away; else ShapeError
EIGENGRAD_CALLED inline void state(const Where& where, std::string_view what, const Shape& got, const Shape& expected) {
  if (got == expected) return;
  if (got == Shape{0})
    throw StateError(error_text(where.name(), ": ", what, " is empty, expected shape ", expected,
                                "; so is that of a layer that has been moved away"));
  same_shape(where, what, got, expected);
}

/// "softmax_cross_entropy: labels have shape (5, 1), expected (5,); input shape (5, 10)": one label for each row.
EIGENGRAD_CALLED inline void labels(const Where& where, const Shape& labels, const Shape& input) {
  rank_at_least(where, input, 1);
  const bool in_rows = labels.rank() == 1 || std::equal(labels.begin(), labels.end(), input.begin(), input.end() - 1);
  if (labels.numel() != input.rows()) {
    throw ShapeError(
        error_text(where.name(), ": ", labels.numel(), " labels for ", input.rows(), " rows; input shape ", input));
  }
  if (in_rows) return;
  throw ShapeError(error_text(where.name(), ": labels have shape ", labels, ", expected ", Shape{input.rows()},
                              "; input shape ", input));
}

/// "ReLU: backward without a forward before it (Mode::inference remembers nothing)"
EIGENGRAD_CALLED inline void remembered(const Where& where, bool is_remembered) {
  if (is_remembered) return;
  throw StateError(where.name() + ": backward without a forward before it (Mode::inference remembers nothing)");
}

/// The sum of two sizes, or the product.
/// "concat: 9223372036854775807 + 1 is more than an Index holds"
EIGENGRAD_CALLED inline Index sum(const Where& where, Index a, Index b) {
  if (const auto result = detail::checked_sum(a, b)) return *result;
  throw ShapeError(error_text(where.name(), ": ", a, " + ", b, " is more than an Index holds"));
}
EIGENGRAD_CALLED inline Index product(const Where& where, Index a, Index b) {
  if (const auto result = detail::checked_product(a, b)) return *result;
  throw ShapeError(error_text(where.name(), ": ", a, " * ", b, " is more than an Index holds"));
}

/// True but for NaN and infinities.
template <class Number>
bool finite(Number value) {
  if constexpr (std::floating_point<Number>) {
    return value - value == Number(0);
  } else {
    return true;
  }
}

/// "SGD: learning_rate is -1, expected 0 or more", and for an infinity "..., expected 0 or more and finite"
template <class Number>
EIGENGRAD_COLD void at_least(const Where& where, std::string_view option, Number value, Number least) {
  if (value >= least && finite(value)) return;  // false for NaN
  throw ValueError(error_text(where.name(), ": ", option, " is ", value, ", expected ", least, " or more",
                              value > least ? " and finite" : ""));
}

/// "clip_grad_norm: max_norm is -1, expected 0 or more": infinity, which stands for no bound, is right.
template <class Number>
EIGENGRAD_COLD void at_least_or_infinite(const Where& where, std::string_view option, Number value, Number least) {
  if (value >= least) return;  // false for NaN
  throw ValueError(error_text(where.name(), ": ", option, " is ", value, ", expected ", least, " or more"));
}

/// "Adam: beta1 is 1, expected less than 1"
template <class Number>
EIGENGRAD_COLD void below(const Where& where, std::string_view option, Number value, Number bound) {
  if (value < bound) return;
  throw ValueError(error_text(where.name(), ": ", option, " is ", value, ", expected less than ", bound));
}

/// "Loader: batch_size is 0, expected more than 0", and for an infinity "..., expected more than 0 and finite"
template <class Number>
EIGENGRAD_COLD void above_zero(const Where& where, std::string_view option, Number value) {
  if (value > Number(0) && finite(value)) return;
  throw ValueError(error_text(where.name(), ": ", option, " is ", value, ", expected more than 0",
                              value > Number(0) ? " and finite" : ""));
}

/// "Dropout: p is 1.5, expected 0 to 1"
template <class Number>
EIGENGRAD_COLD void between(const Where& where, std::string_view option, Number value, Number least, Number most) {
  if (value >= least && value <= most) return;  // false for NaN
  throw ValueError(error_text(where.name(), ": ", option, " is ", value, ", expected ", least, " to ", most));
}

/// "Conv2d 6->9: input channels are 6, expected a multiple of groups, 4"
EIGENGRAD_CALLED inline void divisible(const Where& where, std::string_view what, Index value, Index groups) {
  if (value % groups == 0) return;
  throw ValueError(error_text(where.name(), ": ", what, " are ", value, ", expected a multiple of groups, ", groups));
}

}  // namespace eigengrad::EIGENGRAD_ISA::detail::check
