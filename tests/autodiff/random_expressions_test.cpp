// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/autodiff/functions.hpp>
#include <eigengrad/autodiff/grad.hpp>

#include "support/random_cases.hpp"

// Random expressions of Variables: their gradients, of first and second order, against differences; where an operation
// is given what it does not take, one of the library's errors. Never a crash, never another exception.

namespace eigengrad::EIGENGRAD_ISA::autodiff {
namespace {

using V = Variable<double>;
using Values = std::vector<V>;
using Tensors = std::vector<Tensor<double>>;
/// An operation on some of the values so far.
using Step = std::function<V(const Values&)>;

struct Counts {
  Index compared = 0;
  Index skipped = 0;  // too near to a kink for a difference to tell
  Index refused = 0;
};

class RandomProgram : public testing::Choices {
 public:
  RandomProgram(std::uint64_t number, Counts& counts) : Choices(number), number_(number), counts_(counts) {
    for (Index i = 0, leaves = 1 + below(3); i < leaves; ++i) {
      const Shape shape = i > 0 && one_in(2) ? shape_beside(at_[0].shape()) : this->shape(100);
      at_.push_back(tensor(shape));
    }
    Values values;
    for (const auto& value : at_) values.push_back(V(value));
    for (int attempt = 0; attempt < 12; ++attempt) append(values);
    weights_ = Tensor<double>::randn(values.back().shape(), rng());
    middle_ = static_cast<std::size_t>(below(static_cast<Index>(values.size())));
    for (const V& value : values) {
      for (const Index s : value.shape()) absurd_ = absurd_ || s > (Index{1} << 40);
    }
  }
  /// True if some value has sizes for which a derivative may be refused, beside a 0.
  bool absurd() const { return absurd_; }

  void compare() {
    const Tensors exact = gradients(leaves(at_), {});
    // The same by backward(), half of the leaves standing for parameters.
    std::vector<Parameter<double>> parameters(at_.size());
    Values variables;
    for (std::size_t i = 0; i < at_.size(); ++i) {
      parameters[i].value = at_[i];
      variables.push_back(i % 2 == 0 ? V(parameters[i]) : V::leaf(at_[i]));
    }
    const V y = number(variables);
    if (y.requires_grad()) y.backward();
    for (std::size_t i = 0; i < at_.size(); ++i) {
      const Tensor<double>& got = variables[i].grad();
      if (got.empty()) continue;  // used by nothing
      expect_near(got, exact[i], "backward");
    }
    expect_differences([&](const Tensors& at) { return number(constants(at)).item(); }, exact, "gradient");
    if (one_in(3)) compare_twice(exact);
  }

 private:
  Tensor<double> tensor(const Shape& shape) { return Tensor<double>::randn(shape, rng()); }

  static Values leaves(const Tensors& at) {
    Values result;
    for (const auto& value : at) result.push_back(V::leaf(value));
    return result;
  }
  static Values constants(const Tensors& at) { return {at.begin(), at.end()}; }

  /// The number whose gradients are compared.
  V number(Values values) const {
    for (const Step& step : steps_) values.push_back(step(values));
    return sum(values.back() * weights_) + 0.5 * sum(square(values[middle_]));
  }
  Tensors gradients(const Values& variables, const GradOptions& options) const {
    const V y = number(variables);
    Tensors result;
    if (!y.requires_grad()) {
      for (const V& v : variables) result.push_back(Tensor<double>::zeros(v.shape()));
      return result;
    }
    for (const V& g : grad(y, variables, V(1.0), options)) result.push_back(g.value());
    return result;
  }

  void compare_twice(const Tensors& exact) {
    Tensors direction;
    for (const auto& value : at_) direction.push_back(tensor(value.shape()));
    const auto slope = [&](const Values& variables) {
      const std::vector<V> first = grad(number(variables), variables, V(1.0), {.create_graph = true});
      V total(0.0);
      for (std::size_t i = 0; i < first.size(); ++i) total = total + sum(first[i] * direction[i]);
      return total;
    };
    if (!number(leaves(at_)).requires_grad()) return;
    expect_all_near(gradients(leaves(at_), {.create_graph = true}), exact, "gradient with create_graph");
    const Values variables = leaves(at_);
    const V y = slope(variables);
    if (!y.requires_grad()) return;
    Tensors second;
    for (const V& g : grad(y, variables, V(1.0))) second.push_back(g.value());
    expect_differences([&](const Tensors& at) { return slope(leaves(at)).item(); }, second, "second derivative");
  }

  std::string named(const std::string& what) const { return what + " of program " + std::to_string(number_); }

  void expect_near(const Tensor<double>& got, const Tensor<double>& expected, const std::string& what) const {
    ASSERT_EQ(got.shape(), expected.shape()) << named(what);
    for (Index i = 0; i < got.numel(); ++i) {
      const double scale = 1.0 + std::abs(expected.data()[i]);
      EXPECT_NEAR(got.data()[i], expected.data()[i], 1e-8 * scale) << named(what);
    }
  }
  void expect_all_near(const Tensors& got, const Tensors& expected, const std::string& what) const {
    for (std::size_t i = 0; i < got.size(); ++i) expect_near(got[i], expected[i], what);
  }

