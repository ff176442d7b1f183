// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>
#include <sys/resource.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/tensor.hpp>

#include "support/sanitized.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

TEST(Tensor, HoldsElementsInRowMajorOrder) {
  const Tensor<float> x({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(x(0, 0), 1);
  EXPECT_EQ(x(0, 2), 3);
  EXPECT_EQ(x(1, 0), 4);
  EXPECT_EQ(x.matrix()(1, 2), 6);
  EXPECT_EQ(x.array().sum(), 21);
}

TEST(Tensor, StandsOn64ByteBoundaries) {
  for (const Index n : {1, 3, 17, 1000, 100000}) {
    const Tensor<double> x({n});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(x.data()) % 64, 0U) << n;
  }
}

TEST(Tensor, ACopySharesUntilOneIsWritten) {
  Tensor<int> x({3}, {1, 2, 3});
  const Tensor<int> y = x;
  EXPECT_TRUE(x.shares_memory(y));
  EXPECT_FALSE(x.unique());
  x.mutable_data()[0] = 9;
  EXPECT_FALSE(x.shares_memory(y));
  EXPECT_EQ(x(0), 9);
  EXPECT_EQ(x(2), 3);
  EXPECT_EQ(y(0), 1);
  EXPECT_TRUE(x.unique());
  EXPECT_TRUE(y.unique());
}

TEST(Tensor, WritingTheOnlyHolderCopiesNothing) {
  Tensor<int> x({3}, {1, 2, 3});
  const int* before = x.data();
  x.mutable_data()[1] = 7;
  EXPECT_EQ(x.data(), before);
}

TEST(Tensor, AMovedFromTensorIsEmpty) {
  Tensor<int> x({3}, {1, 2, 3});
  Tensor<int> y = std::move(x);
  EXPECT_TRUE(x.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(x.shape(), Shape{0});
  EXPECT_EQ(y(2), 3);
  y = std::move(*&y);
  EXPECT_EQ(y(2), 3);
}

TEST(Tensor, ReshapeKeepsTheMemory) {
  const Tensor<float> x({2, 6}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const Tensor<float> y = x.reshape({3, 4});
  EXPECT_TRUE(y.shares_memory(x));
  EXPECT_EQ(y(2, 1), 9);
  EXPECT_EQ(x.reshape({4, -1}).shape(), (Shape{4, 3}));
  EXPECT_EQ(x.reshape({-1}).shape(), (Shape{12}));
  EXPECT_THROW(x.reshape({5, 2}), ShapeError);
  EXPECT_THROW(x.reshape({5, -1}), ShapeError);
  EXPECT_THROW(x.reshape({-1, -1}), ShapeError);
}

TEST(Tensor, AFailedReshapeChangesNothing) {
  Tensor<float> x({2, 2}, {1, 2, 3, 4});
  EXPECT_THROW(std::move(x).reshape({3}), ShapeError);
  EXPECT_EQ(x.shape(), (Shape{2, 2}));  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(x(1, 1), 4);
}

TEST(Tensor, AScalarHasAnItem) {
  const Tensor<float> x({}, {2.5F});
  EXPECT_EQ(x.item(), 2.5F);
  EXPECT_EQ(x.matrix().rows(), 1);
  EXPECT_THROW(Tensor<float>::zeros({2}).item(), ShapeError);
}

TEST(Tensor, ChecksIndicesAndValues) {
  const Tensor<float> x = Tensor<float>::zeros({2, 3});
  EXPECT_THROW(x(2, 0), ValueError);
  EXPECT_THROW(x(0, -1), ValueError);
  EXPECT_THROW(x(0), ShapeError);
  EXPECT_THROW(Tensor<float>({2, 2}, {1, 2, 3}), ShapeError);
}

TEST(Tensor, ZeroElementsAreFine) {
  Tensor<float> x = Tensor<float>::zeros({0, 3});
  EXPECT_TRUE(x.empty());
  EXPECT_EQ(x.mutable_matrix().rows(), 0);
  EXPECT_EQ(x.reshape({3, 0}).shape(), (Shape{3, 0}));
  EXPECT_TRUE(equal(x, x));
}

TEST(Tensor, CastConverts) {
  const Tensor<double> x({2}, {1.9, -1.9});
  EXPECT_TRUE(equal(x.cast<int>(), Tensor<int>({2}, {1, -1})));
}

TEST(Tensor, RefusesMoreBytesThanCanBeCounted) {
  EXPECT_THROW(Tensor<float>({Index{1} << 62}), ShapeError);
  EXPECT_THROW(Tensor<double>({(Index{1} << 60) - 1}), ShapeError);
}

// AddressSanitizer ends a program that asks for so much, ThreadSanitizer needs more address space itself.
#if !EIGENGRAD_TEST_SANITIZED
TEST(Tensor, SaysHowMuchMemoryTheSystemDoesNotHave) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  const rlimit limited{rlim_t{1} << 40, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limited), 0);
  std::string message;
  try {
    Tensor<float>(Shape{Index{1} << 40, 4});
  } catch (const MemoryError& error) {
    message = error.what();
  }
  EXPECT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_EQ(message, "Tensor: no memory for shape (1099511627776, 4), 17592186044416 bytes");
}
#endif

TEST(Tensor, GenerateAdvancesTheGeneratorItIsGiven) {
  Rng rng(1);
  const auto first = Tensor<std::uint32_t>::generate({4}, rng);
  EXPECT_FALSE(equal(first, Tensor<std::uint32_t>::generate({4}, rng)));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
