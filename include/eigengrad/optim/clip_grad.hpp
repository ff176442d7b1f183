// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <vector>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/layer.hpp>
#include <eigengrad/optim/joint_loop.hpp>

// Clipping the gradients of a network by their common norm, between backward and step.
//   const double norm = optim::clip_grad_norm(net.parameters(), 1.0);

namespace eigengrad::optim {

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

}  // namespace detail

/// The L2 norm of all gradients as one vector; parameters without a gradient count nothing.
/// The squares are added in double and in a fixed order: the same bits for any number of threads.
template <class T>
double grad_norm(const std::vector<Parameter<T>*>& parameters) {
  if (parameters.empty()) return 0.0;
  detail::JointLoop<const T*> loop(parameters.size());
  for (const Parameter<T>* parameter : parameters) {
    if (parameter->has_grad()) loop.add(parameter->grad.numel(), parameter->grad.data());
  }
  Tensor<double> parts = Tensor<double>::zeros({loop.chunks()});
  double* sums = parts.mutable_data();
  loop.run([sums](const T* grads, Index begin, Index end, Index chunk) {
    sums[chunk] += detail::sum_of_squares(grads + begin, end - begin);
  });
  double total = 0.0;
  for (const double part : parts.span()) total += part;
  return std::sqrt(total);
}

/// Scales all gradients by max_norm / (norm + 1e-6) where that is below 1, as torch.nn.utils.clip_grad_norm_ does.
/// Returns the norm before.
/// Errors   ValueError, before anything changes, for a max_norm below 0 or a norm that is not finite, as PyTorch with
///          error_if_nonfinite
template <class T>
double clip_grad_norm(const std::vector<Parameter<T>*>& parameters, double max_norm) {
  check::at_least("clip_grad_norm", "max_norm", max_norm, 0.0);
  const double norm = grad_norm(parameters);
  if (!std::isfinite(norm)) throw ValueError(error_text("clip_grad_norm: the norm of the gradients is ", norm));
  const double coefficient = max_norm / (norm + 1e-6);
  if (coefficient >= 1.0 || parameters.empty()) return norm;
  detail::JointLoop<T*> loop(parameters.size());
  for (Parameter<T>* parameter : parameters) {
    if (parameter->has_grad()) loop.add(parameter->grad.numel(), parameter->grad.mutable_data());
  }
  loop.run([scale = static_cast<T>(coefficient)](T* grads, Index begin, Index end, Index) {
    ArrayMap<T>(grads + begin, end - begin) *= scale;
  });
  return norm;
}

}  // namespace eigengrad::optim
