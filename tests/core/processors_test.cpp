// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include <eigengrad/core/processors.hpp>

#include "support/temporary_directory.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

namespace eigengrad::EIGENGRAD_ISA::detail {
namespace {

class Granted : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& content) const {
    const auto file = folder_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  int granted(const std::string& groups) const { return granted_processors(groups, folder_.path().string()); }

 private:
  testing::TemporaryDirectory folder_;
};

TEST_F(Granted, IsWithoutLimitWhereNoFileSaysOne) {
  EXPECT_EQ(granted(""), 0);
  EXPECT_EQ(granted("0::/\n"), 0);
  EXPECT_EQ(granted("4:cpu,cpuacct:/a\n0::/b/c\n"), 0);
  write("cpu.max", "max 100000\n");
  write("cpu/cpu.cfs_quota_us", "-1\n");
  write("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(granted("4:cpu,cpuacct:/\n0::/\n"), 0);
}

TEST_F(Granted, IsTheQuotaOfVersion2RoundedUp) {
  write("cpu.max", "200000 100000\n");
  EXPECT_EQ(granted("0::/\n"), 2);
  write("cpu.max", "150000 100000\n");
  EXPECT_EQ(granted("0::/\n"), 2);
  write("cpu.max", "1000 100000\n");
  EXPECT_EQ(granted("0::/\n"), 1);
  write("cpu.max", "99999999999999 1\n");
  EXPECT_EQ(granted("0::/\n"), 0);
}

TEST_F(Granted, IsTheLeastOfAllGroupsAround) {
  write("a/cpu.max", "300000 100000\n");
  write("a/b/cpu.max", "max 100000\n");
  write("a/b/c/cpu.max", "800000 100000\n");
  EXPECT_EQ(granted("0::/a/b/c\n"), 3);
  EXPECT_EQ(granted("0::/a/b\n"), 3);
  EXPECT_EQ(granted("0::/other\n"), 0);
  write("cpu.max", "700000 100000\n");
  EXPECT_EQ(granted("0::/other/inside/a/container\n"), 7);  // whose folders are not to be seen
}

TEST_F(Granted, IsThatOfVersion1WhereverItIsMounted) {
  const std::string groups = "9:memory:/x\n4:cpu,cpuacct:/docker/1f\n3:cpuset:/\n0::/\n";
  write("cpu,cpuacct/docker/1f/cpu.cfs_quota_us", "250000\n");
  write("cpu,cpuacct/docker/1f/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(granted(groups), 5);
  write("cpu/cpu.cfs_quota_us", "400000\n");
  write("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(granted(groups), 4);
  EXPECT_EQ(granted("9:cpuset:/docker/1f\n"), 0);  // not a group for time
}

TEST_F(Granted, ReadsOverWhatItDoesNotKnow) {
  write("cpu.max", "\n");
  for (const char* groups : {"\n\n", ":", "::", "0:", "0::", "0::x", "no colon", "0::/\n\n0::/", "1:cpu", "1:cpu:"}) {
    EXPECT_EQ(granted(groups), 0) << groups;
  }
  write("cpu.max", "200000");
  EXPECT_EQ(granted("0::/"), 0);
  write("cpu.max", "200000 0");
  EXPECT_EQ(granted("0::/"), 0);
}

TEST(UsableProcessors, AreThoseOfTheAffinity) {
  EXPECT_GE(usable_processors(), 1);
#if defined(__linux__)
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  EXPECT_LE(usable_processors(), CPU_COUNT(&all));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_COUNT(&one) == 0 && CPU_ISSET(processor, &all)) CPU_SET(processor, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usable_processors(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
#endif
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::detail
