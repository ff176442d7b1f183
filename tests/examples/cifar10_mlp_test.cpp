// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/kernels/bf16.hpp>

#include "support/cifar10_files.hpp"
#include "support/trainer_process.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::lines_of;
using testing::Outcome;

class Cifar10Mlp : public testing::TrainerTest {
 protected:
  Cifar10Mlp() : TrainerTest(EIGENGRAD_CIFAR10_MLP) {}
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
  expect_same_losses_for_any_number_of_threads(
      "--max-steps 12 --momentum 0.9 --init kaiming --learning-rate 1e-5 --batch-norm --dropout 0.2 --input-dropout "
      "0.1 "
      "--augment crop,flip",
      12);
}

TEST_F(Cifar10Mlp, EveryOptimizerScheduleAndActivationRuns) {
  const std::string arguments = "--max-steps 4 --hidden-units 20 --init pytorch --learning-rate 1e-4 ";
  std::vector<std::vector<std::string>> runs;
  for (const std::string choice :
       {"--optimizer sgd", "--optimizer adam", "--optimizer adamw --weight-decay 0.1", "--optimizer rmsprop",
        "--schedule cosine", "--schedule step --step-size 2", "--warmup-steps 3", "--activation gelu",
        "--activation silu", "--normalization pixels", "--normalization channels", "--batch-norm"}) {
    runs.push_back(losses(arguments + choice));
    EXPECT_EQ(runs.back().size(), 5U) << choice;
    for (std::size_t i = 0; i + 1 < runs.size(); ++i) EXPECT_NE(runs[i], runs.back()) << choice;
  }
}

TEST_F(Cifar10Mlp, ProductsAreOfTheGivenPrecision) {
  const std::string arguments = "--max-steps 4 --hidden-units 100 --init pytorch --learning-rate 1e-4 ";
  const auto exact = losses(arguments);
  EXPECT_EQ(losses(arguments + "--precision highest"), exact);
  EXPECT_EQ(losses(arguments + "--precision medium") == exact, !ops::detail::kHasBf16);
  expect_refused("--dataset synthetic --precision low", "--precision: low not in {highest,medium}");
}

TEST_F(Cifar10Mlp, RefusesALastBatchThatBatchNormCannotTrainOn) {
  expect_refused("--dataset synthetic --hidden-units 5 --batch-norm --batch-size 49999",
                 "layer 2 (BatchNorm1d 5): input has 1 value a channel, expected more than 1 in training");
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
  const std::string arguments =
      "--dataset synthetic --max-steps 1 --hidden-units '' --overwrite --run-dir " + run_dir();
  const auto expect_threads = [](const Outcome& outcome, const std::string& threads) {
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("\n" + threads + " threads, "), std::string::npos) << outcome.output;
  };
  expect_threads(run(arguments, "EIGENGRAD_NUM_THREADS=3"), "3");
  expect_threads(run(arguments + " --threads 2", "EIGENGRAD_NUM_THREADS=3"), "2");
  const Outcome wrong = run(arguments, "EIGENGRAD_NUM_THREADS=many");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(wrong.output.find("EIGENGRAD_NUM_THREADS: \"many\", expected 0 to "), std::string::npos) << wrong.output;
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

TEST_F(Cifar10Mlp, RefusesAFolderThatIsHalfThere) {
  testing::write_cifar10_files(folder());
  std::filesystem::remove(folder() / "data_batch_1.bin");
  expect_refused("--data-dir " + folder().string(), "lacks data_batch_1.bin; expected the six files");
  // The default one, of which nobody has spoken, does not mean synthetic images either.
  std::filesystem::create_directories(folder() / "data");
  std::filesystem::create_directory_symlink(folder(), folder() / "data" / "cifar-10-batches-bin");
  expect_refused("", "data/cifar-10-batches-bin: lacks data_batch_1.bin; expected the six files");
}

/// What a run says of flags that it does not have.
class WrongFlags : public Cifar10Mlp {
 protected:
  std::string answer(const std::string& arguments) const {
    const Outcome outcome = run(arguments + " --run-dir " + run_dir());
    EXPECT_GT(outcome.status, 0) << outcome.output;
    return outcome.output;
  }
};

