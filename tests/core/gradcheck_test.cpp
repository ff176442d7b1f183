// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>

namespace eigengrad::EIGENGRAD_ISA {
namespace {

/// y = s x, as a user would write it; the second template argument spoils one thing.
enum class Fault { none, input, parameter, missing, shape, nan };

template <Fault fault>
struct Scale {
  Parameter<double> s{Tensor<double>::full({1}, 1.5)};
  Tensor<double> x_;

  Shape output_shape(const Shape& x) const { return x; }
  Tensor<double> forward(Tensor<double> x, Mode) {
    x_ = x;
    x.mutable_array() *= s.value.item();
    return x;
  }
  Tensor<double> backward(Tensor<double> dy) {
    const double ds = (dy.array() * x_.array()).sum();
    if (fault != Fault::missing) s.add_grad(Tensor<double>({1}, {fault == Fault::parameter ? 1.001 * ds : ds}));
    dy.mutable_array() *= s.value.item();
    if (fault == Fault::input) dy.mutable_data()[5] *= 1.0001;
    if (fault == Fault::nan) dy.mutable_data()[5] = std::numeric_limits<double>::quiet_NaN();
    if (fault == Fault::shape) return dy.reshape({-1});
    return dy;
  }
  void visit(auto&& f) { f("s", s); }
  std::string description() const { return "Scale"; }
};

static_assert(Layer<Scale<Fault::none>>);

TEST(Gradcheck, PassesARightBackward) {
  const GradcheckResult result = gradcheck(Scale<Fault::none>{}, {4, 8});
  EXPECT_TRUE(result);
  EXPECT_LT(result.largest_error, 1e-8);
}

/// y = x^2 whose dx is multiplied by a factor.
struct Scaled {
  double factor;
  Tensor<double> x_;
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<double> forward(Tensor<double> x, Mode) {
    x_ = x;
    x.mutable_array() *= x_.array();
    return x;
  }
  Tensor<double> backward(Tensor<double> dy) {
    dy.mutable_array() *= 2.0 * factor * x_.array();
    return dy;
  }
};

TEST(Gradcheck, SaysIfAFactorIsAllThatIsWrong) {
  const auto ends_with = [](double factor, const std::string& text) {
    const GradcheckResult result = gradcheck(Scaled{factor, {}}, {3, 4});
    EXPECT_EQ(bool(result), factor == 1.0);
    EXPECT_TRUE(result.message.ends_with(text)) << result.message;
    EXPECT_EQ(result.message.find("all of x") != std::string::npos, factor != 1.0) << result.message;
  };
  ends_with(1.0, "");
  ends_with(2.0, "; all of x is 2.00 times too large");
  ends_with(1.0 / 3.0, "; all of x is 3.00 times too small");
  ends_with(-1.0, "; all of x has the wrong sign");
  ends_with(-0.5, "; all of x is 2.00 times too small and has the wrong sign");
  EXPECT_EQ(gradcheck(Scale<Fault::input>{}, {2, 4}).message.find("all of"), std::string::npos);
}

TEST(Gradcheck, RefusesAWrongBackward) {
  const GradcheckResult input = gradcheck(Scale<Fault::input>{}, {2, 4});
  EXPECT_FALSE(input);
  EXPECT_NE(input.message.find("gradcheck of Scale failed"), std::string::npos) << input;
  EXPECT_NE(input.message.find("x[1, 1]: analytic "), std::string::npos) << input;
  EXPECT_GT(input.largest_error, 1e-5);
  EXPECT_LT(input.largest_error, 1.01e-4);

  const GradcheckResult parameter = gradcheck(Scale<Fault::parameter>{}, {2, 4});
  EXPECT_FALSE(parameter);
  EXPECT_NE(parameter.message.find("s[0]: analytic "), std::string::npos) << parameter;
}

TEST(Gradcheck, RefusesAMissingGradient) {
  const GradcheckResult result = gradcheck(Scale<Fault::missing>{}, {2, 4});
  EXPECT_FALSE(result);
  EXPECT_NE(result.message.find("backward has brought s no gradient: it must call add_grad"), std::string::npos)
      << result;
}

TEST(Gradcheck, RefusesAWrongShapeAndNaN) {
  EXPECT_FALSE(gradcheck(Scale<Fault::shape>{}, {2, 4}));
  EXPECT_FALSE(gradcheck(Scale<Fault::nan>{}, {2, 4}));
}

TEST(Gradcheck, PassesAnErrorAsLargeAsItsTolerance) {
  const GradcheckResult strict = gradcheck(Scale<Fault::input>{}, {2, 4});
  EXPECT_TRUE(gradcheck(Scale<Fault::input>{}, {2, 4}, {.tolerance = strict.largest_error}));
  EXPECT_FALSE(gradcheck(Scale<Fault::input>{}, {2, 4}, {.tolerance = 0.999 * strict.largest_error}));
}

/// The sum of (x - target)^2 x: the two arguments cannot stand in for each other.
struct Cubic {
  double factor = 1.0;
  Tensor<double> x_, target_;
  double forward(const Tensor<double>& x, const Tensor<double>& target) {
    x_ = x;
    target_ = target;
    return ((x.array() - target.array()).square() * x.array()).sum();
  }
  Tensor<double> backward() {
    Tensor<double> dx(x_.shape());
    const auto d = x_.array() - target_.array();
    dx.mutable_array() = factor * (2.0 * d * x_.array() + d.square());
    return dx;
  }
};

TEST(Gradcheck, ChecksALoss) {
  const Tensor<double> x({3}, {0.5, -1.0, 2.0}), target({3}, {0.25, 0.5, -1.0});
  const GradcheckResult result = gradcheck(Cubic{}, x, target);
  EXPECT_TRUE(result);
  EXPECT_LT(result.largest_error, 1e-8);
  EXPECT_FALSE(gradcheck(Cubic{1.001, {}, {}}, x, target));
}

TEST(Gradcheck, ItsMessageReachesGoogleTest) {
  const ::testing::AssertionResult result = gradcheck(Scale<Fault::input>{}, {2, 4});
  EXPECT_FALSE(result);
  EXPECT_NE(std::string(result.failure_message()).find("numeric"), std::string::npos);
}

TEST(Gradcheck, InputsAreDistinctAndOffZero) {
  for (const Index n : {1, 2, 5, 100, 101}) {
    Rng rng(3);
    const Tensor<double> x = detail::distinct_numbers({n}, rng);
    std::vector<double> sorted(x.span().begin(), x.span().end());
    std::sort(sorted.begin(), sorted.end());
    const double step = 4.0 / static_cast<double>(n);
    for (std::size_t i = 0; i + 1 < sorted.size(); ++i) EXPECT_NEAR(sorted[i + 1] - sorted[i], step, 1e-9);
    for (const double value : sorted) EXPECT_GE(std::abs(value), 0.2 * step);
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
