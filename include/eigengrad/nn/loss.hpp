// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/ops/cross_entropy.hpp>
#include <eigengrad/ops/mse_loss.hpp>

// Losses. forward(outputs, target) returns the mean over the batch; backward() the gradient with respect to the
// outputs.
//   nn::SoftmaxCrossEntropy loss;                              // or loss{{.label_smoothing = 0.1}}
//   float value = loss.forward(net.forward(images), labels);
//   net.backward(loss.backward());

namespace eigengrad::EIGENGRAD_ISA::nn {

/// Cross-entropy of class probabilities, as nn::Softmax gives them: -1/N sum_n log x[n, t_n].
/// Shapes   x (..., C), N rows; labels (N) or (...), not (N, 1)
/// Units    nats; infinite if a true class has probability 0
/// Errors   ShapeError if the numbers of rows and labels differ, ValueError for a label outside 0 ... C-1
template <class T = float>
class CrossEntropy {
 public:
  T forward(Tensor<T> probabilities, const Tensor<Index>& labels) {
    const T loss = ops::cross_entropy(probabilities, labels);
    probabilities_ = std::move(probabilities);
    labels_ = labels;
    return loss;
  }

  Tensor<T> backward() {
    detail::check::remembered(*this, !probabilities_.empty());
    return ops::cross_entropy_backward(probabilities_, labels_);
  }

  /// Errors   those of forward on outputs of that shape
  void check_target(const Shape& x, const Tensor<Index>& labels) const {
    ops::detail::check_labels(description(), x, labels);
  }

  std::string description() const { return "CrossEntropy"; }

 private:
  Tensor<T> probabilities_;
  Tensor<Index> labels_;
};

using ops::SoftmaxCrossEntropyOptions;

/// Cross-entropy of softmax(x) from the logits x, as torch.nn.CrossEntropyLoss; stable for large logits. The target is
/// a label for each row or, as MixUp makes it, a probability for each class.
///   nn::SoftmaxCrossEntropy loss{{.label_smoothing = 0.1}};
///   nn::SoftmaxCrossEntropy loss{{.weight = {1.0, 5.0}, .ignore_index = -1}};
/// Shapes   x (..., C), N rows; labels (N) or (...), not (N, 1); or class probabilities (..., C)
/// Units    nats
/// Errors   ValueError for an option out of range; those of ops::softmax_cross_entropy
template <class T = float>
class SoftmaxCrossEntropy {
 public:
  SoftmaxCrossEntropy() = default;
  EIGENGRAD_COLD explicit SoftmaxCrossEntropy(const SoftmaxCrossEntropyOptions& options) : options_(options) {
    ops::detail::check_options("SoftmaxCrossEntropy", options);
  }

  T forward(Tensor<T> logits, const Tensor<Index>& labels) { return forward_on(std::move(logits), labels); }
  T forward(Tensor<T> logits, const Tensor<T>& class_probabilities) {
    return forward_on(std::move(logits), class_probabilities);
  }

  Tensor<T> backward() {
    detail::check::remembered(*this, !probabilities_.empty());  // which moving away empties
    return backward_(*this);
  }

  /// Errors   those of forward on outputs of that shape
  void check_target(const Shape& x, const Tensor<Index>& labels) const {
    ops::detail::ClassWeights(description(), x, labels, options_).require_any(description());
  }

  void check_target(const Shape& x, const Tensor<T>& class_probabilities) const {
    ops::detail::check_soft_target(description(), x, class_probabilities, options_);
  }

  /// What the mean over such labels is divided by: their number or, with options, the sum of the weights that count.
  double weight_of(const Shape& x, const Tensor<Index>& labels) const {
    return ops::detail::ClassWeights(description(), x, labels, options_).total();
  }
  std::optional<Index> ignore_index() const { return options_.ignore_index; }

  std::string description() const { return "SoftmaxCrossEntropy"; }

 private:
  template <class Target>
  T forward_on(Tensor<T> logits, const Tensor<Target>& target) {
    auto [loss, probabilities] = ops::softmax_cross_entropy(std::move(logits), target, options_);
    probabilities_ = std::move(probabilities);
    std::get<Tensor<Target>>(targets_) = target;
    backward_ = [](const SoftmaxCrossEntropy& self) {
      return ops::softmax_cross_entropy_backward(self.probabilities_, std::get<Tensor<Target>>(self.targets_),
                                                 self.options_);
    };
    return loss;
  }

  SoftmaxCrossEntropyOptions options_;
  Tensor<T> probabilities_;
  std::tuple<Tensor<Index>, Tensor<T>> targets_;  // one of them, of the last forward
  /// For the targets of the last forward: a program without class probabilities has no code for them.
  Tensor<T> (*backward_)(const SoftmaxCrossEntropy&) = nullptr;
};

/// Mean squared error, 1/n sum_i (x_i - t_i)^2 over all n elements, as torch.nn.MSELoss.
/// Shapes   x, target t any, the same
/// Units    the square of those of x
/// Errors   ShapeError if the shapes differ or there is no element
template <class T = float>
class MSELoss {
 public:
  T forward(Tensor<T> x, const Tensor<T>& target) {
    auto [loss, difference] = ops::mse_loss(std::move(x), target);
    difference_ = std::move(difference);
    return loss;
  }

  Tensor<T> backward() {
    detail::check::remembered(*this, !difference_.empty());
    return ops::mse_loss_backward(difference_);
  }

  /// Errors   those of forward on outputs of that shape
  void check_target(const Shape& x, const Tensor<T>& target) const {
    detail::check::same_shape(description(), "target", target.shape(), x);
  }

  std::string description() const { return "MSELoss"; }

 private:
  Tensor<T> difference_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
