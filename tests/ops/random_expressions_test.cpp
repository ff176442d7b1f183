// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <functional>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/arithmetic.hpp>
#include <eigengrad/ops/compare.hpp>
#include <eigengrad/ops/concat.hpp>
#include <eigengrad/ops/cross_entropy.hpp>
#include <eigengrad/ops/gather.hpp>
#include <eigengrad/ops/gelu.hpp>
#include <eigengrad/ops/leaky_relu.hpp>
#include <eigengrad/ops/linear.hpp>
#include <eigengrad/ops/log_softmax.hpp>
#include <eigengrad/ops/matmul.hpp>
#include <eigengrad/ops/mse_loss.hpp>
#include <eigengrad/ops/pad.hpp>
#include <eigengrad/ops/permute.hpp>
#include <eigengrad/ops/pow.hpp>
#include <eigengrad/ops/reduce.hpp>
#include <eigengrad/ops/relu.hpp>
#include <eigengrad/ops/sigmoid.hpp>
#include <eigengrad/ops/silu.hpp>
#include <eigengrad/ops/slice.hpp>
#include <eigengrad/ops/softmax.hpp>
#include <eigengrad/ops/take.hpp>
#include <eigengrad/ops/tanh.hpp>
#include <eigengrad/ops/where.hpp>

#include "support/positions.hpp"
#include "support/random_cases.hpp"

// Random operations with random arguments, fitting and absurd ones, on each other's results: what their definition
// gives, in plain loops, or one of the library's errors if the definition gives nothing. Never a crash, never another
// exception.

namespace eigengrad::EIGENGRAD_ISA::ops::random_expressions_test {
namespace {

using testing::for_positions;
using testing::number_of;
using testing::Position;
using X = Tensor<double>;
using Sizes = std::vector<Index>;

/// What an operation gives.
struct Definition {
  Sizes sizes;
  std::function<double(const Position&)> element;
};
/// Nothing: the operation must refuse.
using Expected = std::optional<Definition>;

Sizes sizes_of(const Shape& shape) { return {shape.begin(), shape.end()}; }

std::optional<Sizes> joined(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Sizes sizes(static_cast<std::size_t>(rank));
  for (int from_end = 1; from_end <= rank; ++from_end) {
    const Index in_a = from_end <= a.rank() ? a[-from_end] : 1;
    const Index in_b = from_end <= b.rank() ? b[-from_end] : 1;
    if (in_a != in_b && in_a != 1 && in_b != 1) return {};
    sizes[static_cast<std::size_t>(rank - from_end)] = in_a == 1 ? in_b : in_a;
  }
  return sizes;
}

/// The element of x that stands at a position of a shape of the given rank that x broadcasts to.
double repeated(const X& x, const Position& at, std::size_t rank) {
  Position own{};
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto place = static_cast<std::size_t>(axis) + rank - static_cast<std::size_t>(x.rank());
    own[static_cast<std::size_t>(axis)] = x.size(axis) == 1 ? 0 : at[place];
  }
  return x.data()[number_of(x.shape(), own)];
}

std::optional<int> axis_of(int axis, int rank) {
  if (axis < -rank || axis >= rank) return {};
  return axis < 0 ? axis + rank : axis;
}

struct Counts {
  Index computed = 0;
  Index refused = 0;
};

class RandomCase : public testing::Choices {
 public:
  RandomCase(std::uint64_t number, Counts& counts) : Choices(number), number_(number), counts_(counts) {
    for (int i = 0; i < 3; ++i) pool_.push_back(tensor(shape()));
  }

  /// One step: an operation on tensors of the pool, whose result joins them.
  void step();

 private:
  X tensor(const Shape& shape) {
    return X::generate(shape, [&] { return one_in(10) ? static_cast<double>(below(5)) - 2.0 : rng().normal(); });
  }
  const X& any() { return of(pool_); }
  X beside(const X& x) {
    const Shape shape = shape_beside(x.shape());
    for (const X& other : pool_) {
      if (other.shape() == shape && one_in(2)) return other;
    }
    return tensor(shape);
  }

  template <class Y>
  static double as_double(Y y) {
    return static_cast<double>(y);
  }
  static bool same(double got, double expected) {
    if (std::isnan(expected)) return std::isnan(got);
    return got == expected || std::abs(got - expected) <= 1e-9 * std::max(1.0, std::abs(expected));
  }

  /// Runs an operation and compares. What would only take long, neither small nor beyond all memory, is left out.
  template <class F>
  void check(const std::string& name, const F& run, const Expected& expected) {
    constexpr double kSmall = 1e5;
    constexpr double kBeyondMemory = 140737488355328.0;  // 2^47
    double count = 1.0;
    double without_zeros = 1.0;
    if (expected) {
      for (const Index size : expected->sizes) {
        count *= as_double(size);
        if (size != 0) without_zeros *= as_double(size);
      }
      if (expected->sizes.size() > static_cast<std::size_t>(Shape::kMaxRank)) count = 1e300;
    }
    if (expected && count > kSmall && count < kBeyondMemory) return;
    const bool defined = expected && count <= kSmall;
    const std::string where = name + ", case " + std::to_string(number_);
    try {
      const auto y = run();
      ++counts_.computed;
      ASSERT_TRUE(defined) << where << ": not refused, gives shape " << y.shape();
      ASSERT_EQ(y.shape(), Shape(expected->sizes)) << where;
      for_positions(y.shape(), [&](Index i, const Position& at) {
        const double value = as_double(y.data()[i]);
        const double by_definition = expected->element(at);
        EXPECT_PRED2(same, value, by_definition) << where << ", element " << i << " of " << y.shape();
      });
      keep(y);
    } catch (const Error& error) {
      ++counts_.refused;
      // Sizes beside a 0 may be refused for what they would be without it.
      EXPECT_FALSE(defined && without_zeros < kBeyondMemory) << where << ": " << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << where << ": " << typeid(error).name() << " " << error.what();
    }
  }
  void keep(const X& y) {
    for (const double value : y.span()) {
      if (!(std::abs(value) < 1e4)) return;
    }
    if (y.numel() <= 2000) pool_[static_cast<std::size_t>(below(3))] = y;
  }
  template <class Y>
  void keep(const Y&) {}

