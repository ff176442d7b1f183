// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <sys/resource.h>

#include <eigengrad/core/memory.hpp>

#if defined(__GLIBC__)  // known after any header of the C library
#include <malloc.h>
#endif

// How much memory the process has, in bytes.
//   benchmarks::start_peak_memory();
//   ...
//   std::int64_t most = benchmarks::peak_memory();

namespace benchmarks {

/// A figure of /proc/self/status, which is in kB there; 0 if the system has no such file.
inline std::int64_t process_status(const std::string& name) {
  std::ifstream in("/proc/self/status");
  for (std::string key; in >> key; in.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
    std::int64_t kilobytes = 0;
    if (key == name + ":" && in >> kilobytes) return 1024 * kilobytes;
  }
  return 0;
}

/// The most memory that was resident, since start_peak_memory where the system allows that. Linux is asked for
/// VmHWM: its ru_maxrss begins with that of the process which started this one, Python with PyTorch perhaps.
inline std::int64_t peak_memory() {
  if (const std::int64_t peak = process_status("VmHWM"); peak != 0) return peak;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#if defined(__APPLE__)
  return usage.ru_maxrss;
#else
  return 1024 * std::int64_t{usage.ru_maxrss};
#endif
}

/// What is resident now; if the system does not say, the most that was.
inline std::int64_t resident_memory() {
  const std::int64_t resident = process_status("VmRSS");
  return resident != 0 ? resident : peak_memory();
}

/// Gives back what nobody holds and begins the search for the peak anew (Linux; elsewhere it goes on).
inline void start_peak_memory() {
  eigengrad::memory::trim();
#if defined(__GLIBC__)
  malloc_trim(0);  // which keeps freed memory for itself otherwise
#endif
  std::ofstream("/proc/self/clear_refs") << "5\n";
}

}  // namespace benchmarks