TEST_F(WrongFlags, AreAnsweredWithTheNearestOne) {
  const std::string end = "\nRun with --help for more information.\n";
  const auto meant = [&](const std::string& flag, const std::string& nearest) {
    return flag + ": is no flag of this program; did you mean " + nearest + "?" + end;
  };
  for (const auto& [wrong, nearest] :
       std::vector<std::pair<std::string, std::string>>{{"--lr", "--learning-rate"},
                                                        {"-lr", "--learning-rate"},
                                                        {"--learning_rate", "--learning-rate"},
                                                        {"--Learning-Rate", "--learning-rate"},
                                                        {"--learning", "--learning-rate"},
                                                        {"--learningrate", "--learning-rate"},
                                                        {"--epoch", "--max-steps"},
                                                        {"--epochs", "--max-steps"},
                                                        {"--steps", "--max-steps"},
                                                        {"--optimiser", "--optimizer"},
                                                        {"--seeed", "--seed"},
                                                        {"--sede", "--seed"},
                                                        {"--bs", "--batch-size"},
                                                        {"--wd", "--weight-decay"},
                                                        {"--mometnum", "--momentum"}}) {
    EXPECT_EQ(answer(wrong + " 5"), meant(wrong, nearest));
    EXPECT_EQ(answer(wrong + "=5"), meant(wrong, nearest));
  }
}

TEST_F(WrongFlags, AreAllNamed) {
  const std::string no_flag = ": is no flag of this program";
  EXPECT_EQ(answer("--no-such-flag -3 --lr 0.1 --max-steps 5 --s 2"),
            "--no-such-flag" + no_flag + "\n--lr" + no_flag + "; did you mean --learning-rate?\n--s" + no_flag +
                "\nRun with --help for more information.\n");
  EXPECT_EQ(answer("5").rfind("The following argument was not expected: 5\n", 0), 0U);
}

TEST_F(Cifar10Mlp, RefusesWrongFlags) {
  expect_refused("--no-such-flag 3", "--no-such-flag");
  expect_refused("--hidden-units 0", "--hidden-units: \"0\": expected a whole number from 1 to 9223372036854775807");
  expect_refused("--hidden-units 100,,5", "--hidden-units: \"\": expected");
  expect_refused("--hidden-units 1e3", "--hidden-units");
  expect_refused("--optimizer newton", "--optimizer");
  expect_refused("--dataset mnist", "--dataset");
  expect_refused("--init normal", "--init: \"normal\": expected normal:STD");
  expect_refused("--init ones", "--init");
  expect_refused("--activation step", "--activation");
}

// Every flag that is a number, with what is no number, is not finite, is out of bounds or does not fit the type.
TEST_F(Cifar10Mlp, RefusesNumbersThatItCannotTakeAsTheyAre) {
  struct Flag {
    std::string name;
    std::string expected;
    std::vector<std::string> refused;
  };
  const std::string at_least_0 = "expected a number of at least 0";
  const std::string share = "expected a number from 0 to 1";
  const std::string from_1 = "expected a whole number from 1 to 9223372036854775807";
  const std::vector<Flag> flags{
      {"--learning-rate", at_least_0, {"-1", "1e309"}},
      {"--momentum", at_least_0, {"-0.5"}},
      {"--weight-decay", at_least_0, {"-1e-9"}},
      {"--clip-grad-norm", at_least_0, {"-1"}},
      {"--step-gamma", at_least_0, {"-1"}},
      {"--dropout", share, {"1.5", "-0.1"}},
      {"--input-dropout", share, {"1.5"}},
      {"--label-smoothing", share, {"1.01"}},
      {"--max-steps", from_1, {"0", "-1", "1e3", "9223372036854775808"}},
      {"--batch-size", from_1, {"0", "0x10", "18446744073709551617"}},
      {"--eval-freq", from_1, {"-3", "1.5"}},
      {"--step-size", from_1, {"0"}},
      {"--warmup-steps", "expected a whole number from 0 to 9223372036854775807", {"-1"}},
      {"--threads", "expected a whole number from 0 to 2147483647", {"-1", "2147483648"}},
      {"--seed", "expected a whole number from 0 to 18446744073709551615", {"-1", "18446744073709551616", "4.5"}}};
  for (Flag flag : flags) {
    for (const char* text : {"nan", "inf", "-inf", "many", "1,5", "5x"}) flag.refused.push_back(text);
    for (const std::string& text : flag.refused) {
      const Outcome outcome = run(flag.name + " " + text + " --run-dir " + run_dir());
      EXPECT_GT(outcome.status, 0) << outcome.output;
      EXPECT_EQ(outcome.output.substr(0, outcome.output.find('\n')),
                flag.name + ": \"" + text + "\": " + flag.expected);
    }
  }
  expect_refused("--init normal:-1", "--init: \"-1\": expected a number above 0");
  expect_refused("--init normal:nan", "--init: \"nan\": expected a number above 0");
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
}  // namespace eigengrad::EIGENGRAD_ISA
