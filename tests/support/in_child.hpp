// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <exception>
#include <string>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eigengrad/core/namespaces.hpp>

// Forked children as tests.
//   EXPECT_EQ(in_child([] { return 6 * 7 == 42; }), "true");

namespace eigengrad::EIGENGRAD_ISA::testing {

/// Waits for the child: "true" or "false", or how it ended.
inline std::string outcome_of(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) return "no child";
  if (WIFSIGNALED(status)) {
    return WTERMSIG(status) == SIGALRM ? "hangs" : "signal " + std::to_string(WTERMSIG(status));
  }
  const int code = WEXITSTATUS(status);
  return code == 0 ? "true" : code == 1 ? "false" : "exit " + std::to_string(code);
}

/// What the body says in a child, which has a minute for it.
template <class F>
std::string in_child(const F& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    try {
      _exit(body() ? 0 : 1);
    } catch (const std::exception&) {
      _exit(2);
    }
  }
  return outcome_of(child);
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
