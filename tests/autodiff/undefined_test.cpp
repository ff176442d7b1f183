// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/autodiff/bridge.hpp>
#include <eigengrad/autodiff/function.hpp>
#include <eigengrad/autodiff/grad.hpp>
#include <eigengrad/nn/relu.hpp>

// A variable that stands for no value, because it was made without one or has been moved from: every use of it, in any
// place of any function on Variables, says so.

namespace eigengrad::EIGENGRAD_ISA::autodiff {
namespace {

using V = Variable<double>;
using Use = std::function<void(const V& empty, const V& x)>;

struct Negate {
  Tensor<double> forward(const Tensor<double>& x) { return ops::neg(x); }
  Tensor<double> forward(const Tensor<double>& x, const Tensor<double>&) { return ops::neg(x); }
  template <std::size_t N>
  std::array<Tensor<double>, N> backward(const Tensor<double>&, const std::array<bool, N>&) {
    return {};
  }
};

const Tensor<Index> kIndex({1, 1}, {0});
const Tensor<bool> kMask({1, 1}, {true});

const std::vector<std::pair<std::string, Use>> kUses = {
    {"value", [](const V& e, const V&) { e.value(); }},
    {"shape", [](const V& e, const V&) { e.shape(); }},
    {"item", [](const V& e, const V&) { e.item(); }},
    {"requires_grad", [](const V& e, const V&) { e.requires_grad(); }},
    {"Variable::grad", [](const V& e, const V&) { e.grad(); }},
    {"zero_grad", [](const V& e, const V&) { V(e).zero_grad(); }},
    {"detach", [](const V& e, const V&) { e.detach(); }},
    {"backward", [](const V& e, const V&) { e.backward(); }},
    {"backward dy", [](const V& e, const V& x) { e.backward(x.value()); }},
    {"-e", [](const V& e, const V&) { -e; }},
    {"e + x", [](const V& e, const V& x) { e + x; }},
    {"x + e", [](const V& e, const V& x) { x + e; }},
    {"e - x", [](const V& e, const V& x) { e - x; }},
    {"x - e", [](const V& e, const V& x) { x - e; }},
    {"e * x", [](const V& e, const V& x) { e* x; }},
    {"x * e", [](const V& e, const V& x) { x* e; }},
    {"e / x", [](const V& e, const V& x) { e / x; }},
    {"x / e", [](const V& e, const V& x) { x / e; }},
    {"1 + e", [](const V& e, const V&) { 1.0 + e; }},
    {"e * 2", [](const V& e, const V&) { e * 2.0; }},
    {"tensor + e", [](const V& e, const V& x) { x.value() + e; }},
    {"neg", [](const V& e, const V&) { neg(e); }},
    {"add", [](const V& e, const V& x) { add(e, x), add(x, e); }},
    {"add number", [](const V& e, const V&) { add(1.0, e); }},
    {"sub number", [](const V& e, const V&) { sub(1.0, e); }},
    {"mul number", [](const V& e, const V&) { mul(1.0, e); }},
    {"div number", [](const V& e, const V&) { div(1.0, e); }},
    {"maximum", [](const V& e, const V& x) { maximum(e, x); }},
    {"maximum second", [](const V& e, const V& x) { maximum(x, e); }},
    {"maximum number", [](const V& e, const V&) { maximum(1.0, e); }},
    {"minimum", [](const V& e, const V& x) { minimum(e, x); }},
    {"minimum second", [](const V& e, const V& x) { minimum(x, e); }},
    {"minimum number", [](const V& e, const V&) { minimum(1.0, e); }},
    {"broadcast_to", [](const V& e, const V&) { broadcast_to(e, {2, 2}); }},
    {"sum_to", [](const V& e, const V&) { sum_to(e, {}); }},
    {"greater", [](const V& e, const V& x) { greater(e, x); }},
    {"greater second", [](const V& e, const V& x) { greater(x, e); }},
    {"greater_equal", [](const V& e, const V& x) { greater_equal(e, x); }},
    {"less", [](const V& e, const V& x) { less(e, x); }},
    {"less_equal", [](const V& e, const V& x) { less_equal(e, x); }},
    {"equal_to", [](const V& e, const V& x) { equal_to(e, x); }},
    {"isnan", [](const V& e, const V&) { isnan(e); }},
    {"where", [](const V& e, const V& x) { where(kMask, e, x); }},
    {"where second", [](const V& e, const V& x) { where(kMask, x, e); }},
    {"where number", [](const V& e, const V&) { where(kMask, 1.0, e); }},
    {"exp", [](const V& e, const V&) { exp(e); }},
    {"log", [](const V& e, const V&) { log(e); }},
    {"sqrt", [](const V& e, const V&) { sqrt(e); }},
    {"abs", [](const V& e, const V&) { abs(e); }},
    {"square", [](const V& e, const V&) { square(e); }},
    {"clamp", [](const V& e, const V&) { clamp(e, 0.0, 1.0); }},
    {"pow", [](const V& e, const V& x) { pow(e, x); }},
    {"pow second", [](const V& e, const V& x) { pow(x, e); }},
    {"pow number", [](const V& e, const V&) { pow(e, 2); }},
    {"number pow", [](const V& e, const V&) { pow(2.0, e); }},
    {"sum", [](const V& e, const V&) { sum(e); }},
    {"mean", [](const V& e, const V&) { mean(e); }},
    {"max", [](const V& e, const V&) { max(e); }},
    {"min", [](const V& e, const V&) { min(e); }},
    {"logsumexp", [](const V& e, const V&) { logsumexp(e); }},
    {"norm", [](const V& e, const V&) { norm(e); }},
    {"var", [](const V& e, const V&) { var(e); }},
    {"argmax", [](const V& e, const V&) { argmax(e, 0); }},
    {"matmul", [](const V& e, const V& x) { matmul(e, x); }},
    {"matmul second", [](const V& e, const V& x) { matmul(x, e); }},
    {"reshape", [](const V& e, const V&) { reshape(e, {1}); }},
    {"unsqueeze", [](const V& e, const V&) { unsqueeze(e, 0); }},
    {"squeeze", [](const V& e, const V&) { squeeze(e); }},
    {"squeeze axis", [](const V& e, const V&) { squeeze(e, 0); }},
    {"permute", [](const V& e, const V&) { permute(e, {1, 0}); }},
    {"transpose", [](const V& e, const V&) { transpose(e, 0, 1); }},
    {"slice", [](const V& e, const V&) { slice(e, 0, 0, 1); }},
    {"unslice", [](const V& e, const V&) { unslice(e, {2, 1}, 0, 0, 1); }},
    {"pad", [](const V& e, const V&) { pad(e, {{1, 0}, {0, 0}}); }},
    {"take", [](const V& e, const V&) { take(e, kIndex); }},
    {"scatter_add", [](const V& e, const V&) { scatter_add(e, Tensor<Index>({1}, {0}), {2, 1}); }},
    {"gather", [](const V& e, const V&) { gather(e, 0, kIndex); }},
    {"scatter_add elements", [](const V& e, const V&) { scatter_add(e, 0, kIndex, {2, 1}); }},
    {"concat", [](const V& e, const V& x) { concat({x, e}); }},
    {"concat vector", [](const V& e, const V& x) { concat(std::vector<V>{e, x}); }},
    {"stack", [](const V& e, const V& x) { stack({x, e}); }},
    {"stack vector", [](const V& e, const V& x) { stack(std::vector<V>{e, x}); }},
    {"relu", [](const V& e, const V&) { relu(e); }},
    {"relu_backward", [](const V& e, const V& x) { relu_backward(x, e); }},
    {"sigmoid", [](const V& e, const V&) { sigmoid(e); }},
    {"sigmoid_backward", [](const V& e, const V& x) { sigmoid_backward(e, x); }},
    {"tanh", [](const V& e, const V&) { tanh(e); }},
    {"tanh_backward", [](const V& e, const V& x) { tanh_backward(x, e); }},
    {"silu", [](const V& e, const V&) { silu(e); }},
    {"silu_backward", [](const V& e, const V& x) { silu_backward(x, e); }},
    {"gelu", [](const V& e, const V&) { gelu(e); }},
    {"gelu_backward", [](const V& e, const V& x) { gelu_backward(e, x); }},
    {"softmax", [](const V& e, const V&) { softmax(e); }},
    {"softmax_backward", [](const V& e, const V& x) { softmax_backward(x, e); }},
    {"log_softmax", [](const V& e, const V&) { log_softmax(e); }},
    {"linear", [](const V& e, const V& x) { linear(e, x, reshape(x, {1})); }},
    {"linear weight", [](const V& e, const V& x) { linear(x, e, reshape(x, {1})); }},
    {"linear bias", [](const V& e, const V& x) { linear(x, x, e); }},
    {"linear_backward_input", [](const V& e, const V& x) { linear_backward_input(e, x); }},
    {"linear_backward_weight", [](const V& e, const V& x) { linear_backward_weight(x, e); }},
    {"linear_backward_bias", [](const V& e, const V&) { linear_backward_bias(e); }},
    {"softmax_cross_entropy", [](const V& e, const V&) { softmax_cross_entropy(e, Tensor<Index>({1}, {0})); }},
    {"mse_loss", [](const V& e, const V& x) { mse_loss(e, x); }},
    {"mse_loss target", [](const V& e, const V& x) { mse_loss(x, e); }},
    {"grad", [](const V& e, const V& x) { grad(e, x); }},
    {"grad by", [](const V& e, const V& x) { grad(x * x, e); }},
    {"grad dy", [](const V& e, const V& x) { grad(x * x, {x}, e); }},
    {"grad create_graph", [](const V& e, const V& x) { grad(x * x, {x, e}, x, {.create_graph = true}); }},
    {"jacobian", [](const V& e, const V& x) { jacobian([&](const V&) { return e; }, x.value()); }},
    {"hessian", [](const V& e, const V& x) { hessian([&](const V&) { return e; }, x.value()); }},
    {"hvp", [](const V& e, const V& x) { hvp([&](const V&) { return e; }, x.value(), x.value()); }},
    {"jvp", [](const V& e, const V& x) { jvp([&](const V&) { return e; }, x.value(), x.value()); }},
    {"record", [](const V& e, const V& x) { record(x.value(), [](const auto&...) {}, x, e); }},
    {"custom", [](const V& e, const V&) { custom(Negate(), e); }},
    {"custom second", [](const V& e, const V& x) { custom(Negate(), x, e); }},
    {"apply",
     [](const V& e, const V&) {
       nn::ReLU<double> layer;
       apply(layer, e);
     }},
    {"Function",
     [](const V& e, const V& x) {
       auto layer = nn::function<double>([&](const V&) { return e; });
       layer.forward(x.value(), Mode::train);
     }},
    {"Function in use",
     [](const V& e, const V& x) {
       auto layer = nn::function<double>([&](const V&) { return e; });
       layer.forward(x.value(), Mode::inference);
     }},
    {"Function::output_shape",
     [](const V& e, const V& x) { nn::function<double>([&](const V&) { return e; }).output_shape(x.shape()); }},
};

TEST(Undefined, EveryUseIsAStateError) {
  const V x({1, 1}, {2.0});
  V source = x * x;
  const V taken = std::move(source);
  const V assigned_from = [] {
    V from({1, 1}, {1.0});
    V to;
    to = std::move(from);
    return from;  // NOLINT(bugprone-use-after-move): the purpose
  }();
  Parameter<double> parameter{Tensor<double>({1, 1}, {3.0})};
  V moved_parameter(parameter);
  const V other = std::move(moved_parameter);
  // NOLINTNEXTLINE(bugprone-use-after-move)
  for (const V& empty : {V(), source, assigned_from, moved_parameter}) {
    EXPECT_FALSE(empty.defined());
    for (const auto& [name, use] : kUses) {
      try {
        use(empty, x);
        ADD_FAILURE() << name << ": no error";
      } catch (const StateError& error) {
        EXPECT_EQ(std::string(error.what()), "Variable: it stands for no value: made without one, or moved from")
            << name;
      }
    }
  }
  EXPECT_TRUE(x.grad().empty());
  EXPECT_TRUE(taken.defined() && other.defined());
}

// As a user writes a sum of losses.
TEST(Undefined, ASumThatWasNotBegunSaysSo) {
  Variable<float> total;
  EXPECT_THROW(total = total + Variable<float>(1.0F), StateError);
  EXPECT_FALSE(total.defined());
}

TEST(Undefined, MayBeCopiedAssignedAndDestroyed) {
  V empty;
  V copy = empty;
  copy = V({1}, {2.0});
  empty = copy;
  copy = V();
  EXPECT_EQ(empty.item(), 2.0);
  EXPECT_FALSE(copy.defined());
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
