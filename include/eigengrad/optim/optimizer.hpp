// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/inlining.hpp>
#include <eigengrad/core/layer.hpp>
#include <eigengrad/core/state_differences.hpp>
#include <eigengrad/optim/clip_grad.hpp>
#include <eigengrad/optim/joint_loop.hpp>
#include <eigengrad/optim/optimizer_state.hpp>
#include <eigengrad/optim/parameter_groups.hpp>
#include <eigengrad/optim/pytorch_options.hpp>

// What all optimisers have in common. One of them is a rule:
//
//   struct SignRule {                                                  // p -= learning_rate sign(g + weight_decay p)
//     using Scalar = float;
//     using Options = SignOptions;                                     // has learning_rate and weight_decay
//     static constexpr const char* kName = "Sign";
//     static constexpr std::array<const char*, 0> kState{};            // names of the tensors kept for a parameter
//     static bool keeps(const Options&, std::size_t) { return false; } // is the i-th of them needed?
//     static void check_options(const Options&) {}                     // of all options but the two above
//     SignRule(const Options&, const StepNumbers& numbers) : ... {}    // before each step of a parameter
//     // Of whole blocks (ops::detail::kBlock elements): what does not fill one is filled up with zeros.
//     // So vectors compute all elements, and equal ones make equal steps.
//     void operator()(Index count, float* values, const float* grads, const std::array<float*, 0>& state) const;
//   };
//   struct Sign : optim::Optimizer<SignRule> { using Optimizer::Optimizer; };

namespace eigengrad::EIGENGRAD_ISA::optim {

/// What a rule is told of a parameter's next step.
struct StepNumbers {
  double learning_rate = 0.0;  ///< the group's, times the factor of the schedule
  double weight_decay = 0.0;   ///< the group's
  Index step = 1;              ///< counts this parameter's steps, those without a gradient left out
};

/// Changes parameters by their gradients, as the rule says.
/// step() uses the gradients up: the next backward writes new ones, and nothing needs to be cleared in between.
/// Several backward passes before a step add up. A parameter without a gradient is left as it is.
/// Assigning to the network, layer or parameter changes what the optimiser works on and no more. If a parameter is
/// gone, because its layer was destroyed or one of another type has taken its place, the next call says so.
/// Errors   ValueError for an option outside its range, no parameters at all, or a parameter that is given twice;
///          StateError from every call that needs the parameters if one is gone, or the optimiser has been moved away
template <class Rule>
class Optimizer {
 public:
  using Scalar = typename Rule::Scalar;
  using Options = typename Rule::Options;

  EIGENGRAD_COLD Optimizer(const ParameterGroups<Scalar>& groups, const Options& options) : options_(options) {
    detail::check::at_least(Rule::kName, "learning_rate", options.learning_rate, 0.0);
    detail::check::at_least(Rule::kName, "weight_decay", options.weight_decay, 0.0);
    Rule::check_options(options);
    for (const ParameterGroup<Scalar>& group : groups) add_group(group);
    detail::check::above_zero(Rule::kName, "number of parameters", entries_.size());
  }

  /// One step of all parameters that have a gradient. Frozen ones have none.
  /// Errors   before anything changes: ShapeError if a gradient or what is kept does not fit its parameter,
  ///          StateError if no parameter has a gradient, as after a forgotten backward
  void step() {
    check_before_step();
    detail::JointLoop<Job> loop(entries_.size());
    for (Entry& entry : entries_) {
      if (entry.get().has_grad()) loop.add(entry.get().value.numel(), job_of(entry));
    }
    loop.run([](const Job& job, Index begin, Index end, Index) {
      const Index whole = begin + (end - begin) / ops::detail::kBlock<Scalar> * ops::detail::kBlock<Scalar>;
      for (Index piece = begin; piece < whole; piece += kPiece) apply(job, piece, std::min(kPiece, whole - piece));
      if (whole < end) apply_padded(job, whole, end - whole);
    });
    for (Entry& entry : entries_) {
      if (entry.get().has_grad()) ++entry.steps;
      entry.get().zero_grad();
      entry.claim.count_step();
    }
  }

