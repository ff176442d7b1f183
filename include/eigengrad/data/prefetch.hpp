// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

#include <eigengrad/core/parallel.hpp>

// A thread that works ahead of its caller: how a Loader prepares the next batch.

namespace eigengrad::data::detail {

/// Makes values one at a time, by calls of make(), on a thread of its own. Between begin() and take() nobody else may
/// touch what make() uses. The thread's parallel loops run on it alone: the pool belongs to the one that trains.
template <class Make>
class Background {
 public:
  using Value = std::invoke_result_t<Make&>;

  explicit Background(Make make) : make_(std::move(make)) {}
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  /// Waits for a value that is being made.
  ~Background() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  /// Begins to make a value; take() must follow before the next. The first call starts the thread.
  /// False if the system has no thread to give; then nothing has begun.
  bool begin() {
    if (!thread_.joinable()) {
      try {
        thread_ = std::thread([this] { loop(); });
      } catch (const std::system_error&) {
        return false;
      }
    }
    {
      const std::lock_guard lock(mutex_);
      stage_ = Stage::wanted;
    }
    changed_.notify_all();
    return true;
  }

  /// Waits for the value that begin() has asked for; throws what make() has thrown.
  Value take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stage_ == Stage::made; });
    stage_ = Stage::idle;
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    Value value = std::move(*value_);
    value_.reset();
    return value;
  }

 private:
  enum class Stage { idle, wanted, made };

  void loop() {
    const SerialScope leave_the_pool_to_others;
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || stage_ == Stage::wanted; });
      if (stopping_) return;
      lock.unlock();
      std::optional<Value> value;
      std::exception_ptr error;
      try {
        value.emplace(make_());
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      value_ = std::move(value);
      error_ = std::move(error);
      stage_ = Stage::made;
      changed_.notify_all();
    }
  }

  Make make_;
  std::mutex mutex_;  // of all below but the thread
  std::condition_variable changed_;
  Stage stage_ = Stage::idle;
  bool stopping_ = false;
  std::optional<Value> value_;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace eigengrad::data::detail
