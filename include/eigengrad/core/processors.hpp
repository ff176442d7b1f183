// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include <eigengrad/core/inlining.hpp>
#include <eigengrad/core/system.hpp>

// How many processors this process may use: what its machine has, less those that its affinity leaves out, and no more
// than the time that its control groups grant it, as containers and batch systems set them.

namespace eigengrad::EIGENGRAD_ISA::detail {

/// The content of a small file; empty if there is none.
EIGENGRAD_COLD inline std::string content_of(const std::string& path) {
  std::string content;
  if (std::FILE* file = std::fopen(path.c_str(), "r")) {
    std::array<char, 4096> part{};
    while (const std::size_t count = std::fread(part.data(), 1, part.size(), file)) content.append(part.data(), count);
    std::fclose(file);
  }
  return content;
}

/// The text before the separator, which is taken off the front of `text` with it.
EIGENGRAD_COLD inline std::string_view next_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

/// A number above 0 at the front of the text, else 0: "max" and "-1" stand for no limit.
EIGENGRAD_COLD inline double positive_number(std::string_view text) {
  long long number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && number > 0 ? static_cast<double>(number) : 0.0;
}

/// Processors' worth of time in every period, as one control group grants it; 0 for no limit.
EIGENGRAD_COLD inline double quota_of_group(const std::string& folder, bool version_2) {
  double quota = 0.0, period = 0.0;
  if (version_2) {
    const std::string content = content_of(folder + "/cpu.max");  // "200000 100000"
    std::string_view rest = content;
    quota = positive_number(next_part(rest, ' '));
    period = positive_number(rest);
  } else {
    quota = positive_number(content_of(folder + "/cpu.cfs_quota_us"));
    period = positive_number(content_of(folder + "/cpu.cfs_period_us"));
  }
  return period > 0.0 ? quota / period : 0.0;
}

/// The least that the process's groups and those around them grant, rounded up to whole processors; 0 for no limit.
/// `groups` is what Linux writes into /proc/self/cgroup, `root` the folder where the hierarchies are mounted.
EIGENGRAD_COLD inline int granted_processors(std::string_view groups, const std::string& root) {
  double least = 0.0;
  const auto go_up = [&](const std::string& hierarchy, std::string_view path, bool version_2) {
    // In a container the path may be that of the machine outside: then its folders are not there, but the root is.
    while (true) {
      const double quota = quota_of_group(std::string(hierarchy).append(path), version_2);
      if (quota > 0.0 && (least == 0.0 || quota < least)) least = quota;
      if (path.empty()) return;
      path = path.substr(0, path.rfind('/'));
    }
  };
  while (!groups.empty()) {  // lines such as "0::/user.slice" and "4:cpu,cpuacct:/docker/1f"
    std::string_view path = next_part(groups, '\n');
    next_part(path, ':');
    std::string_view controllers = next_part(path, ':');
    if (path.empty() || path.front() != '/') continue;
    if (controllers.empty()) {
      go_up(root, path, true);
      go_up(root + "/unified", path, true);
    }
    const std::string mounted = root + '/' + std::string(controllers);
    while (!controllers.empty()) {
      if (next_part(controllers, ',') != "cpu") continue;
      go_up(mounted, path, false);
      go_up(root + "/cpu", path, false);
    }
  }
  // A billion processors or more are no limit.
  return least < 1e9 ? static_cast<int>(least) + (static_cast<int>(least) < least ? 1 : 0) : 0;
}

/// The processors that this process may use now, at least 1.
EIGENGRAD_COLD inline int usable_processors() {
  int processors = affine_processors();
  if (processors == 0) processors = static_cast<int>(std::thread::hardware_concurrency());
  const int granted = granted_processors(content_of("/proc/self/cgroup"), "/sys/fs/cgroup");
  if (granted > 0) processors = std::min(processors, granted);
  return std::max(processors, 1);
}

}  // namespace eigengrad::EIGENGRAD_ISA::detail
