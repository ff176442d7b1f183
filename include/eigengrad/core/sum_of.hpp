// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <type_traits>

#include <eigengrad/core/index.hpp>

namespace eigengrad::EIGENGRAD_ISA {

/// The type that elements add up in, as in NumPy and PyTorch: Index for bool and integers smaller than it, so that a
/// sum counts what is true and does not wrap at 255; else their own.
template <class T>
using SumOf = std::conditional_t<std::integral<T> && sizeof(T) < sizeof(Index), Index, T>;

}  // namespace eigengrad::EIGENGRAD_ISA
