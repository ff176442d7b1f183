// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <eigengrad/core/text.hpp>

// The exceptions of the library. Everything thrown on purpose derives from `Error`; the library never prints
// and never ends the program. The wording of the common checks stands in core/check.hpp.

// Outside the namespace of the instruction set: an error is caught by files that are compiled for another one.
namespace eigengrad {

/// Base of every exception the library throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The shape of a tensor does not fit: says where, what was expected and what came.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// An option or an element has a value outside its range.
class ValueError : public Error {
 public:
  using Error::Error;
};

/// An object was used in the wrong order: `backward` before `forward`.
class StateError : public Error {
 public:
  using Error::Error;
};

/// The system has no memory for a tensor: says how much was asked for.
class MemoryError : public Error {
 public:
  using Error::Error;
};

/// A file could not be read or written: names the file and, if there is one, the byte offset.
class IoError : public Error {
 public:
  using Error::Error;
  IoError(std::string_view file, std::string_view problem) : Error(std::string(file) + ": " + std::string(problem)) {}
  IoError(std::string_view file, std::int64_t offset, std::string_view problem)
      : Error(std::string(file) + ": at byte " + std::to_string(offset) + ": " + std::string(problem)) {}
};

}  // namespace eigengrad

namespace eigengrad::EIGENGRAD_ISA {

/// The text of an error: all the parts as core/text.hpp writes them.
template <class... Parts>
std::string error_text(const Parts&... parts) {
  return detail::join({detail::text_part(parts)...});
}

}  // namespace eigengrad::EIGENGRAD_ISA
