// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <utility>
#include <vector>

#include <eigengrad/autodiff/variable.hpp>
#include <eigengrad/core/memory.hpp>
#include <eigengrad/ops/concat.hpp>
#include <eigengrad/ops/gather.hpp>
#include <eigengrad/ops/pad.hpp>
#include <eigengrad/ops/permute.hpp>
#include <eigengrad/ops/reshape.hpp>
#include <eigengrad/ops/slice.hpp>

// Operations on the shape of Variables: the functions of ops/, recorded.

namespace eigengrad::EIGENGRAD_ISA::autodiff {

template <class T>
Variable<T> reshape(const Variable<T>& x, const Shape& shape) {
  return record(
      ops::reshape(x.value(), shape),
      [](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::reshape_backward(dy, a.shape()); });
      },
      x);
}
template <class T>
Variable<T> unsqueeze(const Variable<T>& x, int axis) {
  return reshape(x, ops::unsqueezed(x.shape(), axis));
}
template <class T>
Variable<T> squeeze(const Variable<T>& x, int axis) {
  return reshape(x, ops::squeezed(x.shape(), axis));
}
template <class T>
Variable<T> squeeze(const Variable<T>& x) {
  return reshape(x, ops::squeezed(x.shape()));
}

template <class T>
Variable<T> permute(const Variable<T>& x, const ops::AxisOrder& order) {
  return record(
      ops::permute(x.value(), order),
      [order](const auto& dy, const auto&, const auto&, const auto& give) {
        give(0, [&] { return ops::permute_backward(dy, order); });
      },
      x);
}
template <class T>
Variable<T> transpose(const Variable<T>& x, int axis1, int axis2) {
  return permute(x, ops::AxisOrder::swapping(x.shape(), axis1, axis2));
}

template <class T>
Variable<T> slice(const Variable<T>& x, int axis, Index begin, Index end, Index step = 1) {
  return record(
      ops::slice(x.value(), axis, begin, end, step),
      [=](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::slice_backward(dy, a.shape(), axis, begin, end, step); });
      },
      x);
}
template <class T>
Variable<T> unslice(const Variable<T>& y, const Shape& whole, int axis, Index begin, Index end, Index step = 1) {
  return record(
      ops::unslice(y.value(), whole, axis, begin, end, step),
      [=](const auto& dy, const auto&, const auto&, const auto& give) {
        give(0, [&] { return ops::unslice_backward(dy, axis, begin, end, step); });
      },
      y);
}

template <class T>
Variable<T> pad(const Variable<T>& x, const ops::Padding& padding, std::type_identity_t<T> value = T(0)) {
  return record(
      ops::pad(x.value(), padding, value),
      [padding](const auto& dy, const auto&, const auto&, const auto& give) {
        give(0, [&] { return ops::pad_backward(dy, padding); });
      },
      x);
}

template <class T>
Variable<T> take(const Variable<T>& x, const Tensor<Index>& indices, int axis = 0) {
  return record(
      ops::take(x.value(), indices, axis),
      [=](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::take_backward(dy, indices, a.shape(), axis); });
      },
      x);
}
template <class T>
Variable<T> scatter_add(const Variable<T>& y, const Tensor<Index>& indices, const Shape& whole, int axis = 0) {
  return record(
      ops::scatter_add(y.value(), indices, whole, axis),
      [=](const auto& dx, const auto&, const auto&, const auto& give) {
        give(0, [&] { return ops::scatter_add_backward(dx, indices, axis); });
      },
      y);
}

template <class T>
Variable<T> gather(const Variable<T>& x, int axis, const Tensor<Index>& index) {
  return record(
      ops::gather(x.value(), axis, index),
      [=](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::gather_backward(dy, axis, index, a.shape()); });
      },
      x);
}
template <class T>
Variable<T> scatter_add(const Variable<T>& y, int axis, const Tensor<Index>& index, const Shape& whole) {
  return record(
      ops::scatter_add(y.value(), axis, index, whole),
      [=](const auto& dx, const auto&, const auto&, const auto& give) {
        give(0, [&] { return ops::scatter_add_backward(dx, axis, index); });
      },
      y);
}

