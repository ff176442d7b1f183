// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "support/cifar10_files.hpp"
#include "support/temporary_directory.hpp"

// The trainer as its users run it: a process, its exit status, what it prints and what it leaves behind.

namespace eigengrad {
namespace {

struct Outcome {
  int status;
  std::string output;
};

Outcome run(const std::string& arguments, const std::string& environment = "") {
  const std::string command = environment + " " + EIGENGRAD_CIFAR10_MLP + " " + arguments + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  Outcome outcome{-1, ""};
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr) outcome.output += buffer.data();
  const int status = pclose(pipe);
  if (WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
  return outcome;
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class Cifar10Mlp : public ::testing::Test {
 protected:
  std::string run_dir() const { return (temporary_.path() / "run").string(); }
  const std::filesystem::path& folder() const { return temporary_.path(); }

  /// The run ends with an error that says `problem` and leaves nothing in the run directory.
  void expect_refused(const std::string& arguments, const std::string& problem) const {
    const Outcome outcome = run("--run-dir " + run_dir() + " " + arguments);
    EXPECT_GT(outcome.status, 0) << outcome.output;
    EXPECT_NE(outcome.output.find(problem), std::string::npos) << outcome.output;
    EXPECT_FALSE(std::filesystem::exists(run_dir())) << arguments;
  }

 private:
  testing::TemporaryDirectory temporary_;
};

TEST_F(Cifar10Mlp, TrainsOnSyntheticDataAndWritesItsFiles) {
  const Outcome outcome =
      run("--dataset synthetic --max-steps 25 --eval-freq 10 --hidden-units 20,10 --run-dir " + run_dir());
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("data: synthetic"), std::string::npos) << outcome.output;
  EXPECT_TRUE(std::regex_search(
      outcome.output, std::regex("\nfinal test accuracy 0\\.[0-9]{4} \\(best 0\\.[0-9]{4} at step [0-9]+\\)\n$")))
      << outcome.output;
  EXPECT_EQ(outcome.output.find('\r'), std::string::npos);

  const auto metrics = lines_of(run_dir() + "/metrics.csv");
  ASSERT_EQ(metrics.size(), 4U);
  EXPECT_EQ(metrics[0], "step,train_loss,test_loss,test_accuracy,seconds");
  EXPECT_EQ(metrics[1].rfind("10,", 0), 0U);
  EXPECT_EQ(metrics[3].rfind("25,", 0), 0U);
  const auto losses = lines_of(run_dir() + "/train_loss.csv");
  ASSERT_EQ(losses.size(), 26U);
  EXPECT_EQ(losses[0], "step,loss");
  const auto svg = lines_of(run_dir() + "/curves.svg");
  ASSERT_FALSE(svg.empty());
  EXPECT_EQ(svg.back(), "</svg>");
}

TEST_F(Cifar10Mlp, TheSameSeedGivesTheSameLossesForAnyNumberOfThreads) {
  const auto losses = [&](const std::string& arguments) {
    const std::string directory = folder() / arguments.substr(arguments.size() - 1);
    const Outcome outcome =
        run("--dataset synthetic --max-steps 12 --momentum 0.9 --init kaiming --learning-rate 1e-5 " + arguments +
            " --run-dir " + directory);
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    return lines_of(directory + "/train_loss.csv");
  };
  const auto one = losses("--threads 1");
  EXPECT_EQ(one.size(), 13U);
  EXPECT_EQ(one, losses("--threads 2"));
  EXPECT_EQ(one, losses("--threads 3"));
  EXPECT_NE(one, losses("--seed 7"));
}

TEST_F(Cifar10Mlp, AutoFindsCifar10ByTheEnvironment) {
  testing::write_cifar10_files(folder());
  const Outcome outcome =
      run("--max-steps 1 --hidden-units '' --run-dir " + run_dir(), "CIFAR10_DIR=" + folder().string());
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("data: CIFAR-10 from " + folder().string() + ", 50000 + 10000 images"),
            std::string::npos)
      << outcome.output;
}

TEST_F(Cifar10Mlp, TakesTheNumberOfThreadsFromFlagOrEnvironment) {
  const std::string arguments = "--dataset synthetic --max-steps 1 --hidden-units '' --run-dir " + run_dir();
  const auto expect_threads = [](const Outcome& outcome, const std::string& threads) {
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("\n" + threads + " threads, "), std::string::npos) << outcome.output;
  };
  expect_threads(run(arguments, "EIGENGRAD_NUM_THREADS=3"), "3");
  expect_threads(run(arguments + " --threads 2", "EIGENGRAD_NUM_THREADS=3"), "2");
  const Outcome wrong = run(arguments, "EIGENGRAD_NUM_THREADS=many");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(wrong.output.find("EIGENGRAD_NUM_THREADS: \"many\", expected a number of threads"), std::string::npos)
      << wrong.output;
}

