// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <eigengrad/core/file.hpp>
#include <eigengrad/core/parallel.hpp>

#include "support/contents.hpp"
#include "support/message_of.hpp"
#include "support/temporary_directory.hpp"

namespace eigengrad::EIGENGRAD_ISA::detail {
namespace {

using testing::contents;
using testing::message_of;

class File : public ::testing::Test {
 protected:
  std::filesystem::path path(const std::string& name) const { return temporary_.path() / name; }

 private:
  testing::TemporaryDirectory temporary_;
};

TEST_F(File, IsWrittenFromItsBeginning) {
  std::ofstream(path("f")) << "what was there before";
  OutputFile file(path("f"));
  EXPECT_EQ(contents(path("f")), "");
  file.append("one\n");
  file.append("two\n");
  EXPECT_EQ(contents(path("f")), "one\ntwo\n");
}

TEST_F(File, WhatCannotBeOpenedHasAReason) {
  EXPECT_EQ(message_of([&] { OutputFile{path("none/f")}; }),
            path("none/f").string() + ": cannot be written: No such file or directory");
  EXPECT_EQ(message_of([&] { read_file(path("none")); }),
            path("none").string() + ": cannot be read: No such file or directory");
  EXPECT_EQ(message_of([&] { write_file(path("none/f"), "text"); }),
            path("none/f.part").string() + ": cannot be written: No such file or directory");
}

// A limit on the size of files stands for a full disk: a part of the row still fits.
TEST_F(File, HasNoHalfARow) {
  const std::string row(60, 'x');
  const ::pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const ::rlimit limit{100, 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    OutputFile file(path("f"));
    file.append(row);
    const std::string problem = message_of([&] { file.append(row); });
    const bool right =
        problem == path("f").string() + ": cannot be written: File too large" && contents(path("f")) == row;
    file.append(std::string(40, 'y'));  // and is good for what fits
    ::_exit(right && contents(path("f")) == row + std::string(40, 'y') ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(File, WhatIsNoRegularFileIsRefusedAtOnce) {
  std::filesystem::create_directory(path("directory"));
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  const auto problem = [](const std::string& message) { return message.substr(message.find(": ") + 2); };
  EXPECT_EQ(problem(message_of([&] { OutputFile{path("fifo")}; })), "cannot be written: is no regular file");
  EXPECT_EQ(problem(message_of([&] { read_file(path("fifo")); })), "cannot be read: is no regular file");
  EXPECT_EQ(problem(message_of([&] { write_file(path("fifo"), "text"); })), "cannot be written: is no regular file");
  EXPECT_EQ(problem(message_of([&] { FileLock::of(path("fifo")); })), "cannot be locked: is no regular file");
  EXPECT_EQ(problem(message_of([&] { OutputFile{path("directory")}; })), "cannot be written: is a directory");
  EXPECT_EQ(problem(message_of([&] { read_file(path("directory")); })), "cannot be read: is a directory");
  EXPECT_EQ(problem(message_of([&] { write_file(path("directory"), "text"); })), "cannot be written: is a directory");
  EXPECT_EQ(problem(message_of([&] { read_file("/dev/zero"); })), "cannot be read: is no regular file");
}

TEST_F(File, SymbolicLinksAreFollowedToReadAlone) {
  std::ofstream(path("far")) << "far";
  std::filesystem::create_symlink(path("far"), path("link"));
  std::filesystem::create_symlink(path("new"), path("to_nothing"));
  EXPECT_EQ(read_file(path("link")), "far");
  for (const char* name : {"link", "to_nothing"}) {
    for (const auto& message :
         {message_of([&] { OutputFile{path(name)}; }), message_of([&] { write_file(path(name), "x"); }),
          message_of([&] { FileLock::of(path(name)); })}) {
      EXPECT_NE(message.find("is a symbolic link, which is not followed"), std::string::npos) << message;
    }
    EXPECT_TRUE(std::filesystem::is_symlink(path(name)));
  }
  std::filesystem::create_symlink(path("far"), path("f.part"));
  EXPECT_THROW(write_file(path("f"), "x"), IoError);
  EXPECT_EQ(contents(path("far")), "far");
  EXPECT_FALSE(std::filesystem::exists(path("new")));
}

TEST_F(File, IsReplacedWholeOrNotAtAll) {
  write_file(path("f"), "one");
  write_file(path("f"), "two");
  EXPECT_EQ(contents(path("f")), "two");
  EXPECT_FALSE(std::filesystem::exists(path("f.part")));
  const ::pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const ::rlimit limit{100, 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string problem = message_of([&] { write_file(path("f"), std::string(101, 'x')); });
    ::_exit(problem == path("f.part").string() + ": cannot be written: File too large" ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(contents(path("f")), "two");
  EXPECT_FALSE(std::filesystem::exists(path("f.part")));
}

TEST_F(File, IsReadWhole) {
  const std::string text = std::string(100000, 'a') + '\0' + "\r\nb";
  std::ofstream(path("f"), std::ios::binary) << text;
  EXPECT_EQ(read_file(path("f")), text);
  InputFile file(path("f"));
  EXPECT_EQ(file.size(), text.size());
  std::string more(text.size() + 1, ' ');
  EXPECT_EQ(message_of([&] { file.read(more.data(), more.size()); }),
            path("f").string() + ": at byte 100004: ends while it is read");
}

// Much at once is read by several threads.
TEST_F(File, IsReadInPiecesAsAWhole) {
  std::string text;
  for (int i = 0; text.size() < 40'000'000; ++i) text += std::to_string(i) + ' ';
  std::ofstream(path("f"), std::ios::binary) << text;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    InputFile file(path("f"));
    std::string head(7, ' '), rest(text.size() - 7, ' ');
    file.read(head.data(), head.size());
    file.read(rest.data(), rest.size());
    EXPECT_TRUE(head + rest == text) << threads;
    EXPECT_NE(message_of([&] { file.read(head.data(), 1); }).find(error_text(" byte ", text.size())),
              std::string::npos);

    // The first byte that is not there, whichever thread comes to its piece first.
    InputFile cut(path("f"));
    std::filesystem::resize_file(path("f"), 20'000'001);
    const std::string message = message_of([&] { cut.read(text.data(), text.size()); });
    EXPECT_NE(message.find("byte 20000001: ends while it is read"), std::string::npos) << message;
    std::ofstream(path("f"), std::ios::binary) << head + rest;
  }
  set_num_threads(0);
}

TEST_F(File, ALockIsHeldByOneAndEndsWithItsProcess) {
  {
    auto first = FileLock::of(path("lock"));
    ASSERT_TRUE(first);
    EXPECT_FALSE(FileLock::of(path("lock")));
    const auto moved = std::move(first);
    EXPECT_FALSE(FileLock::of(path("lock")));
  }
  EXPECT_TRUE(FileLock::of(path("lock")));

  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const ::pid_t child = ::fork();
  if (child == 0) {
    const auto lock = FileLock::of(path("lock"));
    const char held = lock ? '1' : '0';
    while (::write(ready[1], &held, 1) < 0) {
    }
    while (true) ::pause();
  }
  char held = '0';
  ASSERT_EQ(::read(ready[0], &held, 1), 1);
  EXPECT_EQ(held, '1');
  EXPECT_FALSE(FileLock::of(path("lock")));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::of(path("lock"))) << "a crash leaves no lock behind";
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::detail
