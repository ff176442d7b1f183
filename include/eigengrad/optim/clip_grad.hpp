// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/layer.hpp>
#include <eigengrad/optim/joint_loop.hpp>

// Clipping the gradients of a network by their common norm, between backward and step.
//   const double norm = optim::clip_grad_norm(net.parameters(), 1.0);
//   const double norm = adam.clip_grad_norm(1.0);                        // of the parameters that adam has

namespace eigengrad::EIGENGRAD_ISA::optim {

namespace detail {

/// The sum of squares, in double and in an order that depends on the count alone.
template <class T>
double sum_of_squares(const T* values, Index count) {
  constexpr int kLanes = 16;  // sums side by side, so that an addition need not wait for the last one
  Eigen::Array<double, kLanes, 1> lanes = Eigen::Array<double, kLanes, 1>::Zero();
  const Index whole = count / kLanes * kLanes;
  for (Index i = 0; i < whole; i += kLanes) {
    lanes += Eigen::Map<const Eigen::Array<T, kLanes, 1>>(values + i).template cast<double>().square();
  }
  double sum = lanes.sum();
  for (Index i = whole; i < count; ++i) sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  return sum;
}

/// Calls f with the gradients that count: those of the parameters that an optimiser has or, if it has none of them,
/// all.
template <class T, class F>
void for_gradients(std::span<Parameter<T>* const> parameters, const F& f) {
  bool trained = false;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i] == nullptr) throw ValueError(error_text("clip_grad_norm: parameter ", i, " is a null pointer"));
    trained = trained || parameters[i]->has_optimizer();
  }
  for (Parameter<T>* parameter : parameters) {
    if (parameter->has_grad() && (!trained || parameter->has_optimizer())) f(parameter->grad);
  }
}

template <class T>
double grad_norm(std::span<Parameter<T>* const> parameters) {
  if (parameters.empty()) return 0.0;
  JointLoop<const T*> loop(parameters.size());
  for_gradients(parameters, [&](const Tensor<T>& grad) { loop.add(grad.numel(), grad.data()); });
  Tensor<double> parts = Tensor<double>::zeros({loop.chunks()});
  double* sums = parts.mutable_data();
  loop.run([sums](const T* grads, Index begin, Index end, Index chunk) {
    sums[chunk] += sum_of_squares(grads + begin, end - begin);
  });
  double total = 0.0;
  for (const double part : parts.span()) total += part;
  return std::sqrt(total);
}

template <class T>
double clip_grad_norm(std::span<Parameter<T>* const> parameters, double max_norm) {
  detail::check::at_least_or_infinite("clip_grad_norm", "max_norm", max_norm, 0.0);
  const double norm = grad_norm(parameters);
  if (!std::isfinite(norm)) throw ValueError(error_text("clip_grad_norm: the norm of the gradients is ", norm));
  const double coefficient = max_norm / (norm + 1e-6);
  if (coefficient >= 1.0 || parameters.empty()) return norm;
  JointLoop<T*> loop(parameters.size());
  for_gradients(parameters, [&](Tensor<T>& grad) { loop.add(grad.numel(), grad.mutable_data()); });
  loop.run([scale = static_cast<T>(coefficient)](T* grads, Index begin, Index end, Index) {
    ArrayMap<T>(grads + begin, end - begin) *= scale;
  });
  return norm;
}

/// Of the parameters of an optimiser; takes no memory from the system.
template <class Optimizer>
double clip_grad_norm_of(const Optimizer& optimizer, double max_norm) {
  using Pointer = Parameter<typename Optimizer::Scalar>*;
  std::vector<Pointer, eigengrad::detail::PoolAllocator<Pointer>> parameters;
  std::size_t count = 0;
  optimizer.for_each_parameter([&](auto&) { ++count; });
  parameters.reserve(count);
  optimizer.for_each_parameter([&](auto& parameter) { parameters.push_back(&parameter); });
  return clip_grad_norm(std::span<const Pointer>(parameters), max_norm);
}

}  // namespace detail

/// The L2 norm of all gradients as one vector; parameters without a gradient count nothing. Nor do those that no
/// optimiser has, if one has others of the list: nobody is going to apply their gradients.
/// The squares are added in double and in a fixed order: the same bits for any number of threads.
/// Errors   ValueError for a null pointer
template <class T, class Allocator = std::allocator<Parameter<T>*>>
double grad_norm(const std::vector<Parameter<T>*, Allocator>& parameters) {
  return detail::grad_norm(std::span<Parameter<T>* const>(parameters));
}

/// Scales the gradients that grad_norm counts by max_norm / (norm + 1e-6) if that is below 1, as
/// torch.nn.utils.clip_grad_norm_ does. Returns the norm before.
/// Errors   ValueError, before anything changes, for a null pointer, a max_norm below 0 or a norm that is not finite,
///          as PyTorch with error_if_nonfinite
template <class T, class Allocator = std::allocator<Parameter<T>*>>
double clip_grad_norm(const std::vector<Parameter<T>*, Allocator>& parameters, double max_norm) {
  return detail::clip_grad_norm(std::span<Parameter<T>* const>(parameters), max_norm);
}

}  // namespace eigengrad::EIGENGRAD_ISA::optim