  /// Drops every gradient without a step.
  void zero_grad() {
    check_parameters();
    for (Entry& entry : entries_) entry.get().zero_grad();
  }

  /// Calls f with each of its parameters, in their order; takes no memory.
  template <class F>
  void for_each_parameter(const F& f) const {
    check_parameters();
    for (const Entry& entry : entries_) f(entry.get());
  }
  /// True if a parameter has a gradient to make a step with.
  bool has_grad() const {
    bool found = false;
    for_each_parameter([&](const Parameter<Scalar>& p) { found = found || p.has_grad(); });
    return found;
  }

  /// optim::clip_grad_norm of the optimiser's parameters.
  EIGENGRAD_CALLED double clip_grad_norm(double max_norm) { return detail::clip_grad_norm_of(*this, max_norm); }

  /// The rate of the groups that have none of their own, without the factor.
  double learning_rate() const { return options_.learning_rate; }
  void set_learning_rate(double learning_rate) {
    detail::check::at_least(Rule::kName, "learning_rate", learning_rate, 0.0);
    options_.learning_rate = learning_rate;
  }

  /// What the rates of all groups are multiplied by, as a schedule says; 1 until it is set.
  double learning_rate_factor() const { return factor_; }
  void set_learning_rate_factor(double factor) {
    detail::check::at_least(Rule::kName, "learning_rate_factor", factor, 0.0);
    factor_ = factor;
  }

  /// The rate at which a group's next step is made: its own or else the optimiser's, times the factor.
  /// Errors   ValueError for a group outside 0 ... groups() - 1
  double effective_learning_rate(Index group) const {
    if (group < 0 || group >= groups()) throw ValueError(error_text(Rule::kName, ": group ", group, " of ", groups()));
    return rate_of(groups_[static_cast<std::size_t>(group)]);
  }
  Index groups() const { return static_cast<Index>(groups_.size()); }

  /// What it knows of the steps before, by the names that the parameters have in a network. The tensors share the
  /// memory until the next step.
  /// Errors   ValueError for a parameter that is not of the network
  template <class L>
  OptimizerState<Scalar> state(L& net) const {
    check_parameters();
    OptimizerState<Scalar> state{Rule::kName, options_.learning_rate, factor_, {}, {}, {}};
    const std::vector<std::string> names = names_in(net);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      state.steps.emplace(names[i], entries_[i].steps);
      for (std::size_t k = 0; k < kStates; ++k) {
        if (!entries_[i].state[k].empty()) state.tensors.emplace(state_name(names[i], k), entries_[i].state[k]);
      }
    }
    return state;
  }