namespace detail {

template <class T>
using Nodes = std::vector<NodePtr<T>, detail::PoolAllocator<NodePtr<T>>>;
template <class T>
using Tensors = std::vector<Tensor<T>, detail::PoolAllocator<Tensor<T>>>;

template <class T>
Tensors<T> values_of(std::span<const Variable<T>> parts) {
  Tensors<T> values;
  values.reserve(parts.size());
  for (const Variable<T>& part : parts) values.push_back(part.value());
  return values;
}

/// The result of an operation on any number of inputs, of which f(dy, i, inputs) gives the gradient with respect to the
/// i-th.
template <class T, class F>
class ListOperation final : public Node<T> {
 public:
  ListOperation(Tensor<T> result, F f, std::span<const Variable<T>> parts)
      : Node<T>(std::move(result), true), f_(std::move(f)) {
    inputs_.reserve(parts.size());
    for (const Variable<T>& part : parts) inputs_.push_back(part.in_graph());
  }

  bool is_leaf() const override { return false; }
  std::span<const NodePtr<T>> inputs() const override { return inputs_; }
  void backward(Tensor<T> dy, BackwardPass<T, Tensor<T>>& pass) override { share_out(dy, pass); }
  void backward(Variable<T> dy, BackwardPass<T, Variable<T>>& pass) override { share_out(dy, pass); }
  void forget() override { inputs_.clear(); }

 private:
  template <class X>
  void share_out(const X& dy, BackwardPass<T, X>& pass) {
    const Shares<X, T> give(inputs_, pass);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      give(i, [&] { return f_(dy, static_cast<Index>(i), inputs()); });
    }
  }

  F f_;
  Nodes<T> inputs_;
};

template <class T, class F>
Variable<T> record_list(Tensor<T> value, F f, std::span<const Variable<T>> inputs) {
  const bool wanted =
      std::any_of(inputs.begin(), inputs.end(), [](const auto& input) { return input.requires_grad(); });
  if (NoGradGuard::active() || !wanted) return Variable<T>(std::move(value));
  return Variable<T>::of(new ListOperation<T, F>(std::move(value), std::move(f), inputs));
}

}  // namespace detail

template <class T>
Variable<T> concat(std::span<const Variable<T>> parts, int axis = 0) {
  const auto values = detail::values_of(parts);
  return detail::record_list(
      ops::concat(std::span<const Tensor<T>>(values), axis),
      [axis](const auto& dy, Index i, std::span<const detail::NodePtr<T>> inputs) {
        const auto size_of = [&](Index part) { return inputs[static_cast<std::size_t>(part)]->value.shape()[axis]; };
        Index begin = 0;
        for (Index k = 0; k < i; ++k) begin += size_of(k);
        const Index size = size_of(i);
        return ops::concat_backward(dy, axis, begin, size);
      },
      parts);
}
template <class T>
Variable<T> concat(std::initializer_list<Variable<T>> parts, int axis = 0) {
  return concat(std::span<const Variable<T>>(parts.begin(), parts.size()), axis);
}
template <class T>
Variable<T> concat(const std::vector<Variable<T>>& parts, int axis = 0) {
  return concat(std::span<const Variable<T>>(parts), axis);
}

template <class T>
Variable<T> stack(std::span<const Variable<T>> parts, int axis = 0) {
  const auto values = detail::values_of(parts);
  return detail::record_list(
      ops::stack(std::span<const Tensor<T>>(values), axis),
      [axis](const auto& dy, Index i, std::span<const detail::NodePtr<T>>) { return ops::stack_backward(dy, axis, i); },
      parts);
}
template <class T>
Variable<T> stack(std::initializer_list<Variable<T>> parts, int axis = 0) {
  return stack(std::span<const Variable<T>>(parts.begin(), parts.size()), axis);
}
template <class T>
Variable<T> stack(const std::vector<Variable<T>>& parts, int axis = 0) {
  return stack(std::span<const Variable<T>>(parts), axis);
}

}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
