// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/core/layer.hpp>

// What fit asks of a network and a loss that are not the library's own, and how it explains a loss that is not finite.

namespace eigengrad::EIGENGRAD_ISA::train::detail {

/// Throws unless the network's result has the shape that its output_shape says.
template <class Net>
EIGENGRAD_CALLED void check_outputs(const Net& net, const Shape& inputs, const Shape& outputs) {
  if constexpr (requires { net.output_shape(inputs); }) {
    const Shape expected = output_shape(net, inputs, Mode::train);
    if (outputs == expected) return;
    throw ShapeError(error_text("fit: ", describe(net), ": forward gives shape ", outputs, ", but output_shape says ",
                                expected, "; input shape ", inputs));
  }
}

/// The parameters that an optimiser has and no backward has reached yet. One that lies on a path which some batches do
/// not take is reached by another batch.
class UnreachedParameters {
 public:
  /// To be called after each backward.
  template <class Net>
  void update(Net& net) {
    if (steps_++ == 0 || !names_.empty()) look_at(net);
  }

  /// Errors   StateError if there are any
  EIGENGRAD_COLD void require_none() const {
    if (names_.empty()) return;
    throw StateError(error_text("fit: parameter ", names_.front(), " has got no gradient in ", steps_,
                                steps_ == 1 ? " step" : " steps", "; its layer's backward must call add_grad"));
  }

 private:
  template <class Net>
  EIGENGRAD_COLD void look_at(Net& net) {
    std::vector<std::string> names;
    visit(net, {.parameter = [&](std::string_view name, const Parameter<scalar_of<Net>>& p) {
            if (!p.has_optimizer() || !p.requires_grad || p.has_grad() || p.value.empty()) return;
            if (steps_ == 1 || std::find(names_.begin(), names_.end(), name) != names_.end()) names.emplace_back(name);
          }});
    names_ = std::move(names);
  }

  Index steps_ = 0;
  std::vector<std::string> names_;
};

/// "a NaN" or "an infinity", if the tensor has one, else ""; of what is no tensor nothing is said.
std::string_view not_finite(const auto&) { return ""; }
template <class T>
EIGENGRAD_COLD std::string_view not_finite(const Tensor<T>& x) {
  if constexpr (std::floating_point<T>) {
    const auto has = [&](auto is) { return std::any_of(x.data(), x.data() + x.numel(), is); };
    if (has([](T value) { return std::isnan(value); })) return "a NaN";
    if (has([](T value) { return std::isinf(value); })) return "an infinity";
  }
  return "";
}

/// The first parameter, or layer whose output, is not finite.
template <class Net, class Inputs>
EIGENGRAD_COLD std::string reason_in_network(Net copy, const Inputs& inputs) {  // to run a copy changes nothing
  std::string reason;
  visit(copy, {.parameter = [&](std::string_view name, const Parameter<scalar_of<Net>>& p) {
          const auto found = not_finite(p.value);
          if (!found.empty() && reason.empty())
            reason = error_text("parameter ", name, " has ", found, "; a lower learning rate may help");
        }});
  if (!reason.empty()) return reason;
  if constexpr (requires { copy[copy.size() - 1].forward(inputs, Mode::train); }) {
    auto x = inputs;
    for (Index i = 0; i < copy.size(); ++i) {
      x = copy[i].forward(std::move(x), Mode::train);
      if (const auto found = not_finite(x); !found.empty())
        return error_text("layer ", i, " (", describe(copy[i]), ") is the first whose output has ", found,
                          "; a lower learning rate may help");
    }
  } else if (const auto found = not_finite(copy.forward(inputs, Mode::train)); !found.empty()) {
    return error_text("the network's outputs have ", found, "; a lower learning rate may help");
  }
  return "all outputs are finite; a lower learning rate may help";
}

/// Why the loss of a batch is not finite: the first place where a number is not.
template <class Net, class Inputs, class Targets>
EIGENGRAD_COLD std::string reason_of_no_finite_loss(const Net& net, const Inputs& inputs, const Targets& targets) {
  if (const auto found = not_finite(inputs); !found.empty()) return error_text("the batch's inputs have ", found);
  if (const auto found = not_finite(targets); !found.empty()) return error_text("the batch's targets have ", found);
  if constexpr (std::copyable<Net>) return reason_in_network(net, inputs);
  return "a lower learning rate may help";
}

}  // namespace eigengrad::EIGENGRAD_ISA::train::detail
