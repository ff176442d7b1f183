// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <eigengrad/core/file.hpp>
#include <eigengrad/train/csv_file.hpp>

// The folder that a run writes to.
//   auto run = train::RunDirectory::numbered("runs/mlp", {.files = {"train_loss.csv", "curves.svg"}});   // runs/mlp-1
//   train::CsvFile losses(run.file("train_loss.csv"), "step,loss");
//   ...
//   run.finish();

namespace eigengrad::EIGENGRAD_ISA::train {

struct RunDirectoryOptions {
  std::vector<std::string> files = {};  ///< the names that the run is going to write
  bool overwrite = false;               ///< replace those of an earlier run
  bool resume = false;                  ///< go on with the earlier run and its files
};

/// A folder that exists and that one run has for itself as long as the object lives: a lock, which the system releases
/// with the process, keeps others out. A folder that holds one of the files already is refused, unless `overwrite`
/// says so. Then the files of the earlier run stay until finish(): the new ones are written beside them under names
/// that end in .part, and keep these if the run fails.
/// Errors   IoError naming the folder or file and the reason if it cannot be made or written to, another run is using
///          it, it holds a run, or something that is no regular file has one of the names
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path, const RunDirectoryOptions& options = {})
      : path_(std::move(path)), files_(options.files) {
    std::error_code problem;
    std::filesystem::create_directories(path_, problem);
    if (problem) throw IoError(path_.string(), detail::with_reason("cannot be made", problem.value()));
    if (!std::filesystem::is_directory(path_, problem)) throw IoError(path_.string(), "is not a directory");
    for (const std::string& name : files_) {
      detail::check_replaceable(path_ / name);
      detail::check_replaceable(detail::unfinished(path_ / name));
    }
    // A run that goes on is named as such; one that has ended is left without a trace of this call.
    if (!exists("run.lock")) check_free(options);
    lock();
    check_free(options);
    beside_ = !options.resume && earlier_file() != files_.end();
  }

  /// A new folder: the path and a number behind it, the first that is not in use.
  static RunDirectory numbered(const std::filesystem::path& path, const RunDirectoryOptions& options = {}) {
    std::error_code problem;
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), problem);
    for (int number = 1; !problem; ++number) {
      const std::filesystem::path folder = joined(path.string(), '-', number);
      if (std::filesystem::create_directory(folder, problem)) return RunDirectory(folder, options);
    }
    throw IoError(path.string(), detail::with_reason("cannot be made", problem.value()));
  }

  const std::filesystem::path& path() const { return path_; }

  /// If a file of the run is written until finish().
  std::filesystem::path file(std::string_view name) const {
    return beside_ ? detail::unfinished(path_ / name) : path_ / name;
  }

  /// The run has succeeded, or come to a point from where it can go on: its files replace those of the earlier one, if
  /// there was one. Files that are open stay so. After an error it may be called again, and goes on with the file that
  /// the error names.
  /// Errors   IoError naming the file and the reason
  void finish() {
    for (; beside_ && finished_ < files_.size(); ++finished_) {
      const std::string& name = files_[finished_];
      if (exists(detail::unfinished(name).string())) {
        detail::finish_file(path_ / name);
        continue;
      }
      std::error_code problem;
      std::filesystem::remove(path_ / name, problem);
      if (problem) throw IoError((path_ / name).string(), detail::with_reason("cannot be removed", problem.value()));
    }
    beside_ = false;
  }

 private:
  bool exists(const std::string& name) const {
    std::error_code ignored;
    return std::filesystem::exists(std::filesystem::symlink_status(path_ / name, ignored));
  }

  std::vector<std::string>::const_iterator earlier_file() const {
    return std::find_if(files_.begin(), files_.end(), [&](const std::string& name) { return exists(name); });
  }

  void check_free(const RunDirectoryOptions& options) const {
    const auto earlier = earlier_file();
    if (options.overwrite || options.resume || earlier == files_.end()) return;
    throw IoError(path_.string(), joined("holds a run already (", *earlier, "); name another folder, or overwrite it"));
  }

  void lock() {
    lock_ = detail::FileLock::of(path_ / "run.lock");
    if (!lock_) throw IoError(path_.string(), "is in use by another run");
  }

  std::filesystem::path path_;
  std::vector<std::string> files_;
  std::optional<detail::FileLock> lock_;
  bool beside_ = false;
  std::size_t finished_ = 0;  // how many of the files finish() has dealt with
};

}  // namespace eigengrad::EIGENGRAD_ISA::train
