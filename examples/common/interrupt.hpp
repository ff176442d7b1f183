// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>

namespace examples {

/// As long as it lives, Ctrl-C (SIGINT) and SIGTERM do not end the program but are remembered. The second one ends it.
class Interrupt {
 public:
  Interrupt() {
    came_ = 0;
    for (const int signal : kSignals) std::signal(signal, remember);
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt() {
    for (const int signal : kSignals) std::signal(signal, SIG_DFL);
  }

  bool came() const { return came_ != 0; }

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM};

  static void remember(int signal) {
    came_ = 1;
    std::signal(signal, SIG_DFL);
  }

  static inline volatile std::sig_atomic_t came_ = 0;
};

}  // namespace examples
