// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/state_differences.hpp>
#include <eigengrad/optim/joint_loop.hpp>
#include <eigengrad/optim/optimizer_state.hpp>

// SecondWeights: values of an optimiser's parameters beside those that it trains: an average of them, say.

namespace eigengrad::EIGENGRAD_ISA::optim::detail {

template <class T>
class SecondWeights {
 public:
  /// True until they are copied or loaded.
  bool empty() const { return values_.empty(); }

  /// Becomes what the parameters are; they share the memory until one of them is written to.
  template <class Optimizer>
  void copy(const Optimizer& optimizer) {
    values_.clear();
    optimizer.for_each_parameter([&](const Parameter<T>& p) { values_.push_back(p.value); });
  }

  /// second += share (parameter - second), and if `back` is set, parameter = second.
  /// Errors   ShapeError if a parameter has been given another shape
  template <class Optimizer>
  EIGENGRAD_CALLED void approach(const Optimizer& optimizer, double share, bool back = false) {
    struct Job {
      T* second;
      const T* value;
      T* back;  // or nullptr
    };
    JointLoop<Job> loop(values_.size());
    for_each_pair(*this, optimizer, [&](Parameter<T>& p, Tensor<T>& second) {
      eigengrad::detail::check::same_shape("optimiser", "second weight", second.shape(), p.value.shape());
      if (second.empty()) return;
      T* const to = back ? p.value.mutable_data() : nullptr;
      loop.add(second.numel(), Job{second.mutable_data(), p.value.data(), to});
    });
    loop.run([share = static_cast<T>(share)](const Job& job, Index begin, Index end, Index) {
      const auto blend = [share](const auto& a, const auto& p) { return a + share * (p - a); };
      T* const second = job.second + begin;
      ops::detail::map_row<T>(end - begin, second, blend, second, job.value + begin);
      if (job.back != nullptr) std::copy_n(second, end - begin, job.back + begin);
    });
  }

  /// The parameters get these values, and these become what the parameters were.
  template <class Optimizer>
  void swap(const Optimizer& optimizer) {
    for_each_pair(*this, optimizer, [](Parameter<T>& p, Tensor<T>& second) { std::swap(p.value, second); });
  }

  /// Adds them to a state, as "0.weight.NAME".
  template <class Optimizer, class L>
  void save(const Optimizer& optimizer, L& net, std::string_view name, OptimizerState<T>& state) const {
    if (empty()) return;
    for_each_pair(*this, optimizer, [&, names = parameter_names(net)](const Parameter<T>& p, const Tensor<T>& second) {
      state.tensors.emplace(key(names, p, name), second);
    });
  }

  /// Those of a state that has them for all parameters, or for none.
  /// Errors   ValueError listing all names that are missing, unexpected or of another shape; nothing has then changed
  template <class Optimizer, class L>
  EIGENGRAD_COLD void load(const Optimizer& optimizer, L& net, std::string_view name, const OptimizerState<T>& state) {
    std::vector<Tensor<T>> values;
    StateDifferences differences;
    std::map<std::string, Tensor<T>, std::less<>> left = state.tensors;
    optimizer.for_each_parameter([&, names = parameter_names(net)](const Parameter<T>& p) {
      if (state.tensors.empty()) return;
      const std::string wanted = key(names, p, name);
      const auto found = left.find(wanted);
      if (found == left.end()) return differences.missing.push_back(wanted);
      if (found->second.shape() != p.value.shape()) {
        differences.mismatched.push_back(
            joined(wanted, " has shape ", to_string(found->second.shape()), ", expected ", to_string(p.value.shape())));
      }
      values.push_back(found->second);
      left.erase(found);
    });
    for (const auto& [unexpected, ignored] : left) differences.unexpected.push_back(unexpected);
    if (!differences.empty()) throw ValueError(error_text(state.optimizer, ": load_state: ", to_string(differences)));
    values_ = std::move(values);
  }

 private:
  /// "0.weight.NAME"
  template <class Names>
  static std::string key(const Names& names, const Parameter<T>& parameter, std::string_view name) {
    const auto found = names.find(&parameter);
    if (found == names.end()) throw ValueError("optimiser: a parameter is not of the network");
    return joined(found->second, ".", name);
  }

  /// f(parameter, second) for each; an optimiser has the same parameters all its life.
  template <class Self, class Optimizer, class F>
  static void for_each_pair(Self& self, const Optimizer& optimizer, const F& f) {
    auto second = self.values_.begin();
    optimizer.for_each_parameter([&](Parameter<T>& p) { f(p, *second++); });
  }

  std::vector<Tensor<T>> values_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::optim::detail