  template <class F>
  Expected each(const X& x, const F& f) {
    return Definition{sizes_of(x.shape()),
                      [=](const Position& at) { return static_cast<double>(f(x.data()[number_of(x.shape(), at)])); }};
  }
  template <class F>
  Expected pair(const X& a, const X& b, const F& f) {
    const auto sizes = joined(a.shape(), b.shape());
    if (!sizes) return {};
    return Definition{*sizes, [=, rank = sizes->size()](const Position& at) {
                        return static_cast<double>(f(repeated(a, at, rank), repeated(b, at, rank)));
                      }};
  }

  void element_by_element();
  void two_operands();
  void reductions();
  void integer_sums();
  void shapes();
  void places();
  void parts();
  void products();
  void rows();
  void derivatives();

  std::uint64_t number_;
  Counts& counts_;
  std::vector<X> pool_;
};

void RandomCase::element_by_element() {
  struct Function {
    const char* name;
    X (*run)(const X&);
    double (*definition)(double);
  };
  static const std::vector<Function> kFunctions = {
      {"neg", [](const X& x) { return neg(x); }, [](double v) { return -v; }},
      {"exp", [](const X& x) { return exp(x); }, [](double v) { return std::exp(v); }},
      {"log", [](const X& x) { return log(x); }, [](double v) { return std::log(v); }},
      {"sqrt", [](const X& x) { return sqrt(x); }, [](double v) { return std::sqrt(v); }},
      {"abs", [](const X& x) { return abs(x); }, [](double v) { return std::abs(v); }},
      {"square", [](const X& x) { return square(x); }, [](double v) { return v * v; }},
      {"clamp", [](const X& x) { return clamp(x, -0.5, 1.0); }, [](double v) { return std::clamp(v, -0.5, 1.0); }},
      {"relu", [](const X& x) { return relu(x); }, [](double v) { return std::max(v, 0.0); }},
      {"leaky_relu", [](const X& x) { return leaky_relu(x, 0.1); }, [](double v) { return v > 0 ? v : 0.1 * v; }},
      {"sigmoid", [](const X& x) { return sigmoid(x); }, [](double v) { return 1.0 / (1.0 + std::exp(-v)); }},
      {"tanh", [](const X& x) { return tanh(x); }, [](double v) { return std::tanh(v); }},
      {"silu", [](const X& x) { return silu(x); }, [](double v) { return v / (1.0 + std::exp(-v)); }},
      {"gelu", [](const X& x) { return gelu(x); },
       [](double v) { return 0.5 * v * std::erfc(-v / std::numbers::sqrt2); }},
      {"pow 3", [](const X& x) { return pow(x, 3); }, [](double v) { return v * v * v; }},
      {"2 pow", [](const X& x) { return pow(2.0, x); }, [](double v) { return std::exp2(v); }},
      {"1 - x", [](const X& x) { return 1.0 - x; }, [](double v) { return 1.0 - v; }},
      {"2 / x", [](const X& x) { return 2.0 / x; }, [](double v) { return 2.0 / v; }},
      {"maximum 0.1", [](const X& x) { return maximum(0.1, x); }, [](double v) { return std::max(v, 0.1); }},
      {"minimum 0.1", [](const X& x) { return minimum(x, 0.1); }, [](double v) { return std::min(v, 0.1); }}};
  const Function& f = of(kFunctions);
  const X x = any();
  check(
      f.name, [&] { return f.run(x); }, each(x, f.definition));
}

void RandomCase::two_operands() {
  const X a = any();
  const X b = one_in(2) ? beside(a) : any();
  switch (below(12)) {
    case 0:
      return check(
          "add", [&] { return a + b; }, pair(a, b, std::plus<>()));
    case 1:
      return check(
          "sub", [&] { return a - b; }, pair(a, b, std::minus<>()));
    case 2:
      return check(
          "mul", [&] { return a * b; }, pair(a, b, std::multiplies<>()));
    case 3:
      return check(
          "div", [&] { return a / b; }, pair(a, b, std::divides<>()));
    case 4:
      return check(
          "maximum", [&] { return maximum(a, b); }, pair(a, b, [](double v, double w) { return std::max(v, w); }));
    case 5:
      return check(
          "minimum", [&] { return minimum(a, b); }, pair(a, b, [](double v, double w) { return std::min(v, w); }));
    case 6:
      return check(
          "pow", [&] { return pow(a, b); }, pair(a, b, [](double v, double w) { return std::pow(v, w); }));
    case 7:
      return check(
          "greater", [&] { return greater(a, b); }, pair(a, b, std::greater<>()));
    case 8:
      return check(
          "less_equal", [&] { return less_equal(a, b); }, pair(a, b, std::less_equal<>()));
    case 9:
      return check(
          "equal_to", [&] { return equal_to(a, b); }, pair(a, b, std::equal_to<>()));
    case 10:
      return check(
          "logical_or", [&] { return logical_or(greater(a, 0), logical_not(less(b, 1))); },
          pair(a, b, [](double v, double w) { return v > 0 || w >= 1; }));
    default: {
      const X c = beside(a);
      Expected expected;
      const auto first = joined(a.shape(), b.shape());
      if (first) {
        try {
          const auto all = joined(c.shape(), Shape(*first));
          if (all) {
            expected = Definition{*all, [=, rank = all->size()](const Position& at) {
                                    return repeated(c, at, rank) > 0 ? repeated(a, at, rank) : repeated(b, at, rank);
                                  }};
          }
        } catch (const ShapeError&) {
        }
      }
      return check(
          "where", [&] { return where(greater(c, 0), a, b); }, expected);
    }
  }
}

/// The axes of a reduction, as a caller writes them and as a mask; no mask if they are wrong.
struct SomeAxes {
  Axes axes;
  std::optional<detail::AxisMask> mask;
};
SomeAxes some_axes(testing::Choices& choices, const Shape& x) {
  if (choices.one_in(4)) return {{}, (detail::AxisMask{1} << x.rank()) - 1};
  const auto valid = [&](std::initializer_list<int> list) {
    detail::AxisMask mask = 0;
    for (const int any : list) {
      const auto axis = axis_of(any, x.rank());
      if (!axis || ((mask >> *axis) & 1U) != 0) return std::optional<detail::AxisMask>();
      mask |= detail::AxisMask{1} << *axis;
    }
    return std::optional<detail::AxisMask>(mask);
  };
  const int a = choices.axis(x);
  const int b = choices.axis(x);
  if (choices.one_in(2)) return {a, valid({a})};
  return {{a, b}, valid({a, b})};
}

void RandomCase::reductions() {
  using Group = std::vector<double>;
  struct Function {
    const char* name;
    X (*run)(const X&, const Axes&, bool);
    double (*definition)(const Group&);
    bool of_nothing;
  };
  static const auto kSum = [](const Group& g) {
    double total = 0.0;
    for (const double v : g) total += v;
    return total;
  };
  static const auto kMean = [](const Group& g) { return kSum(g) / as_double(g.size()); };
  static const std::vector<Function> kFunctions = {
      {"sum", [](const X& x, const Axes& a, bool k) { return sum(x, a, k); }, kSum, true},
      {"mean", [](const X& x, const Axes& a, bool k) { return mean(x, a, k); }, kMean, true},
      {"var", [](const X& x, const Axes& a, bool k) { return var(x, a, k); },
       [](const Group& g) {
         double total = 0.0;
         for (const double v : g) total += (v - kMean(g)) * (v - kMean(g));
         return total / std::max(0.0, as_double(g.size()) - 1.0);
       },
       true},
      {"norm", [](const X& x, const Axes& a, bool k) { return norm(x, a, k); },
       [](const Group& g) {
         double total = 0.0;
         for (const double v : g) total += v * v;
         return std::sqrt(total);
       },
       true},
      {"logsumexp", [](const X& x, const Axes& a, bool k) { return logsumexp(x, a, k); },
       [](const Group& g) {
         if (g.empty()) return -std::numeric_limits<double>::infinity();
         const double largest = *std::max_element(g.begin(), g.end());
         double total = 0.0;
         for (const double v : g) total += std::exp(v - largest);
         return largest + std::log(total);
       },
       true},
      {"max", [](const X& x, const Axes& a, bool k) { return max(x, a, k); },
       [](const Group& g) { return *std::max_element(g.begin(), g.end()); }, false},
      {"min", [](const X& x, const Axes& a, bool k) { return min(x, a, k); },
       [](const Group& g) { return *std::min_element(g.begin(), g.end()); }, false},
      {"argmax",
       [](const X& x, const Axes& a, bool k) {
         int axis = 0;  // the only one, or of all none that argmax takes
         const detail::AxisMask mask = a.mask("argmax", x.shape());
         while (axis < x.rank() && mask != detail::AxisMask{1} << axis) ++axis;
         return argmax(x, axis, k).cast<double>();
       },
       [](const Group& g) { return as_double(std::max_element(g.begin(), g.end()) - g.begin()); }, false}};
  const Function& f = of(kFunctions);
  const X x = any();
  const SomeAxes some = some_axes(*this, x.shape());
  const bool keepdims = one_in(2);
  Expected expected;
  if (some.mask) {
    const detail::AxisMask mask = *some.mask;
    Sizes sizes, kept;
    double count = 1.0;
    for (int axis = 0; axis < x.rank(); ++axis) {
      const bool reduced = ((mask >> axis) & 1U) != 0;
      kept.push_back(reduced ? 1 : x.size(axis));
      if (!reduced || keepdims) sizes.push_back(kept.back());
      if (reduced) count *= as_double(x.size(axis));
    }
    const bool one_axis = std::popcount(mask) == 1;
    if ((f.of_nothing || count > 0) && (f.name != std::string("argmax") || one_axis)) {
      expected = Definition{sizes, [=](const Position& at) {
                              Position all{};  // of the result, with every axis
                              for (int axis = 0, own = 0; axis < x.rank(); ++axis) {
                                const bool reduced = ((mask >> axis) & 1U) != 0;
                                if (!reduced || keepdims)
                                  all[static_cast<std::size_t>(axis)] = at[static_cast<std::size_t>(own++)];
                              }
                              Group group;
                              for_positions(x.shape(), [&](Index i, const Position& p) {
                                for (int axis = 0; axis < x.rank(); ++axis) {
                                  const auto n = static_cast<std::size_t>(axis);
                                  if (((mask >> axis) & 1U) == 0 && p[n] != all[n]) return;
                                }
                                group.push_back(x.data()[i]);
                              });
                              return f.definition(group);
                            }};
    }
  }
  check(
      f.name, [&] { return f.run(x, some.axes, keepdims); }, expected);
}

void RandomCase::integer_sums() {
  const X x = any();
  const auto rounded = [](const X& t) { return t.cast<std::int8_t>(); };
  double total = 0.0;
  double positive = 0.0;
  for (const double v : x.span()) {
    if (std::abs(v) > 100.0) return;  // not for bytes
    total += as_double(static_cast<std::int8_t>(v));
    positive += v > 0.0 ? 1.0 : 0.0;
  }
  if (one_in(2))
    check(
        "sum of bool", [&] { return sum(greater(x, 0)); }, Definition{{}, [=](const Position&) { return positive; }});
  else
    check(
        "sum of bytes", [&] { return sum_to(rounded(x), {}); }, Definition{{}, [=](const Position&) { return total; }});
}

/// The element of x with the given number.
Definition numbered(const X& x, Sizes sizes, std::function<Index(const Position&)> number) {
  return {std::move(sizes), [=](const Position& at) { return x.data()[number(at)]; }};
}

void RandomCase::shapes() {
  const X x = any();
  const Shape shape = x.shape();
  switch (below(7)) {
    case 0: {
      Sizes sizes = one_in(3) ? sizes_of(this->shape()) : sizes_of(shape);
      if (sizes.size() > 1 && one_in(2)) {
        std::swap(sizes.front(), sizes.back());
      } else if (sizes.size() > 1 && one_in(2)) {
        sizes.front() *= sizes.back() < 1000 && sizes.front() < 1000 ? sizes.back() : 1;
        sizes.pop_back();
      }
      if (!sizes.empty() && one_in(20)) sizes.back() = absurd_size();
      double count = 1.0;
      for (const Index size : sizes) count *= as_double(size);
      Expected expected;
      if (count == as_double(x.numel())) {
        expected = Definition{sizes, [=](const Position& at) { return x.data()[number_of(Shape(sizes), at)]; }};
      }
      return check(
          "reshape", [&] { return reshape(x, Shape(sizes)); }, expected);
    }
    case 1: {
      const int any_axis = axis(shape);
      const auto place = axis_of(any_axis, shape.rank() + 1);
      Expected expected;
      if (place && shape.rank() < Shape::kMaxRank) {
        Sizes sizes = sizes_of(shape);
        sizes.insert(sizes.begin() + *place, 1);
        expected = numbered(x, sizes, [=](const Position& at) { return number_of(Shape(sizes), at); });
      }
      return check(
          "unsqueeze", [&] { return unsqueeze(x, any_axis); }, expected);
    }
    case 2: {
      const int any_axis = axis(shape);
      const auto place = axis_of(any_axis, shape.rank());
      Expected expected;
      if (place && shape[*place] == 1) {
        Sizes sizes = sizes_of(shape);
        sizes.erase(sizes.begin() + *place);
        expected = numbered(x, sizes, [=](const Position& at) { return number_of(Shape(sizes), at); });
      }
      return check(
          "squeeze", [&] { return squeeze(x, any_axis); }, expected);
    }
    case 3: {
      std::vector<int> order(static_cast<std::size_t>(one_in(15) ? below(8) : shape.rank()));
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
      for (std::size_t i = 1; i < order.size(); ++i)
        std::swap(order[i], order[static_cast<std::size_t>(below(static_cast<Index>(i) + 1))]);
      if (!order.empty() && one_in(15)) order[0] = axis(shape);
      Expected expected;
      std::vector<int> seen;
      for (const int any_axis : order) {
        const auto axis = axis_of(any_axis, shape.rank());
        if (axis && std::find(seen.begin(), seen.end(), *axis) == seen.end()) seen.push_back(*axis);
      }
      if (seen.size() == order.size() && static_cast<int>(order.size()) == shape.rank()) {
        Sizes sizes;
        for (const int axis : seen) sizes.push_back(shape[axis]);
        expected = numbered(x, sizes, [=](const Position& at) {
          Position from{};
          for (std::size_t i = 0; i < seen.size(); ++i) from[static_cast<std::size_t>(seen[i])] = at[i];
          return number_of(shape, from);
        });
      }
      return check(
          "permute", [&] { return permute(x, AxisOrder(std::span<const int>(order))); }, expected);
    }
    case 4: {
      const int any_first = axis(shape);
      const int any_second = axis(shape);
      const auto first = axis_of(any_first, shape.rank());
      const auto second = axis_of(any_second, shape.rank());
      Expected expected;
      if (first && second) {
        Sizes sizes = sizes_of(shape);
        std::swap(sizes[static_cast<std::size_t>(*first)], sizes[static_cast<std::size_t>(*second)]);
        expected = numbered(x, sizes, [=](Position at) {
          std::swap(at[static_cast<std::size_t>(*first)], at[static_cast<std::size_t>(*second)]);
          return number_of(shape, at);
        });
      }
      return check(
          "transpose", [&] { return transpose(x, any_first, any_second); }, expected);
    }
    case 5: {
      Sizes sizes = sizes_of(shape);
      for (Index& s : sizes) {
        if (s == 1 && one_in(2)) s = one_in(20) ? absurd_size() : size();
        if (one_in(40)) s = size();
      }
      while (sizes.size() < 6 && one_in(3)) sizes.insert(sizes.begin(), size());
      bool fits = sizes.size() >= static_cast<std::size_t>(shape.rank());
      for (int i = 1; fits && i <= shape.rank(); ++i)
        fits = shape[-i] == 1 || shape[-i] == sizes[sizes.size() - static_cast<std::size_t>(i)];
      Expected expected;
      if (fits) {
        expected = Definition{sizes, [=, rank = sizes.size()](const Position& at) { return repeated(x, at, rank); }};
      }
      return check(
          "broadcast_to", [&] { return broadcast_to(x, Shape(sizes)); }, expected);
    }
    default: {
      const Shape to = shape_beside(shape);
      bool fits = to.rank() <= shape.rank();
      for (int i = 1; fits && i <= to.rank(); ++i) fits = to[-i] == 1 || to[-i] == shape[-i];
      Expected expected;
      if (fits) {
        expected = Definition{sizes_of(to), [=](const Position& at) {
                                double total = 0.0;
                                for_positions(shape, [&](Index i, const Position& p) {
                                  for (int n = 1; n <= to.rank(); ++n) {
                                    const auto own = static_cast<std::size_t>(to.rank() - n);
                                    if (to[-n] != 1 && p[static_cast<std::size_t>(shape.rank() - n)] != at[own]) return;
                                  }
                                  total += x.data()[i];
                                });
                                return total;
                              }};
      }
      return check(
          "sum_to", [&] { return sum_to(x, to); }, expected);
    }
  }
}

/// The positions that a slice takes of an axis.
Sizes slice_positions(Index size, Index begin, Index end, Index step) {
  const auto place = [&](Index p) { return std::clamp<Index>(p < 0 ? p + size : p, 0, size); };
  Sizes positions;
  for (Index at = place(begin); at < place(end);) {
    positions.push_back(at);
    if (step >= place(end) - at) break;
    at += step;
  }
  return positions;
}

void RandomCase::places() {
  const X x = any();
  const Shape shape = x.shape();
  const int any_axis = axis(shape);
  const auto axis = axis_of(any_axis, shape.rank());
  const auto place = static_cast<std::size_t>(axis.value_or(0));
  const Index size = axis ? shape[*axis] : 1;
  switch (below(7)) {
    case 0:
    case 1: {
      const Index begin = position(size);
      const Index end = one_in(5) ? kEnd : position(size);
      const Index step = one_in(2) ? 1 : position(4);
      const bool fits = axis && step > 0;
      if (fits && size > 1000) return;  // of nothing, with an absurd size
      const Sizes taken = fits ? slice_positions(size, begin, end, step) : Sizes();
      Expected expected;
      if (fits) {
        Sizes sizes = sizes_of(shape);
        sizes[place] = static_cast<Index>(taken.size());
        expected = numbered(x, sizes, [=](Position at) {
          at[place] = taken[static_cast<std::size_t>(at[place])];
          return number_of(shape, at);
        });
      }
      check(
          "slice", [&] { return slice(x, any_axis, begin, end, step); }, expected);
      if (!fits || one_in(2)) return;
      const X y = tensor(Shape(expected->sizes));
      return check(
          "unslice", [&] { return unslice(y, shape, any_axis, begin, end, step); },
          Definition{sizes_of(shape), [=](Position at) {
                       const auto found = std::find(taken.begin(), taken.end(), at[place]);
                       if (found == taken.end()) return 0.0;
                       at[place] = found - taken.begin();
                       return y.data()[number_of(y.shape(), at)];
                     }});
    }
    case 2: {
      std::vector<PadWidth> widths(static_cast<std::size_t>(one_in(20) ? below(8) : shape.rank()));
      for (PadWidth& width : widths) {
        if (one_in(2)) width = {below(6) - 2, below(6) - 2};
        if (one_in(30)) width = {position(3), position(3)};
      }
      Expected expected;
      if (static_cast<int>(widths.size()) == shape.rank()) {
        Sizes sizes;
        bool fits = true;
        for (std::size_t i = 0; i < widths.size(); ++i) {
          const Index own = shape[static_cast<int>(i)];
          const auto wide = static_cast<long double>(own) + static_cast<long double>(widths[i].before) +
                            static_cast<long double>(widths[i].after);
          fits = fits && wide >= 0 && wide <= std::numeric_limits<Index>::max() &&
                 own + std::min<Index>(widths[i].before, 0) >= 0 && own + std::min<Index>(widths[i].after, 0) >= 0;
          sizes.push_back(static_cast<Index>(wide));
        }
        if (fits) {
          expected = Definition{sizes, [=](Position at) {
                                  for (int i = 0; i < shape.rank(); ++i) {
                                    const auto n = static_cast<std::size_t>(i);
                                    at[n] -= widths[n].before;
                                    if (at[n] < 0 || at[n] >= shape[i]) return 7.0;
                                  }
                                  return x.data()[number_of(shape, at)];
                                }};
        }
      }
      return check(
          "pad", [&] { return pad(x, Padding(std::span<const PadWidth>(widths)), 7.0); }, expected);
    }
    case 3: {
      const Shape list = one_in(2) ? Shape{below(5)} : this->shape(20);
      const auto indices =
          Tensor<Index>::generate(list, [&] { return size > 0 && !one_in(60) ? below(size) : position(size); });
      bool inside = true;
      for (const Index i : indices.span()) inside = inside && i >= 0 && i < size;
      Sizes sizes(shape.begin(), shape.end());
      Expected expected;
      if (axis && inside) {
        sizes.erase(sizes.begin() + *axis);
        sizes.insert(sizes.begin() + *axis, list.begin(), list.end());
        expected = numbered(x, sizes, [=](const Position& at) {
          Position from{};
          std::copy_n(at.begin(), place, from.begin());
          Position within{};
          std::copy_n(at.begin() + *axis, list.rank(), within.begin());
          from[place] = indices.data()[number_of(list, within)];
          const auto rest = static_cast<std::size_t>(list.rank());
          for (std::size_t i = place + 1; i < static_cast<std::size_t>(shape.rank()); ++i) from[i] = at[i - 1 + rest];
          return number_of(shape, from);
        });
      }
      if (expected && expected->sizes.size() > 6) expected.reset();
      return check(
          "take", [&] { return take(x, indices, any_axis); }, expected);
    }
    case 4: {
      Shape list = shape;
      if (axis && size < 1000) list = shape.with(*axis, below(5));
      if (one_in(15)) list = this->shape();
      if (list.numel() > 3000) return;
      const auto indices =
          Tensor<Index>::generate(list, [&] { return size > 0 && !one_in(200) ? below(size) : position(size); });
      bool fits = axis && list.rank() == shape.rank();
      for (int i = 0; fits && i < shape.rank(); ++i) fits = i == *axis || list[i] <= shape[i];
      for (const Index i : indices.span()) fits = fits && i >= 0 && i < size;
      Expected expected;
      if (fits) {
        expected = numbered(x, sizes_of(list), [=](Position at) {
          at[place] = indices.data()[number_of(list, at)];
          return number_of(shape, at);
        });
      }
      check(
          "gather", [&] { return gather(x, any_axis, indices); }, expected);
      if (!fits) return;
      const X y = tensor(list);
      return check(
          "scatter_add", [&] { return scatter_add(y, any_axis, indices, shape); },
          Definition{sizes_of(shape), [=](const Position& at) {
                       double total = 0.0;
                       for_positions(list, [&](Index i, Position p) {
                         p[place] = indices.data()[i];
                         if (number_of(shape, p) == number_of(shape, at)) total += y.data()[i];
                       });
                       return total;
                     }});
    }
    case 5: {
      const Shape list = this->shape(20);
      const Index classes = one_in(20) ? (one_in(2) ? absurd_size() : -below(3)) : below(5) + 1;
      const auto labels = Tensor<Index>::generate(
          list, [&] { return classes > 0 && !one_in(60) ? below(std::min<Index>(classes, 9)) : position(3); });
      bool fits = list.rank() < 6 && classes >= 0;
      for (const Index i : labels.span()) fits = fits && i >= 0 && i < classes;
      Expected expected;
      if (fits) {
        Sizes sizes = sizes_of(list);
        sizes.push_back(classes);
        expected = Definition{sizes, [=](const Position& at) {
                                const Index own = labels.data()[number_of(list, at)];
                                return own == at[static_cast<std::size_t>(list.rank())] ? 1.0 : 0.0;
                              }};
      }
      return check(
          "one_hot", [&] { return one_hot<double>(labels, classes); }, expected);
    }
    default: {
      const auto indices = Tensor<Index>::generate({below(5)}, [&] { return size > 0 ? below(size) : 0; });
      if (!axis || size > 1000 || (size == 0 && !indices.empty())) return;
      const X y = tensor(shape.with(*axis, indices.numel()));
      return check(
          "scatter_add slices", [&] { return scatter_add(y, indices, shape, any_axis); },
          Definition{sizes_of(shape), [=](Position at) {
                       const Index own = at[place];
                       double total = 0.0;
                       for (Index i = 0; i < indices.numel(); ++i) {
                         at[place] = i;
                         if (indices.data()[i] == own) total += y.data()[number_of(y.shape(), at)];
                       }
                       return total;
                     }});
    }
  }
}

void RandomCase::parts() {
  const X first = any();
  const int any_axis = axis(first.shape());
  std::vector<X> parts{first};
  while (!one_in(3)) {
    const auto axis = axis_of(any_axis, first.rank());
    Shape shape = first.shape();
    if (axis && one_in(2) && shape.numel() > 0) shape = shape.with(*axis, below(4));
    if (one_in(20)) shape = shape_beside(shape);
    parts.push_back(tensor(shape));
  }
  const bool stacked = one_in(2);
  const auto place = axis_of(any_axis, first.rank() + (stacked ? 1 : 0));
  Expected expected;
  bool fits = place.has_value();
  Index total = 0;
  for (const X& part : parts) {
    fits = fits && part.rank() == first.rank();
    for (int i = 0; fits && i < first.rank(); ++i) fits = (!stacked && i == *place) || part.size(i) == first.size(i);
    if (!fits) break;
    if (stacked) continue;
    if (part.size(*place) > std::numeric_limits<Index>::max() - total)
      fits = false;
    else
      total += part.size(*place);
  }
  if (fits) {
    Sizes sizes = sizes_of(first.shape());
    const auto n = static_cast<std::size_t>(*place);
    if (stacked) {
      sizes.insert(sizes.begin() + *place, static_cast<Index>(parts.size()));
      if (sizes.size() <= 6) {
        expected = Definition{sizes, [=](const Position& at) {
                                Position from{};
                                std::copy_n(at.begin(), n, from.begin());
                                std::copy(at.begin() + *place + 1, at.end(), from.begin() + *place);
                                const X& part = parts[static_cast<std::size_t>(at[n])];
                                return part.data()[number_of(part.shape(), from)];
                              }};
      }
    } else {
      sizes[n] = total;
      expected = Definition{sizes, [=](Position at) {
                              std::size_t part = 0;
                              while (at[n] >= parts[part].size(*place)) at[n] -= parts[part++].size(*place);
                              return parts[part].data()[number_of(parts[part].shape(), at)];
                            }};
    }
  }
  check(
      stacked ? "stack" : "concat", [&] { return stacked ? stack(parts, any_axis) : concat(parts, any_axis); },
      expected);
}

void RandomCase::products() {
  // Operands that mostly fit: (..., m, k) and (..., k, n), either may be a vector or transposed.
  const Index m = below(6), k = below(6), n = below(6);
  MatmulOptions options{one_in(2), one_in(2)};
  const auto matrix = [&](Index rows, Index cols, bool transposed) {
    return transposed ? Sizes{cols, rows} : Sizes{rows, cols};
  };
  Sizes a = matrix(m, k, options.transpose_a);
  Sizes b = matrix(k, n, options.transpose_b);
  if (one_in(6)) a = {k}, options.transpose_a = one_in(20);
  if (one_in(6)) b = {k}, options.transpose_b = one_in(20);
  while (a.size() > 1 && a.size() < 6 && one_in(3)) a.insert(a.begin(), one_in(3) ? 1 : 2);
  while (b.size() > 1 && b.size() < 6 && one_in(3)) b.insert(b.begin(), one_in(3) ? 1 : 2);
  X left = one_in(15) ? any() : tensor(Shape(a));
  X right = one_in(15) ? any() : tensor(Shape(b));
  Expected expected;
  const auto with_axes = [](const X& x, bool row) {
    return x.rank() == 1 ? x.reshape(row ? Shape{1, x.numel()} : Shape{x.numel(), 1}) : x;
  };
  const bool legal = left.rank() > 0 && right.rank() > 0 && !(left.rank() == 1 && options.transpose_a) &&
                     !(right.rank() == 1 && options.transpose_b);
  if (legal) {
    const X l = with_axes(left, true);
    const X r = with_axes(right, false);
    const Index rows = l.size(options.transpose_a ? -1 : -2), steps = l.size(options.transpose_a ? -2 : -1);
    const Index cols = r.size(options.transpose_b ? -2 : -1);
    const auto leading = [](const X& x) {
      Sizes sizes = sizes_of(x.shape());
      sizes.resize(sizes.size() - 2);
      return sizes;
    };
    std::optional<Sizes> batch;
    try {
      batch = joined(Shape(leading(l)), Shape(leading(r)));
    } catch (const ShapeError&) {
      return;
    }
    if (batch && r.size(options.transpose_b ? -1 : -2) == steps) {
      Sizes sizes = *batch;
      const auto depth = batch->size();
      if (left.rank() > 1) sizes.push_back(rows);
      if (right.rank() > 1) sizes.push_back(cols);
      const bool has_rows = left.rank() > 1;
      const bool has_cols = right.rank() > 1;
      expected = Definition{sizes, [=](const Position& at) {
                              const Index row = has_rows ? at[depth] : 0;
                              const Index col = has_cols ? at[depth + (has_rows ? 1 : 0)] : 0;
                              const auto element = [&](const X& x, Index first, Index second) {
                                Position p = at;
                                p[depth] = first;
                                p[depth + 1] = second;
                                Position own{};  // the matrices of x themselves are not repeated
                                for (int i = 0; i < x.rank(); ++i) {
                                  const auto from =
                                      static_cast<std::size_t>(i) + depth + 2 - static_cast<std::size_t>(x.rank());
                                  own[static_cast<std::size_t>(i)] = x.size(i) == 1 ? 0 : p[from];
                                }
                                return x.data()[number_of(x.shape(), own)];
                              };
                              double total = 0.0;
                              for (Index step = 0; step < steps; ++step) {
                                total += (options.transpose_a ? element(l, step, row) : element(l, row, step)) *
                                         (options.transpose_b ? element(r, col, step) : element(r, step, col));
                              }
                              return total;
                            }};
    }
  }
  check(
      "matmul", [&] { return matmul(left, right, options); }, expected);
}

void RandomCase::rows() {
  const X x = any();
  const Shape shape = x.shape();
  const Index cols = shape.cols();
  const auto row_of = [=](const Position& at) { return number_of(shape, at) / std::max<Index>(cols, 1) * cols; };
  const auto log_total = [=](Index row) {
    const double largest = *std::max_element(x.data() + row, x.data() + row + cols);
    double total = 0.0;
    for (Index c = 0; c < cols; ++c) total += std::exp(x.data()[row + c] - largest);
    return largest + std::log(total);
  };
  switch (below(4)) {
    case 0:
    case 1: {
      const bool logarithm = one_in(2);
      Expected expected;
      if (shape.rank() > 0) {
        expected = Definition{sizes_of(shape), [=](const Position& at) {
                                const double v = x.data()[number_of(shape, at)] - log_total(row_of(at));
                                return logarithm ? v : std::exp(v);
                              }};
      }
      return check(
          "softmax", [&] { return logarithm ? log_softmax(x) : softmax(x); }, expected);
    }
    case 2: {
      const Index outputs = below(5);
      const X weight = one_in(15) ? any() : tensor({outputs, cols < 1000 ? cols : 1});
      const X bias = one_in(3) ? X() : one_in(15) ? any() : tensor({outputs});
      Expected expected;
      const bool with_bias = !bias.empty();
      if (shape.rank() > 0 && weight.rank() == 2 && cols == weight.size(1) &&
          (!with_bias || bias.shape() == Shape{weight.size(0)})) {
        Sizes sizes = sizes_of(shape);
        sizes.back() = weight.size(0);
        expected = Definition{sizes, [=](const Position& at) {
                                const auto last = static_cast<std::size_t>(shape.rank() - 1);
                                double total = with_bias ? bias.data()[at[last]] : 0.0;
                                for (Index c = 0; c < cols; ++c) {
                                  Position p = at;
                                  p[last] = c;
                                  total += x.data()[number_of(shape, p)] * weight.data()[at[last] * cols + c];
                                }
                                return total;
                              }};
      }
      return check(
          "linear", [&] { return linear(x, weight, bias); }, expected);
    }
    default: {
      if (shape.numel() == 0 && one_in(2)) return;
      const Index rows = shape.numel() == 0 ? 3 : shape.rows();
      const auto labels = Tensor<Index>::generate(
          {one_in(15) ? below(4) : rows}, [&] { return one_in(200) ? position(3) : below(std::max<Index>(cols, 1)); });
      bool fits = shape.rank() > 0 && shape.numel() > 0 && labels.numel() == rows;
      for (const Index label : labels.span()) fits = fits && label >= 0 && label < cols;
      if (shape.rank() == 0) return;  // one row of one class, or nothing that has rows
      Expected expected;
      if (fits) {
        expected = Definition{{}, [=](const Position&) {
                                double total = 0.0;
                                for (Index row = 0; row < rows; ++row) {
                                  total += log_total(row * cols) - x.data()[row * cols + labels.data()[row]];
                                }
                                return total / as_double(rows);
                              }};
      }
      return check(
          "softmax_cross_entropy", [&] { return X({}, {softmax_cross_entropy(x, labels).loss}); }, expected);
    }
  }
}

/// Backward functions on whatever comes: they end, or refuse.
void RandomCase::derivatives() {
  using Function = std::function<X(RandomCase&, const X&, const X&, const X&)>;
  static const std::vector<std::pair<const char*, Function>> kFunctions = {
      {"relu", [](RandomCase&, const X& a, const X& b, const X&) { return relu_backward(a, b); }},
      {"leaky_relu", [](RandomCase&, const X& a, const X& b, const X&) { return leaky_relu_backward(a, b, 0.1); }},
      {"sigmoid", [](RandomCase&, const X& a, const X& b, const X&) { return sigmoid_backward(a, b); }},
      {"tanh", [](RandomCase&, const X& a, const X& b, const X&) { return tanh_backward(a, b); }},
      {"silu", [](RandomCase&, const X& a, const X& b, const X&) { return silu_backward(a, b); }},
      {"gelu", [](RandomCase&, const X& a, const X& b, const X&) { return gelu_backward(a, b); }},
      {"exp", [](RandomCase&, const X& a, const X& b, const X&) { return exp_backward(a, b); }},
      {"clamp", [](RandomCase&, const X& a, const X& b, const X&) { return clamp_backward(a, b, -1.0, 1.0); }},
      {"softmax", [](RandomCase&, const X& a, const X& b, const X&) { return softmax_backward(a, b); }},
      {"log_softmax", [](RandomCase&, const X& a, const X& b, const X&) { return log_softmax_backward(a, b); }},
      {"mul", [](RandomCase&, const X& a, const X& b, const X& c) { return mul_backward_first(a, b, c.shape()); }},
      {"div", [](RandomCase&, const X& a, const X& b, const X& c) { return div_backward_second(a, b, c); }},
      {"maximum", [](RandomCase&, const X& a, const X& b, const X& c) { return maximum_backward_first(a, b, c); }},
      {"pow", [](RandomCase&, const X& a, const X& b, const X& c) { return pow_backward_first(a, b, c); }},
      {"where", [](RandomCase&, const X& a, const X& b, const X& c) { return where_backward_first(a, greater(b, 0), c.shape()); }},
      {"sum", [](RandomCase& r, const X& a, const X& b, const X&) { return sum_backward(a, b.shape(), r.axis(b.shape())); }},
      {"mean", [](RandomCase& r, const X& a, const X& b, const X&) { return mean_backward(a, b.shape(), r.axis(b.shape())); }},
      {"var", [](RandomCase& r, const X& a, const X& b, const X&) { return var_backward(a, b, r.axis(b.shape())); }},
      {"max", [](RandomCase& r, const X& a, const X& b, const X& c) { return max_backward(a, b, c, r.axis(b.shape())); }},
      {"logsumexp", [](RandomCase& r, const X& a, const X& b, const X& c) { return logsumexp_backward(a, b, c, r.axis(b.shape())); }},
      {"norm", [](RandomCase& r, const X& a, const X& b, const X& c) { return norm_backward(a, b, c, r.axis(b.shape())); }},
      {"reshape", [](RandomCase&, const X& a, const X& b, const X&) { return reshape_backward(a, b.shape()); }},
      {"broadcast_to", [](RandomCase&, const X& a, const X& b, const X&) { return broadcast_to_backward(a, b.shape()); }},
      {"slice", [](RandomCase& r, const X& a, const X& b, const X&) { return slice_backward(a, b.shape(), r.axis(b.shape()), r.position(4), r.position(4), r.position(3)); }},
      {"concat", [](RandomCase& r, const X& a, const X& b, const X&) { return concat_backward(a, r.axis(b.shape()), r.position(4), r.position(4)); }},
      {"stack", [](RandomCase& r, const X& a, const X& b, const X&) { return stack_backward(a, r.axis(b.shape()), r.position(4)); }},
      {"matmul", [](RandomCase& r, const X& a, const X& b, const X& c) { return matmul_backward_first(a, b, c.shape(), {r.one_in(2), r.one_in(2)}); }},
      {"matmul second", [](RandomCase& r, const X& a, const X& b, const X& c) { return matmul_backward_second(a, b, c.shape(), {r.one_in(2), r.one_in(2)}); }},
      {"linear input", [](RandomCase&, const X& a, const X& b, const X&) { return linear_backward_input(a, b); }},
      {"linear weight", [](RandomCase&, const X& a, const X& b, const X&) { return linear_backward_weight(a, b); }},
      {"linear bias", [](RandomCase&, const X& a, const X&, const X&) { return linear_backward_bias(a); }},
      {"cross_entropy", [](RandomCase& r, const X& a, const X&, const X&) { return softmax_cross_entropy_backward(a, Tensor<Index>::full({r.one_in(2) ? a.shape().rows() < 1000 ? a.shape().rows() : 3 : 2}, r.position(3))); }},
      {"mse_loss", [](RandomCase&, const X& a, const X& b, const X&) { return mse_loss(a, b).difference; }}};
  const auto& [name, f] = of(kFunctions);
  const X a = any();
  const X b = one_in(3) ? a : beside(a);
  const X c = one_in(3) ? b : beside(b);
  double count = 1.0;  // of all that broadcast, and what goes along may be as large as the last
  for (const X* x : {&a, &b, &c}) {
    for (const Index size : x->shape()) count *= std::max(as_double(size), 1.0);
  }
  if (count > 1e7) return;
  try {
    f(*this, a, b, c);
  } catch (const Error&) {
  } catch (const std::exception& error) {
    ADD_FAILURE() << name << "_backward, case " << number_ << ": " << error.what();
  }
}

void RandomCase::step() {
  using Kind = void (RandomCase::*)();
  static const std::vector<Kind> kKinds = {&RandomCase::element_by_element,
                                           &RandomCase::two_operands,
                                           &RandomCase::two_operands,
                                           &RandomCase::reductions,
                                           &RandomCase::integer_sums,
                                           &RandomCase::shapes,
                                           &RandomCase::shapes,
                                           &RandomCase::places,
                                           &RandomCase::places,
                                           &RandomCase::parts,
                                           &RandomCase::products,
                                           &RandomCase::rows,
                                           &RandomCase::derivatives};
  try {
    (this->*of(kKinds))();
  } catch (const ShapeError&) {  // of arguments that no tensor can have; those of operations do not get here
  }
  if (one_in(4)) pool_[static_cast<std::size_t>(below(3))] = tensor(shape());
}

TEST(RandomExpressions, AreWhatTheirDefinitionsGiveOrRefused) {
  const Index cases = testing::random_case_count(60000);
  Counts counts;
  for (Index number = 0; number < cases && testing::few_failures(); ++number) {
    RandomCase expression(static_cast<std::uint64_t>(number), counts);
    for (int i = 0; i < 10; ++i) expression.step();
  }
  EXPECT_GT(counts.computed, 4 * cases);
  EXPECT_GT(counts.refused, cases / 2);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::random_expressions_test
