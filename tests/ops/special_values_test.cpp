// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/ops/arithmetic.hpp>
#include <eigengrad/ops/batch_norm.hpp>
#include <eigengrad/ops/compare.hpp>
#include <eigengrad/ops/dropout.hpp>
#include <eigengrad/ops/gelu.hpp>
#include <eigengrad/ops/kernels/channel_map.hpp>
#include <eigengrad/ops/leaky_relu.hpp>
#include <eigengrad/ops/math.hpp>
#include <eigengrad/ops/pow.hpp>
#include <eigengrad/ops/relu.hpp>
#include <eigengrad/ops/sigmoid.hpp>
#include <eigengrad/ops/silu.hpp>
#include <eigengrad/ops/tanh.hpp>
#include <eigengrad/ops/where.hpp>

#include "support/special_values.hpp"

// Every function of each element, on every special value, in every place.

namespace eigengrad::EIGENGRAD_ISA::ops::special_values_test {
namespace {

using testing::expect_same_everywhere;
using testing::Wide;

Wide larger(Wide a, Wide b) { return a > b || std::isnan(a) ? a : b; }
Wide logistic(Wide x) { return 1 / (1 + std::exp(-x)); }
Wide normal_cdf(Wide x) { return std::erfc(-x / std::sqrt(Wide(2))) / 2; }
Wide tanh_cdf(Wide x) {
  return logistic(2 * std::sqrt(2 / std::numbers::pi_v<Wide>) * (x + Wide(0.044715) * x * x * x));
}
/// x p, 0 for a p of 0.
Wide times(Wide x, Wide p) { return p == 0 ? 0 : x * p; }

template <class T>
class SpecialValues : public ::testing::Test {};
using Numbers = ::testing::Types<float, double>;
TYPED_TEST_SUITE(SpecialValues, Numbers);

TYPED_TEST(SpecialValues, OfArithmetic) {
  using T = TypeParam;
  using X = Tensor<T>;
  const auto check = [](const char* name, const auto& f, const auto& definition) {
    expect_same_everywhere<T>(name, 1, f, definition);
  };
  const T third = T(1) / T(3);
  check(
      "neg", [](X x) { return neg(std::move(x)); }, [](Wide x) { return -x; });
  check(
      "add", [&](X x) { return add(std::move(x), third); }, [&](Wide x) { return x + Wide(third); });
  check(
      "sub", [&](X x) { return sub(third, std::move(x)); }, [&](Wide x) { return Wide(third) - x; });
  check(
      "mul", [&](X x) { return mul(std::move(x), third); }, [&](Wide x) { return x * Wide(third); });
  check(
      "div", [](X x) { return div(std::move(x), 3); }, [](Wide x) { return x / 3; });
  check(
      "1 / x", [](X x) { return div(1, std::move(x)); }, [](Wide x) { return 1 / x; });
  check(
      "x / x", [](const X& x) { return div(x, x); }, [](Wide x) { return x / x; });
  check(
      "x + x", [](const X& x) { return add(x, x); }, [](Wide x) { return x + x; });
  check(
      "maximum", [](const X& x) { return maximum(x, 1); }, [](Wide x) { return larger(x, 1); });
  check(
      "minimum", [](const X& x) { return minimum(x, 1); }, [](Wide x) { return -larger(-x, -1); });
  check(
      "maximum of two", [](const X& x) { return maximum(X::zeros(x.shape()), x); },
      [](Wide x) { return larger(x, 0); });
  check(
      "div_backward_second", [](const X& x) { return div_backward_second(X::ones(x.shape()), x, div(2, x)); },
      [](Wide x) { return -static_cast<Wide>(T(2 / x)) / x; });
  check(
      "channel_map",
      [](const X& x) {
        const Shape channels{x.numel()};
        return detail::channel_map(x, {X::full(channels, T(0.3)), X::full(channels, T(0.7)), true});
      },
      [](Wide x) { return larger(Wide(T(0.3)) * x + Wide(T(0.7)), 0); });
  check(
      "dropout", [](const X& x) { return dropout(x, Tensor<std::uint8_t>::full(x.shape(), 1), 0.5); },
      [](Wide x) { return 2 * x; });
}

TYPED_TEST(SpecialValues, OfFunctions) {
  using T = TypeParam;
  using X = Tensor<T>;
  const auto check = [](const char* name, const auto& f, const auto& definition) {
    expect_same_everywhere<T>(name, 8, f, definition);
  };
  check(
      "exp", [](X x) { return exp(std::move(x)); }, [](Wide x) { return std::exp(x); });
  check(
      "log", [](X x) { return log(std::move(x)); }, [](Wide x) { return std::log(x); });
  check(
      "sqrt", [](X x) { return sqrt(std::move(x)); }, [](Wide x) { return std::sqrt(x); });
  check(
      "abs", [](X x) { return abs(std::move(x)); }, [](Wide x) { return std::abs(x); });
  check(
      "square", [](X x) { return square(std::move(x)); }, [](Wide x) { return x * x; });
  check(
      "clamp", [](X x) { return clamp(std::move(x), -2, 5); },
      [](Wide x) { return std::isnan(x) ? x : std::clamp(x, Wide(-2), Wide(5)); });
  check(
      "pow(x, 3)", [](X x) { return pow(std::move(x), 3); }, [](Wide x) { return Wide(T(x * x)) * x; });
  check(
      "pow(x, 2.5)", [](X x) { return pow(std::move(x), 2.5); }, [](Wide x) { return std::pow(x, Wide(2.5)); });
  check(
      "pow(x, -1)", [](X x) { return pow(std::move(x), -1); }, [](Wide x) { return 1 / x; });
  check(
      "pow(2, x)", [](X x) { return pow(2, std::move(x)); }, [](Wide x) { return std::exp2(x); });
  check(
      "tanh", [](X x) { return tanh(std::move(x)); }, [](Wide x) { return std::tanh(x); });
  check(
      "sigmoid", [](X x) { return sigmoid(std::move(x)); }, logistic);
  check(
      "silu", [](X x) { return silu(std::move(x)); }, [](Wide x) { return times(x, logistic(x)); });
  check(
      "relu", [](X x) { return relu(std::move(x)); }, [](Wide x) { return larger(x, 0); });
  check(
      "leaky_relu", [](X x) { return leaky_relu(std::move(x), 0.01); },
      [](Wide x) { return x > 0 ? x : Wide(T(0.01)) * x; });
  check(
      "batch_norm_inv_std", [](const X& x) { return batch_norm_inv_std(x, 1e-5); },
      [](Wide x) { return 1 / std::sqrt(Wide(T(x + Wide(T(1e-5))))); });
}

TYPED_TEST(SpecialValues, OfGELU) {
  using T = TypeParam;
  using X = Tensor<T>;
  // Beside 0 the argument of erfc and of exp is rounded before: its error times the slope counts.
  expect_same_everywhere<T>(
      "gelu", 2000, [](X x) { return gelu(std::move(x)); }, [](Wide x) { return times(x, normal_cdf(x)); });
  expect_same_everywhere<T>(
      "gelu, tanh", 2000, [](X x) { return gelu(std::move(x), Approximate::tanh); },
      [](Wide x) { return times(x, tanh_cdf(x)); });
}

TYPED_TEST(SpecialValues, OfDerivatives) {
  using T = TypeParam;
  using X = Tensor<T>;
  const auto ones = [](const X& x) { return X::full(x.shape(), T(0.7)); };
  const auto one = Wide(T(0.7));
  const auto check = [&](const char* name, const auto& f, const auto& slope) {
    expect_same_everywhere<T>(
        name, 16, [&](const X& x) { return f(ones(x), x); }, [&](Wide x) { return one * slope(x); });
  };
  check(
      "exp", [](const X& dy, const X& y) { return exp_backward(dy, y); }, [](Wide y) { return y; });
  check(
      "log", [](const X& dy, const X& x) { return log_backward(dy, x); }, [](Wide x) { return 1 / x; });
  check(
      "sqrt", [](const X& dy, const X& y) { return sqrt_backward(dy, y); }, [](Wide y) { return 1 / (2 * y); });
  check(
      "square", [](const X& dy, const X& x) { return square_backward(dy, x); }, [](Wide x) { return 2 * x; });
  check(
      "tanh", [](const X& dy, const X& y) { return tanh_backward(dy, clamp(y, -1, 1)); },
      [](Wide y) { return std::isnan(y) ? y : 1 - std::pow(std::clamp(y, Wide(-1), Wide(1)), Wide(2)); });
  check(
      "sigmoid", [](const X& dy, const X& y) { return sigmoid_backward(dy, clamp(y, 0, 1)); },
      [](Wide y) {
        return std::isnan(y) ? y : std::clamp(y, Wide(0), Wide(1)) * (1 - std::clamp(y, Wide(0), Wide(1)));
      });
  check(
      "relu", [](const X& dy, const X& x) { return relu_backward(dy, x); }, [](Wide x) { return x > 0 ? 1 : 0; });
  check(
      "leaky_relu", [](const X& dy, const X& x) { return leaky_relu_backward(dy, x, 0.01); },
      [](Wide x) { return x > 0 ? Wide(1) : Wide(T(0.01)); });
  check(
      "clamp", [](const X& dy, const X& x) { return clamp_backward(dy, x, -2, 5); },
      [](Wide x) { return x >= -2 && x <= 5 ? 1 : 0; });
}

TYPED_TEST(SpecialValues, OfDerivativesOfGatedUnits) {
  using T = TypeParam;
  using X = Tensor<T>;
  // s and 1 - s are rounded apart, so where they cancel the error is one of 1.
  const auto check = [](const char* name, const auto& f, const auto& slope) {
    expect_same_everywhere<T>(
        name, 2000, [&](const X& x) { return f(X::ones(x.shape()), x); }, slope);
  };
  check(
      "silu", [](const X& dy, const X& x) { return silu_backward(dy, x); },
      [](Wide x) { return times(1 + times(x, 1 - logistic(x)), logistic(x)); });
  check(
      "gelu", [](const X& dy, const X& x) { return gelu_backward(dy, x); },
      [](Wide x) {
        const Wide density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<Wide>);
        return normal_cdf(x) + times(x, density);
      });
  check(
      "gelu, tanh", [](const X& dy, const X& x) { return gelu_backward(dy, x, Approximate::tanh); },
      [](Wide x) {
        const Wide p = tanh_cdf(x);
        const Wide slope = 2 * std::sqrt(2 / std::numbers::pi_v<Wide>) * (1 + Wide(3 * 0.044715) * x * x);
        return p == 0 || p == 1 ? p : p * (1 + x * slope * (1 - p));
      });
}

TYPED_TEST(SpecialValues, OfDropoutAndComparisonsKeepTheirPlaces) {
  using T = TypeParam;
  for (const T value : testing::special_values<T>()) {
    for (const Index count : {1, 7, 17, 40}) {
      const auto x = Tensor<T>::full({count}, value);
      EXPECT_TRUE(testing::all_same(greater(x, 1)));
      EXPECT_TRUE(testing::all_same(less_equal(x, 1)));
      EXPECT_TRUE(testing::all_same(equal_to(x, x)));
      EXPECT_EQ(isnan(x).data()[count - 1], std::isnan(value));
      EXPECT_TRUE(testing::all_same(where(greater(x, 1), x, 0)));
    }
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::special_values_test
