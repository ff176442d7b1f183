// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdlib>

#include <gtest/gtest.h>

#include <eigengrad/core/system_terminal.hpp>

#ifdef __linux__
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#endif

namespace eigengrad::EIGENGRAD_ISA {
namespace {

TEST(SystemTerminal, TheSystemsColumnsComeBeforeTheVariables) {
  EXPECT_EQ(detail::columns_from(37, "50"), 37);
  EXPECT_EQ(detail::columns_from(0, "50"), 50);
  EXPECT_EQ(detail::columns_from(0, nullptr), 80);
  for (const char* wrong : {"", "wide", "0", "-3", "50x", " 50", "99999999999"})
    EXPECT_EQ(detail::columns_from(0, wrong), 80) << wrong;
  EXPECT_GT(detail::terminal_columns(), 0);
}

#ifdef __linux__
TEST(SystemTerminal, KnowsHowWideATerminalIs) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0) GTEST_SKIP() << "the system has no terminals to give";
  winsize size{};
  size.ws_col = 37;
  ASSERT_EQ(ioctl(terminal, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(detail::columns_of(terminal), 37);
  size.ws_col = 0;  // as of a terminal that has not been asked
  ASSERT_EQ(ioctl(terminal, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(detail::columns_of(terminal), 0);
  close(terminal);
  const int file = open("/dev/null", O_RDWR);
  EXPECT_EQ(detail::columns_of(file), 0);
  close(file);
  EXPECT_EQ(detail::columns_of(-1), 0);
}
#endif

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
