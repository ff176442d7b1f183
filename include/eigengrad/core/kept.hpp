// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <utility>

#include <eigengrad/core/namespaces.hpp>

namespace eigengrad::EIGENGRAD_ISA {

/// What a layer keeps of its last forward: an optional value, which is none in a layer that has been moved away.
template <class X>
class Kept : public std::optional<X> {
 public:
  using std::optional<X>::operator=;

  Kept() = default;
  Kept(const Kept&) = default;
  Kept& operator=(const Kept&) = default;
  Kept(Kept&& other) noexcept : std::optional<X>(std::move(other)) { other.reset(); }
  Kept& operator=(Kept&& other) noexcept {
    if (this == &other) return *this;
    std::optional<X>::operator=(std::move(other));
    other.reset();
    return *this;
  }
  ~Kept() = default;
};

}  // namespace eigengrad::EIGENGRAD_ISA
