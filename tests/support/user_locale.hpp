// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <clocale>
#include <iostream>
#include <locale>
#include <string>

#include <eigengrad/core/namespaces.hpp>

// The settings of a user's country, as desktop programs install them.

namespace eigengrad::EIGENGRAD_ISA::testing {

/// As long as it lives, C++ and, if it has a locale of that name, the C library write numbers as that country does:
/// 3072 is "3.072" and a half is "0,5". C++'s needs nothing from the system. Standard output and error follow.
class UserLocale {
 public:
  explicit UserLocale(const std::string& name)
      : before_(std::locale::global(std::locale(std::locale::classic(), new Punctuation(name.rfind("fr", 0) == 0)))),
        c_before_(std::setlocale(LC_ALL, nullptr)),
        in_c_(std::setlocale(LC_ALL, name.c_str()) != nullptr) {
    imbue(std::locale());
  }
  UserLocale(const UserLocale&) = delete;
  UserLocale& operator=(const UserLocale&) = delete;
  ~UserLocale() {
    std::locale::global(before_);
    std::setlocale(LC_ALL, c_before_.c_str());
    imbue(before_);
  }

  /// True if the C library has the locale.
  bool in_c() const { return in_c_; }

 private:
  struct Punctuation : std::numpunct<char> {
    explicit Punctuation(bool french) : french_(french) {}
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return french_ ? ' ' : '.'; }
    std::string do_grouping() const override { return "\3"; }
    std::string do_truename() const override { return french_ ? "vrai" : "wahr"; }
    std::string do_falsename() const override { return french_ ? "faux" : "falsch"; }
    bool french_;
  };

  static void imbue(const std::locale& locale) {
    for (std::ostream* stream : {&std::cout, &std::cerr, &std::clog}) stream->imbue(locale);
  }

  std::locale before_;
  std::string c_before_;
  bool in_c_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::testing
