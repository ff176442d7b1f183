// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

#include <eigengrad/core/fork.hpp>
#include <eigengrad/core/parallel.hpp>

// A thread that works ahead of its caller: how a Loader prepares the next batch.

namespace eigengrad::EIGENGRAD_ISA::data::detail {

/// Makes values one at a time, by calls of make(), on a thread of its own. Between begin() and take() nobody else may
/// touch what make() uses. The thread's parallel loops run on it alone: the pool belongs to the one that trains.
/// A fork waits for a value that is being made; the child goes on with a thread of its own.
template <class Make>
class Background {
 public:
  using Value = std::invoke_result_t<Make&>;

  explicit Background(Make make) : make_(std::move(make)) {}
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  /// Waits for a value that is being made.
  ~Background() {
    if (!has_thread()) return;
    change(Stage::ending);
    thread_.join();
  }

  /// Begins to make a value; take() must follow before the next. The first call starts the thread.
  /// False if the system has no thread to give; then nothing has begun.
  bool begin() {
    if (!has_thread()) {
      try {
        thread_ = std::thread([this] { loop(); });
      } catch (const std::system_error&) {
        return false;
      }
    }
    change(Stage::wanted);
    return true;
  }

  /// Waits for the value that begin() has asked for; throws what make() has thrown.
  Value take() {
    if (!has_thread() && stage_ == Stage::wanted) make_value();  // it was not begun before a fork
    stage_.wait(Stage::wanted);
    stage_ = Stage::idle;
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    Value value = std::move(*value_);
    value_.reset();
    return value;
  }

 private:
  enum class Stage : int { idle, wanted, made, ending };

  /// False too after a fork: the thread stayed in the other process.
  bool has_thread() {
    if (const std::uint32_t now = detail::forks(); std::exchange(forks_, now) != now) {
      std::construct_at(&thread_);  // forgotten: there is nothing to join
    }
    return thread_.joinable();
  }

  void change(Stage stage) {
    stage_ = stage;
    stage_.notify_all();
  }

  void loop() {
    const SerialScope leave_the_pool_to_others;
    const std::uint32_t forks = detail::forks();
    while (true) {
      for (Stage stage = stage_; stage != Stage::wanted; stage = stage_) {
        if (stage == Stage::ending) return;
        stage_.wait(stage);
      }
      make_value();
      if (detail::forks() != forks) {
        throw StateError(
            "Loader: the data set has called fork() on the thread that prefetches and returned in the child, where the "
            "thread that waits for the batch is missing; expected exec or _exit");
      }
    }
  }

  void make_value() {
    const detail::BackgroundWork::Scope not_torn_by_a_fork(detail::background_work);
    try {
      value_.emplace(make_());
    } catch (...) {
      error_ = std::current_exception();
    }
    Stage wanted = Stage::wanted;  // still, or ending
    stage_.compare_exchange_strong(wanted, Stage::made);
    stage_.notify_all();
  }

  Make make_;
  // All below belongs to the thread while a value is wanted, else to the caller.
  std::atomic<Stage> stage_{Stage::idle};
  std::optional<Value> value_;
  std::exception_ptr error_;
  std::thread thread_;
  std::uint32_t forks_ = detail::forks();
};

}  // namespace eigengrad::EIGENGRAD_ISA::data::detail
