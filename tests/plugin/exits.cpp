// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <thread>
#include <unistd.h>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/tensor.hpp>

// exits WAY: ends with status 7 in a state of its threads that is not simple. SIGALRM ends it if it hangs.

namespace {

using namespace eigengrad;

/// A tensor that computes once more as it goes.
struct Late {
  Tensor<float> x = Tensor<float>::ones({1000});
  ~Late() {
    float* to = x.mutable_data();
    parallel_for(1000, 1, [&](Index begin, Index) { to[begin] += 1.0F; });
    if (x.array().sum() != 2000.0F) std::_Exit(1);
  }
};
Late late;
std::atomic<bool> running{false};  // not on the stack of main, which other threads outlive
thread_local std::optional<Late> late_in_thread;

void loop() {
  parallel_for(64, 1, [](Index, Index) { const Tensor<float> scratch({100}); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  alarm(60);
  const auto way = [&](const char* name) { return std::strcmp(argv[1], name) == 0; };
  set_num_threads(4);
  loop();
  late_in_thread.emplace();
  const auto compute_for_ever = [] {
    late_in_thread.emplace();
    while (true) {
      loop();
      running = true;
    }
  };
  if (way("return")) return 7;
  if (way("quick_exit")) std::quick_exit(7);
  if (way("while_another_computes") || way("quick_while_another_computes")) {
    std::thread(compute_for_ever).detach();
    while (!running) std::this_thread::yield();
    if (way("quick_while_another_computes")) std::quick_exit(7);
    return 7;
  }
  if (way("in_a_long_job")) {
    std::thread([] {
      parallel_for(400, 1, [](Index, Index) {
        running = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      });
      std::_Exit(1);  // nobody waits for the whole job
    }).detach();
    while (!running) std::this_thread::yield();
    return 7;
  }
  if (way("in_a_body") || way("on_a_worker")) {
    std::atomic<int> inside{0};
    parallel_for(4, 1, [&](Index, Index, Index slot) {
      ++inside;
      while (inside < 4) std::this_thread::yield();
      if (slot == (way("in_a_body") ? 0 : 2)) std::exit(7);
    });
  }
  if (way("from_another_thread")) std::thread([] { std::exit(7); }).join();
  return 1;
}