  /// Goes on from a state of the same optimiser with parameters of the same names.
  /// Errors   ValueError for a state of another optimiser, for numbers that cannot be, and listing all names that are
  ///          missing, unexpected or of another shape; nothing has then changed
  template <class L>
  void load_state(L& net, const OptimizerState<Scalar>& state) {
    check_parameters();
    const std::vector<std::string> names = names_in(net);
    check_state(state, names);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      entries_[i].steps = state.steps.find(names[i])->second;
      for (std::size_t k = 0; k < kStates; ++k) {
        const auto found = state.tensors.find(state_name(names[i], k));
        entries_[i].state[k] = found == state.tensors.end() ? Tensor<Scalar>() : found->second;
      }
    }
    options_.learning_rate = state.learning_rate;
    factor_ = state.learning_rate_factor;
  }

 private:
  /// Elements that a rule gets at a time. Its several passes over them stay in the first-level cache, and memory is
  /// read for one piece while another is computed.
  static constexpr Index kPiece = 512;
  static constexpr std::size_t kStates = Rule::kState.size();
  using States = std::array<Scalar*, kStates>;

  struct Group {
    std::optional<double> learning_rate;
    std::optional<double> weight_decay;
  };

  struct Entry {
    detail::ParameterClaim<Scalar> claim;
    Shape shape;  // at the beginning, for the message that the parameter is gone
    std::size_t group = 0;
    Index steps = 0;
    std::array<Tensor<Scalar>, kStates> state{};  // empty until the first step, or always if not needed

    /// To be called after check_parameters.
    Parameter<Scalar>& get() const { return *claim.get(); }
  };

  struct Job {
    Rule rule;
    Scalar* values;
    const Scalar* grads;
    States state;
  };
  static_assert(std::is_trivially_copyable_v<Rule>, "a rule is a few numbers");

  /// Never inlined: the last block, filled up, is computed by the same instructions as all others.
  EIGENGRAD_NOINLINE static void apply(const Job& job, Index begin, Index count) {
    States state = job.state;
    for (Scalar*& data : state) data = data == nullptr ? nullptr : data + begin;
    const Rule rule = job.rule;
    rule(count, job.values + begin, job.grads + begin, state);
  }

  /// The elements at the end of an array that do not fill a block.
  EIGENGRAD_CALLED static void apply_padded(const Job& job, Index begin, Index count) {
    using Padded = ops::detail::PaddedBlock<Scalar>;
    Padded values(job.values + begin, count), grads(job.grads + begin, count);
    std::array<Padded, kStates> state;
    Job padded{job.rule, values.elements.data(), grads.elements.data(), {}};
    for (std::size_t k = 0; k < kStates; ++k) {
      if (job.state[k] == nullptr) continue;
      state[k] = Padded(job.state[k] + begin, count);
      padded.state[k] = state[k].elements.data();
    }
    apply(padded, 0, ops::detail::kBlock<Scalar>);
    std::copy_n(padded.values, count, job.values + begin);
    for (std::size_t k = 0; k < kStates; ++k) {
      if (job.state[k] != nullptr) std::copy_n(padded.state[k], count, job.state[k] + begin);
    }
  }

  /// If an error is: its text is made only when there is one, so that a step takes no memory.
  struct Place {
    std::size_t parameter;
    std::string description() const { return error_text(Rule::kName, ": parameter ", parameter); }
  };

  EIGENGRAD_COLD void add_group(const ParameterGroup<Scalar>& group) {
    const std::string of_group = error_text(" of group ", groups_.size());
    if (group.learning_rate)
      detail::check::at_least(Rule::kName, "learning_rate" + of_group, *group.learning_rate, 0.0);
    if (group.weight_decay) detail::check::at_least(Rule::kName, "weight_decay" + of_group, *group.weight_decay, 0.0);
    for (Parameter<Scalar>* parameter : group.parameters) {
      const std::string name = Place{entries_.size()}.description();
      if (parameter == nullptr) throw ValueError(name + " is a null pointer");
      const auto same = std::find_if(entries_.begin(), entries_.end(),
                                     [&](const Entry& entry) { return entry.claim.get() == parameter; });
      if (same != entries_.end()) {
        throw ValueError(error_text(name, " is parameter ", same - entries_.begin(), " once more"));
      }
      entries_.push_back({detail::ParameterClaim<Scalar>(*parameter), parameter->value.shape(), groups_.size()});
    }
    groups_.push_back({group.learning_rate, group.weight_decay});
  }

  static std::string state_name(const std::string& parameter, std::size_t k) {
    return joined(parameter, ".", Rule::kState[k]);
  }

  /// If parameters are called in a network, in the order of the entries.
  template <class L>
  std::vector<std::string> names_in(L& net) const {
    const auto all = detail::parameter_names(net);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto found = all.find(entries_[i].claim.get());
      if (found == all.end())
        throw ValueError(error_text(Place{i}.description(), " is not a parameter of ", describe(net)));
      names.push_back(found->second);
    }
    return names;
  }

  EIGENGRAD_COLD void check_state(const OptimizerState<Scalar>& state, const std::vector<std::string>& names) const {
    const std::string place = joined(Rule::kName, ": load_state");
    if (state.optimizer != Rule::kName) throw ValueError(error_text(place, ": the state is of ", state.optimizer));
    detail::check::at_least(place, "learning_rate", state.learning_rate, 0.0);
    detail::check::at_least(place, "learning_rate_factor", state.learning_rate_factor, 0.0);
    StateDifferences differences;
    std::set<std::string, std::less<>> expected;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      expected.insert(names[i]);
      const auto steps = state.steps.find(names[i]);
      if (steps == state.steps.end()) {
        differences.missing.push_back(names[i]);
        continue;
      }
      detail::check::at_least(place, "number of steps of " + names[i], steps->second, Index{0});
      for (std::size_t k = 0; k < kStates; ++k) {
        if (steps->second == 0 || !Rule::keeps(options_, k) || entries_[i].get().value.empty()) continue;
        const auto tensor = state.tensors.find(*expected.insert(state_name(names[i], k)).first);
        if (tensor == state.tensors.end())
          differences.missing.push_back(state_name(names[i], k));
        else if (tensor->second.shape() != entries_[i].get().value.shape())
          differences.mismatched.push_back(joined(tensor->first, " has shape ", to_string(tensor->second.shape()),
                                                  ", expected ", to_string(entries_[i].get().value.shape())));
      }
    }
    const auto look_for_unexpected = [&](const auto& map) {
      for (const auto& [name, ignored] : map) {
        if (!expected.contains(name)) differences.unexpected.push_back(name);
      }
    };
    look_for_unexpected(state.steps);
    look_for_unexpected(state.tensors);
    if (!differences.empty()) throw ValueError(error_text(place, ": ", to_string(differences)));
  }

  EIGENGRAD_CALLED void check_parameters() const {
    if (entries_.empty()) throw StateError(error_text(Rule::kName, ": has been moved away"));
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].claim.get() != nullptr) continue;
      throw StateError(error_text(Place{i}.description(), " of shape ", entries_[i].shape,
                                  " is gone: its layer was destroyed or replaced by another; make a new optimiser"));
    }
  }

  EIGENGRAD_CALLED void check_before_step() const {
    check_parameters();
    bool any = false, any_learns = false;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      check_shapes(i);
      any = any || entries_[i].get().has_grad();
      any_learns = any_learns || entries_[i].get().requires_grad;
    }
    if (any) return;
    if (!any_learns) throw StateError(error_text(Rule::kName, ": step of frozen parameters: none requires a gradient"));
    throw StateError(error_text(Rule::kName, ": step without a gradient: none of ", entries_.size(),
                                " parameters has one; backward comes before every step"));
  }

  void check_shapes(std::size_t i) const {
    const Entry& entry = entries_[i];
    const Shape& shape = entry.get().value.shape();
    if (entry.get().has_grad()) detail::check::same_shape(Place{i}, "gradient", entry.get().grad.shape(), shape);
    for (std::size_t k = 0; k < kStates; ++k) {
      if (entry.state[k].empty()) continue;
      detail::check::same_shape(Place{i}, Rule::kState[k], entry.state[k].shape(), shape);
    }
  }

  Job job_of(Entry& entry) const {
    const Group& group = groups_[entry.group];
    Tensor<Scalar>& value = entry.get().value;
    States state{};
    for (std::size_t k = 0; k < kStates; ++k) {
      if (!Rule::keeps(options_, k)) continue;
      if (entry.state[k].empty()) entry.state[k] = Tensor<Scalar>::zeros(value.shape());
      state[k] = entry.state[k].mutable_data();
    }
    const StepNumbers numbers{rate_of(group), group.weight_decay.value_or(options_.weight_decay), entry.steps + 1};
    return {Rule(options_, numbers), value.mutable_data(), entry.get().grad.data(), state};
  }

  double rate_of(const Group& group) const { return group.learning_rate.value_or(options_.learning_rate) * factor_; }

  Options options_;
  double factor_ = 1.0;
  std::vector<Group> groups_;
  std::vector<Entry> entries_;  // one for each parameter
};

}  // namespace eigengrad::EIGENGRAD_ISA::optim
