// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <eigengrad/core/layer.hpp>

// What an optimiser knows of the steps before, as PyTorch's state_dict, by the names of the parameters.
//   const optim::OptimizerState<> state = adam.state(net);
//   adam.load_state(net, state);

namespace eigengrad::EIGENGRAD_ISA::optim {

/// Rates, counts and tensors of an optimiser. Its other options are those that it is built with.
template <class T = float>
struct OptimizerState {
  std::string optimizer;  ///< its name: "Adam"
  double learning_rate = 0.0;
  double learning_rate_factor = 1.0;
  std::map<std::string, Index, std::less<>> steps;        ///< of each parameter: "0.weight"
  std::map<std::string, Tensor<T>, std::less<>> tensors;  ///< "0.weight.exp_avg"; none before the first step
  std::vector<OptimizerState> parts;                      ///< of the optimisers inside of this one
};

namespace detail {

/// The names of a network's parameters, each once.
/// Errors   ValueError if two have the same name
template <class L>
std::map<const Parameter<scalar_of<L>>*, std::string> parameter_names(L& net) {
  std::map<const Parameter<scalar_of<L>>*, std::string> names;
  std::map<std::string_view, const Parameter<scalar_of<L>>*> taken;
  visit(net, {.parameter = [&](std::string_view name, Parameter<scalar_of<L>>& p) {
          const auto [place, is_new] = names.emplace(&p, name);
          if (is_new && !taken.emplace(place->second, &p).second)
            throw ValueError(error_text(describe(net), " has two parameters named ", name));
        }});
  return names;
}

}  // namespace detail

}  // namespace eigengrad::EIGENGRAD_ISA::optim