TEST_F(Cifar10Mlp, RefusesAMissingDirectory) {
  expect_refused("--data-dir /nowhere", "error: /nowhere: is not a directory");
  expect_refused("--dataset cifar10 --data-dir /nowhere", "error: /nowhere: is not a directory");
}

TEST_F(Cifar10Mlp, RefusesABatchFileCutShort) {
  testing::write_cifar10_files(folder());
  std::filesystem::resize_file(folder() / "data_batch_4.bin", 12345);
  expect_refused("--data-dir " + folder().string(), "data_batch_4.bin: has 12345 bytes, expected 30730000");
}

TEST_F(Cifar10Mlp, RefusesALabelAbove9) {
  testing::write_cifar10_files(folder());
  std::fstream(folder() / "test_batch.bin", std::ios::binary | std::ios::in | std::ios::out).put(10);
  expect_refused("--data-dir " + folder().string(), "test_batch.bin: at byte 0: label 10 of record 0, expected 0 to 9");
}

TEST_F(Cifar10Mlp, RefusesWrongFlags) {
  expect_refused("--no-such-flag 3", "--no-such-flag");
  expect_refused("--hidden-units 0", "--hidden-units: \"0\": expected numbers above 0");
  expect_refused("--hidden-units 100,,5", "--hidden-units");
  expect_refused("--hidden-units 1e3", "--hidden-units");
  expect_refused("--learning-rate -1", "--learning-rate");
  expect_refused("--learning-rate nan", "learning_rate is nan");
  expect_refused("--momentum -0.5", "--momentum");
  expect_refused("--batch-size 0", "--batch-size");
  expect_refused("--max-steps 0", "--max-steps");
  expect_refused("--eval-freq -3", "--eval-freq");
  expect_refused("--threads -1", "--threads");
  expect_refused("--optimizer newton", "--optimizer");
  expect_refused("--dataset mnist", "--dataset");
  expect_refused("--init normal", "--init: \"normal\": expected normal:STD");
  expect_refused("--init normal:-1", "--init");
  expect_refused("--init ones", "--init");
}

TEST_F(Cifar10Mlp, RefusesARunDirectoryThatCannotBeWritten) {
  std::ofstream(folder() / "file") << "text";
  const std::string inside = (folder() / "file" / "run").string();
  const Outcome outcome = run("--dataset synthetic --max-steps 1 --run-dir " + inside);
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  EXPECT_NE(outcome.output.find("error: " + inside + ": cannot be made"), std::string::npos) << outcome.output;
}

TEST_F(Cifar10Mlp, StopsWhereTheLossIsNotFinite) {
  const Outcome outcome =
      run("--dataset synthetic --learning-rate 1e30 --init kaiming --max-steps 50 --run-dir " + run_dir());
  EXPECT_EQ(outcome.status, 1) << outcome.output;
  EXPECT_TRUE(std::regex_search(outcome.output, std::regex("error: fit: the loss is (-?nan|inf) at step [0-9]+;")))
      << outcome.output;
  EXPECT_FALSE(std::filesystem::exists(run_dir() + "/curves.svg"));
}

}  // namespace
}  // namespace eigengrad
