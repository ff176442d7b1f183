// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <optional>

#include <gtest/gtest.h>

#include "support/user_locale.hpp"

// Every test program runs under the locale that $EIGENGRAD_TEST_LOCALE names, so that ctest can run it once more as a
// user of another country would.

namespace eigengrad::EIGENGRAD_ISA::testing {
namespace {

class LocaleEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    const char* name = std::getenv("EIGENGRAD_TEST_LOCALE");
    if (name == nullptr) return;
    locale_.emplace(name);
    if (!locale_->in_c()) std::cout << "note: the C library has no locale " << name << ", so only C++'s is set\n";
  }
  void TearDown() override { locale_.reset(); }

 private:
  std::optional<UserLocale> locale_;
};

[[maybe_unused]] const auto* const environment = ::testing::AddGlobalTestEnvironment(new LocaleEnvironment);

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::testing