  /// A few elements of the gradients against central differences of two widths, which agree away from kinks.
  template <class F>
  void expect_differences(const F& f, const Tensors& exact, const std::string& what) {
    double scale = 1.0 + std::abs(f(at_));
    for (const auto& g : exact) {
      for (const double v : g.span()) scale = std::max(scale, std::abs(v));
    }
    if (scale > 1e4) return;
    for (std::size_t i = 0; i < at_.size(); ++i) {
      ASSERT_EQ(exact[i].shape(), at_[i].shape()) << named(what);
      for (Index k = 0; k < std::min<Index>(3, at_[i].numel()); ++k) {
        const Index element = below(at_[i].numel());
        const auto difference = [&](double width) {
          Tensors moved = at_;
          double* value = &moved[i].mutable_data()[element];
          const double centre = *value;
          *value = centre + width;
          const double above = f(moved);
          moved[i].mutable_data()[element] = centre - width;
          return (above - f(moved)) / (2.0 * width);
        };
        const double wide = difference(1e-4);
        const double narrow = difference(2e-5);
        if (!(std::abs(wide - narrow) <= 2e-6 * scale)) {
          ++counts_.skipped;
          continue;
        }
        ++counts_.compared;
        EXPECT_NEAR(narrow, exact[i].data()[element], 2e-5 * scale)
            << named(what) << ", leaf " << i << ", element " << element;
      }
    }
  }

  /// Tries an operation; keeps it if its result is small in size and values.
  void append(Values& values) {
    const Step step = random_step(values);
    try {
      V y = step(values);
      if (y.value().numel() > 500) return;
      for (const double v : y.value().span()) {
        if (!(std::abs(v) < 50.0)) return;
      }
      values.push_back(std::move(y));
      steps_.push_back(step);
    } catch (const Error&) {
      ++counts_.refused;
    } catch (const std::exception& error) {
      ADD_FAILURE() << named("step") << ": " << error.what();
    }
  }

  Step random_step(const Values& values);

