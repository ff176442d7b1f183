// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/ops/cross_entropy.hpp>

// Losses. forward(outputs, labels) returns the mean over the batch; backward() the gradient by the outputs.
//   nn::SoftmaxCrossEntropy loss;
//   float value = loss.forward(net.forward(images), labels);
//   net.backward(loss.backward());

namespace eigengrad::nn {

/// Cross-entropy of class probabilities, as nn::Softmax gives them: -1/N sum_n log x[n, t_n].
/// Shapes   x (..., C), N rows; labels (N)
/// Units    nats; infinite where a true class has probability 0
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
    check::remembered(*this, !probabilities_.empty());
    return ops::cross_entropy_backward(probabilities_, labels_);
  }

  std::string description() const { return "CrossEntropy"; }

 private:
  Tensor<T> probabilities_;
  Tensor<Index> labels_;
};

/// Cross-entropy of softmax(x) from the logits x, as torch.nn.CrossEntropyLoss; stable for large logits.
/// Shapes   x (..., C), N rows; labels (N)
/// Units    nats
/// Errors   ShapeError if the numbers of rows and labels differ or there is none, ValueError for a label outside
///          0 ... C-1
template <class T = float>
class SoftmaxCrossEntropy {
 public:
  T forward(Tensor<T> logits, const Tensor<Index>& labels) {
    auto [loss, probabilities] = ops::softmax_cross_entropy(std::move(logits), labels);
    probabilities_ = std::move(probabilities);
    labels_ = labels;
    return loss;
  }

  Tensor<T> backward() {
    check::remembered(*this, !probabilities_.empty());
    return ops::softmax_cross_entropy_backward(probabilities_, labels_);
  }

  std::string description() const { return "SoftmaxCrossEntropy"; }

 private:
  Tensor<T> probabilities_;
  Tensor<Index> labels_;
};

}  // namespace eigengrad::nn
