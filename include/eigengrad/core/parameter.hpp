// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/tensor.hpp>

// Parameter: what a layer learns. ParameterClaim: how an optimiser holds on to one without a pointer that dangles.

namespace eigengrad::EIGENGRAD_ISA {

namespace detail {
template <class T>
class ParameterClaim;
}

/// A learned tensor and the gradient of the loss with respect to it.
/// An optimiser follows its parameters. Assigning to a parameter changes what it holds and leaves it the parameter that
/// it is; a copy is a parameter of its own. Moving one takes the optimiser along, unless the target has one already.
template <class T>
struct Parameter {
  Tensor<T> value;
  Tensor<T> grad;  ///< empty until backward has written it, and again after zero_grad()
  /// False freezes it: no backward computes a gradient for it, clipping and optimisers leave it as it is.
  bool requires_grad = true;

  Parameter() = default;
  explicit Parameter(Tensor<T> initial) : value(std::move(initial)) {}
  Parameter(const Parameter& other) : value(other.value), grad(other.grad), requires_grad(other.requires_grad) {}
  Parameter(Parameter&& other) noexcept
      : value(std::move(other.value)), grad(std::move(other.grad)), requires_grad(other.requires_grad) {
    take_place_of(other);
  }
  Parameter& operator=(const Parameter& other) {
    value = other.value;
    grad = other.grad;
    requires_grad = other.requires_grad;
    return *this;
  }
  Parameter& operator=(Parameter&& other) noexcept {
    if (this == &other) return *this;
    value = std::move(other.value);
    grad = std::move(other.grad);
    requires_grad = other.requires_grad;
    if (place_ == nullptr)
      take_place_of(other);
    else
      other.leave();
    return *this;
  }
  ~Parameter() { leave(); }

  /// True if there is a gradient to make a step with: never of a frozen parameter.
  bool has_grad() const { return requires_grad && !grad.empty(); }

  /// Adds to the gradient that is there, or becomes the gradient if there is none. A frozen parameter drops both.
  /// Errors   ShapeError if it, or the gradient that is there, has another shape than the value
  EIGENGRAD_CALLED void add_grad(Tensor<T> more) {
    detail::check::same_shape("Parameter", "gradient", more.shape(), value.shape());
    if (!requires_grad) return zero_grad();
    if (!has_grad()) {
      grad = std::move(more);
      return;
    }
    detail::check::same_shape("Parameter", "gradient that is there", grad.shape(), value.shape());
    grad.mutable_array() += more.array();
  }

  /// Drops the gradient, in O(1): the next backward writes it anew.
  void zero_grad() { grad = Tensor<T>(); }

  /// True if an optimiser has this parameter.
  bool has_optimizer() const { return place_.use_count() > 1; }
  /// The steps that optimisers have made with this parameter in their lists.
  Index optimizer_steps() const { return place_ == nullptr ? 0 : place_->steps; }

 private:
  friend detail::ParameterClaim<T>;

  /// If the parameter is, for those who hold a claim to it.
  struct Place {
    Parameter* parameter;
    Index steps = 0;
  };

  void take_place_of(Parameter& other) {
    place_ = std::move(other.place_);
    if (place_ != nullptr) place_->parameter = this;
  }
  EIGENGRAD_CALLED void leave() {
    if (place_ != nullptr) std::exchange(place_, nullptr)->parameter = nullptr;
  }

  std::shared_ptr<Place> place_;  // none until the first claim
};

namespace detail {

/// An optimiser's hold on a parameter: knows where it is, and that it is gone.
template <class T>
class ParameterClaim {
 public:
  EIGENGRAD_COLD explicit ParameterClaim(Parameter<T>& parameter) {
    if (parameter.place_ == nullptr) {
      parameter.place_ = std::make_shared<typename Parameter<T>::Place>();
      parameter.place_->parameter = &parameter;
    }
    place_ = parameter.place_;
  }

  /// The parameter, or nullptr once it is gone.
  Parameter<T>* get() const { return place_->parameter; }
  void count_step() { ++place_->steps; }

 private:
  std::shared_ptr<typename Parameter<T>::Place> place_;
};

}  // namespace detail
}  // namespace eigengrad::EIGENGRAD_ISA
