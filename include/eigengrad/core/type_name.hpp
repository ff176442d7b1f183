// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include <eigengrad/core/inlining.hpp>
#include <eigengrad/core/namespaces.hpp>

namespace eigengrad::EIGENGRAD_ISA::detail {

/// The compiler's text for this function, which has the name of X in it.
template <class X>
constexpr std::string_view text_with_type() {
#if defined(_MSC_VER) && !defined(__clang__)
  return __FUNCSIG__;
#else
  return __PRETTY_FUNCTION__;
#endif
}

EIGENGRAD_COLD inline void erase_all(std::string& text, std::string_view part) {
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at)) text.erase(at, part.size());
}

/// "Scale<double>": a type's name for messages, without RTTI, and without the namespaces that only the compiler needs.
template <class X>
EIGENGRAD_COLD std::string type_name() {
  // What stands before and after the name is the same for every type.
  constexpr std::string_view known = text_with_type<double>();
  constexpr std::size_t before = known.rfind("double");
  constexpr std::size_t after = known.size() - before - std::string_view("double").size();
  constexpr std::string_view text = text_with_type<X>();
  std::string name(text.substr(before, text.size() - before - after));
  constexpr std::size_t own = known.find("eigengrad::");
  constexpr std::string_view own_namespace = known.substr(own, known.find("detail::", own) - own);
  for (const std::string_view part :
       {own_namespace, std::string_view("{anonymous}::"), std::string_view("(anonymous namespace)::")})
    erase_all(name, part);
  const std::size_t function = name.rfind(")::");  // of a type within one
  if (function != std::string::npos && name.find('<') > function) name.erase(0, function + 3);
  return name;
}

}  // namespace eigengrad::EIGENGRAD_ISA::detail
