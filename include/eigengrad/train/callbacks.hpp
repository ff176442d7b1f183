// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include <eigengrad/train/measurement.hpp>

// What a program adds to fit: plain callables.
//   .on_step = [&](Index step, double loss) { std::cout << loss << '\n'; }
//   .on_step = [&](Index step, double loss) { return interrupted; }                  // true ends the run
//   .on_evaluation = {train::Progress{std::cout}, train::EarlyStopping{{.patience = 5}}}

namespace eigengrad::EIGENGRAD_ISA::train {

/// Callables with the same arguments, which are called one after the other. Each returns nothing, or a bool: true ends
/// the run, after all have been called. A callable may also have
///   void begin(const std::vector<Measurement>& history)   when a run begins; the history is that of the run that it
///                                                          goes on with, or empty
///   void end()                                            when the run has ended, unless by an error
/// Copies share their callables.
template <class... Arguments>
class Callbacks {
 public:
  Callbacks() = default;
  // NOLINTBEGIN(google-explicit-constructor): one or a list is to be written where callbacks are expected
  template <class F>
  requires(std::invocable<F&, Arguments...> && !std::same_as<F, Callbacks>) Callbacks(F f) {
    callables_.push_back(std::make_shared<Model<F>>(std::move(f)));
  }
  Callbacks(std::initializer_list<Callbacks> several) {
    for (const Callbacks& one : several)
      callables_.insert(callables_.end(), one.callables_.begin(), one.callables_.end());
  }
  // NOLINTEND(google-explicit-constructor)

  /// True if one of them wants the run to end.
  bool operator()(Arguments... arguments) const {
    bool ends = false;
    for (const auto& callable : callables_) ends = callable->call(arguments...) || ends;
    return ends;
  }
  void begin(const std::vector<Measurement>& history) const {
    for (const auto& callable : callables_) callable->begin(history);
  }
  void end() const {
    for (const auto& callable : callables_) callable->end();
  }

 private:
  struct Base {
    Base() = default;
    Base(const Base&) = delete;
    Base& operator=(const Base&) = delete;
    virtual ~Base() = default;
    virtual bool call(Arguments... arguments) = 0;
    virtual void begin(const std::vector<Measurement>& history) = 0;
    virtual void end() = 0;
  };

  template <class F>
  struct Model final : Base {
    explicit Model(F callable) : f(std::move(callable)) {}
    bool call(Arguments... arguments) override {
      if constexpr (std::same_as<std::invoke_result_t<F&, Arguments...>, bool>) return f(arguments...);
      f(arguments...);
      return false;
    }
    void begin([[maybe_unused]] const std::vector<Measurement>& history) override {
      if constexpr (requires { f.begin(history); }) f.begin(history);
    }
    void end() override {
      if constexpr (requires { f.end(); }) f.end();
    }
    F f;
  };

  std::vector<std::shared_ptr<Base>> callables_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::train
