// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <eigengrad/core/check.hpp>
#include <eigengrad/data/image_transform.hpp>

namespace eigengrad::EIGENGRAD_ISA::data {

/// With probability p, a rectangle of the image is written over. Its share of the image's area is uniform in `scale`,
/// and the logarithm of height : width uniform between those of `ratio`; all places are equally likely. One that is not
/// smaller than the image in both directions is drawn anew, and after ten such the image stays as it is.
/// Source   Zhong, Zheng, Kang, Li & Yang, Random erasing data augmentation, 2017; as
///          torchvision.transforms.RandomErasing
struct RandomErasing {
  double p = 0.5;
  std::array<double, 2> scale = {0.02, 0.33};
  std::array<double, 2> ratio = {0.3, 3.3};
  std::optional<double> value = 0.0;  ///< what is written; std::nullopt for normal noise of deviation 1

  void validate() const {
    detail::check::between("RandomErasing", "p", p, 0.0, 1.0);
    detail::check::between("RandomErasing", "scale[0]", scale[0], 0.0, 1.0);
    detail::check::between("RandomErasing", "scale[1]", scale[1], scale[0], 1.0);
    detail::check::between("RandomErasing", "ratio[0]", ratio[0], kLeastRatio, 1.0 / kLeastRatio);
    detail::check::between("RandomErasing", "ratio[1]", ratio[1], ratio[0], 1.0 / kLeastRatio);
    if (value && !detail::check::finite(*value))
      throw ValueError(error_text("RandomErasing: value is ", *value, ", expected a finite number"));
  }

  template <class T>
  void operator()(const Image<T>& image, Rng& rng) const {
    if (rng.uniform() >= p) return;
    const double area = static_cast<double>(image.height) * static_cast<double>(image.width);
    const double low = detail::exact_log(ratio[0]), high = detail::exact_log(ratio[1]);
    constexpr int kTries = 10;
    for (int i = 0; i < kTries; ++i) {
      const double erased = area * rng.uniform(scale[0], scale[1]);
      const double aspect = detail::exact_exp(rng.uniform(low, high));
      const double height = std::nearbyint(std::sqrt(erased * aspect));
      const double width = std::nearbyint(std::sqrt(erased / aspect));
      if (height >= static_cast<double>(image.height) || width >= static_cast<double>(image.width)) continue;
      return erase(image, static_cast<Index>(height), static_cast<Index>(width), rng);
    }
  }

 private:
  static constexpr double kLeastRatio = 1e-6;

  template <class T>
  void erase(const Image<T>& image, Index height, Index width, Rng& rng) const {
    const Index top = rng.below(image.height - height + 1);
    const Index left = rng.below(image.width - width + 1);
    for (Index y = top; y < top + height; ++y) {
      T* const begin = image.row(y) + left * image.channels;
      T* const end = begin + width * image.channels;
      if (value)
        std::fill(begin, end, static_cast<T>(*value));
      else
        std::generate(begin, end, [&] { return static_cast<T>(rng.normal()); });
    }
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