  std::uint64_t number_;
  Counts& counts_;
  Tensors at_;
  std::vector<Step> steps_;
  Tensor<double> weights_;
  std::size_t middle_ = 0;
  bool absurd_ = false;
};

Step RandomProgram::random_step(const Values& values) {
  using Unary = V (*)(const V&);
  using Binary = V (*)(const V&, const V&);
  using Reduction = V (*)(const V&, const ops::Axes&, bool);
  // Where a function has no derivative or grows without bound, its argument is kept away from there.
  static const std::vector<Unary> kUnary = {[](const V& x) { return -x; },
                                            [](const V& x) { return exp(minimum(x, 2.0)); },
                                            [](const V& x) { return log(square(x) + 0.5); },
                                            [](const V& x) { return sqrt(square(x) + 0.5); },
                                            [](const V& x) { return abs(x); },
                                            [](const V& x) { return square(x); },
                                            [](const V& x) { return clamp(x, -0.8, 0.9); },
                                            [](const V& x) { return pow(x, 3); },
                                            [](const V& x) { return pow(square(x) + 0.5, 1.5); },
                                            [](const V& x) { return pow(2.0, minimum(x, 3.0)); },
                                            [](const V& x) { return 1.0 - 2.0 * x; },
                                            [](const V& x) { return 1.0 / (square(x) + 1.0); },
                                            [](const V& x) { return relu(x); },
                                            [](const V& x) { return sigmoid(x); },
                                            [](const V& x) { return tanh(x); },
                                            [](const V& x) { return silu(x); },
                                            [](const V& x) { return gelu(x); },
                                            [](const V& x) { return softmax(x); },
                                            [](const V& x) { return log_softmax(x); },
                                            [](const V& x) { return squeeze(x); },
                                            [](const V& x) { return maximum(0.3, x); }};
  static const std::vector<Binary> kBinary = {
      [](const V& a, const V& b) { return a + b; },
      [](const V& a, const V& b) { return a - b; },
      [](const V& a, const V& b) { return a * b; },
      [](const V& a, const V& b) { return a / (square(b) + 1.0); },
      [](const V& a, const V& b) { return maximum(a, b); },
      [](const V& a, const V& b) { return minimum(a, b); },
      [](const V& a, const V& b) { return pow(square(a) + 0.5, tanh(b)); },
      [](const V& a, const V& b) { return where(greater(a, 0.2), a * b, b); },
      [](const V& a, const V& b) { return mse_loss(a, b); },
      [](const V& a, const V& b) { return matmul(a, b); },
      [](const V& a, const V& b) { return matmul(a, b, {.transpose_b = true}); },
      [](const V& a, const V& b) { return matmul(a, b, {.transpose_a = true}); },
      [](const V& a, const V& b) { return sum_to(a, b.shape()); },
      [](const V& a, const V& b) { return broadcast_to(a, b.shape()); },
      [](const V& a, const V& b) { return reshape(a, b.shape()); },
      [](const V& a, const V& b) { return linear(a, b, sum(b, -1)); }};
  static const std::vector<Reduction> kReductions = {
      [](const V& x, const ops::Axes& a, bool k) { return sum(x, a, k); },
      [](const V& x, const ops::Axes& a, bool k) { return mean(x, a, k); },
      [](const V& x, const ops::Axes& a, bool k) { return var(x, a, k, 0.0); },
      [](const V& x, const ops::Axes& a, bool k) { return max(x, a, k); },
      [](const V& x, const ops::Axes& a, bool k) { return min(x, a, k); },
      [](const V& x, const ops::Axes& a, bool k) { return logsumexp(x, a, k); },
      [](const V& x, const ops::Axes& a, bool k) { return norm(x, a, k); }};

  const auto a = static_cast<std::size_t>(below(static_cast<Index>(values.size())));
  const auto b = static_cast<std::size_t>(below(static_cast<Index>(values.size())));
  const Shape shape = values[a].shape();
  const int first = axis(shape);
  const int second = axis(shape);
  const bool flag = one_in(2);
  const Index size = first >= -shape.rank() && first < shape.rank() ? shape[first] : 0;
  switch (below(14)) {
    case 0:
    case 1:
    case 2:
      return [a, f = of(kUnary)](const Values& v) { return f(v[a]); };
    case 3:
    case 4:
    case 5:
      return [a, b, f = of(kBinary)](const Values& v) { return f(v[a], v[b]); };
    case 6:
    case 7: {
      const ops::Axes axes = one_in(3) ? ops::Axes() : one_in(2) ? ops::Axes(first) : ops::Axes{first, second};
      return [a, axes, flag, f = of(kReductions)](const Values& v) { return f(v[a], axes, flag); };
    }
    case 8:
      return [=](const Values& v) { return flag ? transpose(v[a], first, second) : unsqueeze(v[a], first); };
    case 9: {
      const Index begin = position(size);
      const Index end = one_in(3) ? ops::kEnd : position(size);
      const Index step = one_in(2) ? 1 : position(3);
      if (flag) return [=](const Values& v) { return slice(v[a], first, begin, end, step); };
      return [=](const Values& v) {
        return unslice(v[a], shape.with(first, 2 * std::min<Index>(size, 100)), first, 0, ops::kEnd, 2);
      };
    }
    case 10: {
      std::vector<ops::PadWidth> widths(static_cast<std::size_t>(shape.rank()));
      for (ops::PadWidth& width : widths) width = {below(4) - 1, below(4) - 1};
      return [=](const Values& v) { return pad(v[a], ops::Padding(std::span<const ops::PadWidth>(widths)), 0.5); };
    }
    case 11: {
      const auto any_place = [&] {
        return size > 0 && !one_in(30) ? below(std::min<Index>(size, 100)) : position(size);
      };
      const auto indices = Tensor<Index>::generate({1 + below(4)}, any_place);
      if (flag) return [=](const Values& v) { return take(v[a], indices, first); };
      if (size == 0 || size > 100) return [=](const Values& v) { return squeeze(v[a], first); };
      const auto places = Tensor<Index>::generate(shape, any_place);
      if (one_in(2)) return [=](const Values& v) { return scatter_add(v[a], first, places, shape); };
      return [=](const Values& v) { return gather(v[a], first, places); };
    }
    case 12: {
      if (flag) return [=](const Values& v) { return concat({v[a], v[b], v[a]}, first); };
      return [=](const Values& v) { return stack({v[a], v[b] + 0.0 * v[a]}, first); };
    }
    default: {
      const auto labels = Tensor<Index>::generate({std::min<Index>(shape.numel() == 0 ? 2 : shape.rows(), 100)},
                                                  [&] { return below(std::clamp<Index>(shape.cols(), 1, 100)); });
      return [=](const Values& v) { return softmax_cross_entropy(v[a], labels); };
    }
  }
}

TEST(RandomExpressions, HaveTheGradientsThatDifferencesShow) {
  const Index cases = testing::random_case_count(12000);
  Counts counts;
  for (Index number = 0; number < cases && testing::few_failures(); ++number) {
    RandomProgram program(static_cast<std::uint64_t>(number), counts);
    try {
      program.compare();
    } catch (const std::exception& error) {
      EXPECT_TRUE(program.absurd() && dynamic_cast<const Error*>(&error) != nullptr)
          << "program " << number << ": " << error.what();
    }
  }
  EXPECT_GT(counts.compared, 10 * counts.skipped);
  EXPECT_GT(counts.refused, cases / 10);
  RecordProperty("compared", std::to_string(counts.compared));
  RecordProperty("skipped", std::to_string(counts.skipped));
  RecordProperty("refused", std::to_string(counts.refused));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
