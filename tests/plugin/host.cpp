// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <thread>
#include <unistd.h>

#if defined(EIGENGRAD_HOST_COMPUTES)
#include <eigengrad/core/parallel.hpp>
#endif

// host PLUGIN unloads|may_stay: loads a library, has it train, unloads it, again and again. With "unloads" it must be
// gone each time, and its threads with it.

namespace {

[[maybe_unused]] std::ptrdiff_t threads_of_this_process() {
  const std::filesystem::path tasks = "/proc/self/task";
  if (!std::filesystem::exists(tasks)) return 1;
  return std::distance(std::filesystem::directory_iterator(tasks), {});
}

[[noreturn]] void fail(const char* what) {
  std::cerr << "host: " << what << '\n';
  std::_Exit(1);
}

#if defined(EIGENGRAD_HOST_COMPUTES)
/// The host's own loops, whose pool the library may share.
void compute() {
  int sum[100] = {};
  eigengrad::parallel_for(100, 1, [&](eigengrad::Index begin, eigengrad::Index) { sum[begin] = 1; });
  for (const int one : sum) {
    if (one != 1) fail("a loop of the host has left a chunk out");
  }
}
#else
void compute() {}
#endif

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) fail("expected a library and a word");
  alarm(300);
  const bool unloads = std::strcmp(argv[2], "unloads") == 0;
  for (int round = 0; round < 20; ++round) {
    void* library = dlopen(argv[1], RTLD_NOW | (round % 2 == 0 ? RTLD_LOCAL : RTLD_GLOBAL));
    if (library == nullptr) fail(dlerror());
    auto* train = reinterpret_cast<bool (*)(int)>(dlsym(library, "train"));
    if (train == nullptr) fail(dlerror());
    if (round % 3 == 0) compute();
    bool sound = false;
    if (round % 5 == 4)
      std::thread([&] { sound = train(4); }).join();
    else
      sound = train(1 + round % 4);
    if (!sound) fail("no training");
    if (round % 3 == 1) compute();
    if (dlclose(library) != 0) fail(dlerror());
    if (unloads) {
      if (dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) != nullptr) fail("the library is still there");
#if !defined(EIGENGRAD_HOST_COMPUTES)
      if (threads_of_this_process() != 1) fail("its threads are still there");
#endif
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // for one that had stayed to crash
    compute();
  }
  std::cout << "trained and unloaded 20 times\n";
}
