// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>
#include <vector>

#include <eigengrad/autodiff/functions.hpp>

// Gradients as values, and what is made of them.
//   auto dy = grad(y, x, {.create_graph = true});           // can be differentiated again
//   auto H = autodiff::hessian([](auto v) { return sum(pow(v, 3)); }, x);

namespace eigengrad::EIGENGRAD_ISA::autodiff {

struct GradOptions {
  bool create_graph = false;  ///< record the gradients' own graph, for derivatives of higher order
  bool retain_graph = false;  ///< keep the graph of y; create_graph keeps it too
};

/// The gradients of <dy, y> by some variables, leaves or not. Nothing is added to any grad(). A variable that y was not
/// computed from has the gradient 0; variables that stand for one parameter all have the gradient with respect to it.
/// Shapes   dy as y; the results as the variables
/// Errors   StateError for a constant y, a variable without a value, a graph that has been freed or, with create_graph,
///          an operation that can be differentiated only once; ShapeError if dy has another shape than y
template <class T>
std::vector<Variable<T>> grad(const Variable<T>& y, const std::vector<Variable<T>>& by, const Variable<T>& dy,
                              const GradOptions& options = {}) {
  if (!y.requires_grad()) throw StateError("grad: of a constant; nothing it was computed from requires a gradient");
  detail::check::same_shape("grad", "gradient", dy.shape(), y.shape());
  std::vector<Variable<T>> results(by.size());
  std::vector<const detail::Node<T>*> nodes;
  for (const Variable<T>& variable : by) nodes.push_back(&variable.node());
  const auto keep = [&](const detail::Node<T>* node, const auto& gradient) {
    for (std::size_t i = 0; i < by.size(); ++i) {
      const bool same_parameter = node->parameter != nullptr && node->parameter == nodes[i]->parameter;
      if (node == nodes[i] || same_parameter) detail::accumulate(results[i], Variable<T>(gradient));
    }
  };
  if (options.create_graph) {
    detail::BackwardPass<T, Variable<T>> pass(y.in_graph());
    pass.run(dy, keep);
  } else {
    detail::BackwardPass<T, Tensor<T>> pass(y.in_graph());
    pass.run(dy.value(), keep);
    if (!options.retain_graph) pass.free();
  }
  for (std::size_t i = 0; i < by.size(); ++i) {
    if (!results[i].defined()) results[i] = Variable<T>(Tensor<T>::zeros(by[i].shape()));
  }
  return results;
}

/// The gradient of one number by one variable.
/// Errors   as above, and ShapeError for a y of more than one element
template <class T>
Variable<T> grad(const Variable<T>& y, const Variable<T>& by, const GradOptions& options = {}) {
  if (y.value().numel() != 1) {
    throw ShapeError(error_text("grad: of a variable of shape ", y.shape(), ", expected one element"));
  }
  return grad(y, {by}, Variable<T>(Tensor<T>::ones(y.shape())), options)[0];
}

/// The Jacobian of f at x: element (i, j) is the derivative of the i-th element of f(x) by the j-th of x.
/// Shapes   result (elements of f(x), elements of x)
/// Cost     one backward pass for each element of f(x)
template <class T, class F>
Tensor<T> jacobian(const F& f, const Tensor<T>& at) {
  const auto x = Variable<T>::leaf(at);
  const Variable<T> y = f(x);
  Tensor<T> rows = Tensor<T>::zeros({y.value().numel(), at.numel()});
  if (!y.requires_grad()) return rows;
  for (Index i = 0; i < y.value().numel(); ++i) {
    Tensor<T> unit = Tensor<T>::zeros(y.shape());
    unit.mutable_data()[i] = T(1);
    rows.mutable_matrix().row(i) = grad(y, {x}, Variable<T>(unit), {.retain_graph = true})[0].value().array();
  }
  return rows;
}

/// The Hessian of a number f(x) at x.
/// Shapes   result (elements of x, elements of x)
/// Cost     one backward pass for each element of x, after one that records
template <class T, class F>
Tensor<T> hessian(const F& f, const Tensor<T>& at) {
  return jacobian([&](const Variable<T>& x) { return grad(f(x), x, {.create_graph = true}); }, at);
}

/// The product of the Hessian of a number f(x) at x with v, without the Hessian.
/// Shapes   v, result as x
/// Source   Pearlmutter 1994
template <class T, class F>
Tensor<T> hvp(const F& f, const Tensor<T>& at, const Tensor<T>& v) {
  const auto x = Variable<T>::leaf(at);
  const Variable<T> gradient = grad(f(x), x, {.create_graph = true});
  if (!gradient.requires_grad()) return Tensor<T>::zeros(at.shape());
  return grad(gradient, {x}, Variable<T>(v))[0].value();
}

/// The product of the Jacobian of f at x with v: how f(x) changes as x moves along v. By two backward passes: the first
/// is linear in the gradient u of f(x), and its derivative with respect to u along v is the product.
/// Shapes   v as x; result as f(x)
template <class T, class F>
Tensor<T> jvp(const F& f, const Tensor<T>& at, const Tensor<T>& v) {
  const auto x = Variable<T>::leaf(at);
  const Variable<T> y = f(x);
  if (!y.requires_grad()) return Tensor<T>::zeros(y.shape());
  const auto u = Variable<T>::leaf(Tensor<T>::zeros(y.shape()));
  const Variable<T> linear = grad(y, {x}, u, {.create_graph = true})[0];
  if (!linear.requires_grad()) return Tensor<T>::zeros(y.shape());
  return grad(linear, {u}, Variable<T>(v))[0].value();
}

}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
