// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <Eigen/Core>

#include <eigengrad/core/error.hpp>
#include <eigengrad/core/index.hpp>

// The number types of files, and how they become those of tensors.

namespace eigengrad::EIGENGRAD_ISA::io {

/// What the numbers of a tensor in a file are.
enum class ElementType { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f16, bf16, f32, f64, f8_e4m3, f8_e5m2 };

struct ConvertOptions {
  bool convert = false;  ///< numbers of other types are converted; else they are an error
};

/// What the numbers of a tensor may be that is read or written.
template <class T>
concept Element = std::is_arithmetic_v<T> && sizeof(T) <= 8;

namespace detail {

static_assert(std::endian::native == std::endian::little, "io/ reads and writes little-endian numbers as they are");

struct ElementTypeInfo {
  ElementType type;
  std::string_view safetensors;  // its name in that format
  std::string_view npy;          // its code in that format; empty if it has none
  std::size_t size;
};

inline constexpr std::array<ElementTypeInfo, 15> kElementTypes{{{ElementType::boolean, "BOOL", "b1", 1},
                                                                {ElementType::u8, "U8", "u1", 1},
                                                                {ElementType::i8, "I8", "i1", 1},
                                                                {ElementType::u16, "U16", "u2", 2},
                                                                {ElementType::i16, "I16", "i2", 2},
                                                                {ElementType::u32, "U32", "u4", 4},
                                                                {ElementType::i32, "I32", "i4", 4},
                                                                {ElementType::u64, "U64", "u8", 8},
                                                                {ElementType::i64, "I64", "i8", 8},
                                                                {ElementType::f16, "F16", "f2", 2},
                                                                {ElementType::bf16, "BF16", "", 2},
                                                                {ElementType::f32, "F32", "f4", 4},
                                                                {ElementType::f64, "F64", "f8", 8},
                                                                {ElementType::f8_e4m3, "F8_E4M3", "", 1},
                                                                {ElementType::f8_e5m2, "F8_E5M2", "", 1}}};

constexpr const ElementTypeInfo& info(ElementType type) { return kElementTypes[static_cast<std::size_t>(type)]; }

/// The type of T in a file.
template <class T>
constexpr ElementType element_type_of() {
  if constexpr (std::same_as<T, bool>) return ElementType::boolean;
  if constexpr (std::floating_point<T>) return sizeof(T) == 4 ? ElementType::f32 : ElementType::f64;
  constexpr bool kSigned = std::is_signed_v<T>;
  switch (sizeof(T)) {
    case 1:
      return kSigned ? ElementType::i8 : ElementType::u8;
    case 2:
      return kSigned ? ElementType::i16 : ElementType::u16;
    case 4:
      return kSigned ? ElementType::i32 : ElementType::u32;
    default:
      return kSigned ? ElementType::i64 : ElementType::u64;
  }
}

/// The eight-bit floats: four bits of exponent and no infinity; a half float's first byte.
inline float from_f8_e4m3(std::uint8_t bits) {
  const int exponent = (bits >> 3) & 15;
  const int mantissa = bits & 7;
  const float magnitude = exponent == 15 && mantissa == 7 ? std::numeric_limits<float>::quiet_NaN()
                          : exponent == 0
                              ? static_cast<float>(mantissa) * 0x1p-9F
                              : static_cast<float>(8 + mantissa) * std::bit_cast<float>((exponent - 10 + 127) << 23);
  return (bits & 0x80) != 0 ? -magnitude : magnitude;
}
inline float from_f8_e5m2(std::uint8_t bits) {
  return static_cast<float>(std::bit_cast<Eigen::half>(static_cast<std::uint16_t>(bits << 8)));
}

/// The number at `bytes`, as one of C++.
template <class From>
From load_as(const char* bytes) {
  From value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// True if numbers of a file may become T: all become floats, rounded if need be; floats become no integers.
template <Element T>
constexpr bool converts(ElementType from) {
  return std::floating_point<T> || from < ElementType::f16;
}

/// Converts `count` numbers of a file. Returns the position of the first that T cannot hold, or nothing.
template <Element T>
std::optional<Index> convert(ElementType from, const char* bytes, Index count, T* to) {
  const auto each = [&]<class From>(std::type_identity<From>, auto value_of) -> std::optional<Index> {
    for (Index i = 0; i < count; ++i) {
      const auto value = value_of(load_as<From>(bytes + static_cast<std::size_t>(i) * sizeof(From)));
      if constexpr (std::same_as<T, bool>) {
        if constexpr (std::integral<decltype(value)>) {
          if (value != 0 && value != 1) return i;
        }
        to[i] = value != 0;
      } else {
        if constexpr (std::integral<T> && std::integral<decltype(value)>) {
          if (!std::in_range<T>(value)) return i;
        }
        to[i] = static_cast<T>(value);
      }
    }
    return std::nullopt;
  };
  const auto itself = [](auto value) { return value; };
  const auto number = [](auto value) { return static_cast<float>(value); };
  switch (from) {
    case ElementType::boolean:
    case ElementType::u8:
      return each(std::type_identity<std::uint8_t>(), itself);
    case ElementType::i8:
      return each(std::type_identity<std::int8_t>(), itself);
    case ElementType::u16:
      return each(std::type_identity<std::uint16_t>(), itself);
    case ElementType::i16:
      return each(std::type_identity<std::int16_t>(), itself);
    case ElementType::u32:
      return each(std::type_identity<std::uint32_t>(), itself);
    case ElementType::i32:
      return each(std::type_identity<std::int32_t>(), itself);
    case ElementType::u64:
      return each(std::type_identity<std::uint64_t>(), itself);
    case ElementType::i64:
      return each(std::type_identity<std::int64_t>(), itself);
    case ElementType::f16:
      return each(std::type_identity<Eigen::half>(), number);
    case ElementType::bf16:
      return each(std::type_identity<Eigen::bfloat16>(), number);
    case ElementType::f32:
      return each(std::type_identity<float>(), itself);
    case ElementType::f64:
      return each(std::type_identity<double>(), itself);
    case ElementType::f8_e4m3:
      return each(std::type_identity<std::uint8_t>(), from_f8_e4m3);
    case ElementType::f8_e5m2:
      return each(std::type_identity<std::uint8_t>(), from_f8_e5m2);
  }
  return std::nullopt;
}

}  // namespace detail
}  // namespace eigengrad::EIGENGRAD_ISA::io
