// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/core/state_differences.hpp>

// The state of a layer or network: all its parameters and buffers by name, as PyTorch's state_dict.
//   const nn::State<> best = nn::state(net);        // shares the memory until the network is trained on
//   nn::load_state(net, best);                      // back in place: optimisers and pointers go on working

namespace eigengrad::EIGENGRAD_ISA::nn {

/// Tensors by name: "1.weight", "4.body.0.running_mean".
template <class T = float>
using State = std::map<std::string, Tensor<T>, std::less<>>;

/// Random streams by name: "2.random".
using RandomStreams = std::map<std::string, RandomStream, std::less<>>;

struct LoadStateOptions {
  bool strict = true;  ///< any difference is an error; else what fits is loaded
};

namespace detail {

/// Where the state of a layer stands.
template <class T>
struct Slot {
  std::string name;
  Tensor<T>* tensor;
};

/// All parameters and buffers, in the order of the layer's visit.
/// Errors   ValueError if two have the same name
template <class L>
std::vector<Slot<scalar_of<L>>> places(L& layer) {
  using T = scalar_of<L>;
  std::vector<Slot<T>> found;
  const auto add = [&](std::string_view name, Tensor<T>& tensor) {
    const auto same = [&](const Slot<T>& slot) { return slot.name == name; };
    if (std::any_of(found.begin(), found.end(), same))
      throw ValueError(error_text("state: ", describe(layer), " has two parameters or buffers named ", name));
    found.push_back({std::string(name), &tensor});
  };
  visit(layer, {.parameter = [&](std::string_view name, Parameter<T>& p) { add(name, p.value); }, .buffer = add});
  return found;
}

/// Compares what is in the places with the shapes that a state has, by name.
template <class T>
StateDifferences differences(const std::vector<Slot<T>>& places,
                             const std::map<std::string, Shape, std::less<>>& shapes) {
  StateDifferences result;
  std::set<std::string_view> names;
  for (const Slot<T>& slot : places) {
    names.insert(slot.name);
    const auto found = shapes.find(slot.name);
    if (found == shapes.end())
      result.missing.push_back(slot.name);
    else if (found->second != slot.tensor->shape())
      result.mismatched.push_back(
          joined(slot.name, " has shape ", to_string(found->second), ", expected ", to_string(slot.tensor->shape())));
  }
  for (const auto& [name, shape] : shapes) {
    if (!names.contains(name)) result.unexpected.push_back(name);
  }
  return result;
}

/// The random streams of a layer by name, where they stand.
template <class L>
std::map<std::string, RandomStream*, std::less<>> random_places(L& layer) {
  std::map<std::string, RandomStream*, std::less<>> found;
  visit(layer, {.random = [&](std::string_view name, RandomStream& stream) {
          if (!found.emplace(name, &stream).second)
            throw ValueError(error_text("state: ", describe(layer), " has two random streams named ", name));
        }});
  return found;
}

}  // namespace detail

/// A copy of all parameters and buffers by name. It takes no memory for them until one of both sides is written to.
/// Errors   ValueError if two have the same name
template <class L>
State<scalar_of<L>> state(L& layer) {
  State<scalar_of<L>> result;
  for (auto& slot : detail::places(layer)) result.emplace(std::move(slot.name), *slot.tensor);
  return result;
}

/// Gives the parameters and buffers of a layer the values of a state. They stay where they are, with their optimiser;
/// gradients are left alone. With strict = false what fits is loaded, and the differences are returned.
/// Errors   ValueError listing all names that are missing, unexpected or of another shape; nothing has then changed
template <class L>
StateDifferences load_state(L& layer, const State<scalar_of<L>>& state, const LoadStateOptions& options = {}) {
  const auto places = detail::places(layer);
  std::map<std::string, Shape, std::less<>> shapes;
  for (const auto& [name, tensor] : state) shapes.emplace(name, tensor.shape());
  StateDifferences differences = detail::differences(places, shapes);
  if (options.strict && !differences.empty())
    throw ValueError(error_text("load_state: ", describe(layer), ": ", to_string(differences)));
  for (const auto& slot : places) {
    const auto found = state.find(slot.name);
    if (found != state.end() && found->second.shape() == slot.tensor->shape()) *slot.tensor = found->second;
  }
  return differences;
}

/// Where the layers that draw random numbers anew in every forward are in their sequences, by name: "2.random".
template <class L>
RandomStreams random_streams(L& layer) {
  RandomStreams streams;
  for (const auto& [name, stream] : detail::random_places(layer)) streams.emplace(name, *stream);
  return streams;
}

/// Lets those layers go on from there.
/// Errors   ValueError listing all names that are missing or unexpected; nothing has then changed
template <class L>
void load_random_streams(L& layer, const RandomStreams& streams) {
  const auto places = detail::random_places(layer);
  StateDifferences differences;
  for (const auto& [name, stream] : places) {
    if (!streams.contains(name)) differences.missing.push_back(name);
  }
  for (const auto& [name, stream] : streams) {
    if (!places.contains(name)) differences.unexpected.push_back(name);
  }
  if (!differences.empty())
    throw ValueError(error_text("load_random_streams: ", describe(layer), ": ", to_string(differences)));
  for (const auto& [name, stream] : places) *stream = streams.find(name)->second;
}

}  // namespace eigengrad::EIGENGRAD_ISA::nn
