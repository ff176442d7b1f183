// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include <eigengrad/core/namespaces.hpp>

#if defined(__unix__) || defined(__APPLE__)
#define EIGENGRAD_POSIX
#include <pthread.h>
#include <sys/mman.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

// What the standard library does not say about the system below. The one header of the library that asks which system
// that is; if a system cannot do something, the function says so or does nothing.

/// A symbol that every shared library has for itself: what belongs to the code of one library and ends with it.
#if defined(__GNUC__) && defined(EIGENGRAD_POSIX)
#define EIGENGRAD_OF_THIS_LIBRARY __attribute__((visibility("hidden")))
#else
#define EIGENGRAD_OF_THIS_LIBRARY
#endif

namespace eigengrad::EIGENGRAD_ISA::detail {

/// Gives the pages that lie wholly inside the memory back to the system, whose content is lost: an allocator may keep
/// what it is given back for itself.
inline void drop_pages(void* memory, std::size_t bytes) {
#if defined(EIGENGRAD_POSIX)
  constexpr std::uintptr_t kPage = 1 << 16;  // or a fraction of that, on any system
  const auto begin = (reinterpret_cast<std::uintptr_t>(memory) + kPage - 1) / kPage * kPage;
  const auto end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / kPage * kPage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
#else
  static_cast<void>(memory), static_cast<void>(bytes);
#endif
}

/// Has the functions called around every fork of this process: on the thread that forks before it, and after it in
/// both processes. Handlers end with the library that registered them.
inline bool at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) {
#if defined(EIGENGRAD_POSIX)
  return pthread_atfork(before, in_parent, in_child) == 0;
#else
  return static_cast<void>(before), static_cast<void>(in_parent), static_cast<void>(in_child), true;
#endif
}

/// The processors that the scheduler may give to the calling thread; 0 if the system does not say.
inline int affine_processors() {
#if defined(__linux__)
  // More processors than cpu_set_t can name: the call fails, and the caller asks the standard library.
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return 0;
}

/// False if a thread that ends waits for a lock that the end of a library holds, as on Windows. There a program that
/// unloads a library calls set_num_threads(1) in it before.
#if defined(EIGENGRAD_POSIX)
inline constexpr bool kThreadsEndWhileLibrariesDo = true;
#else
inline constexpr bool kThreadsEndWhileLibrariesDo = false;
#endif

}  // namespace eigengrad::EIGENGRAD_ISA::detail

#undef EIGENGRAD_POSIX
