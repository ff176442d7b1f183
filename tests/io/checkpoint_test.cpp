// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <sys/resource.h>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/io/checkpoint.hpp>

#include "support/contents.hpp"
#include "support/in_child.hpp"
#include "support/reader_test.hpp"

namespace eigengrad::EIGENGRAD_ISA::io {
namespace {

namespace fs = std::filesystem;
using eigengrad::testing::contents;
using eigengrad::testing::message_of;

class CheckpointFile : public testing::ReaderTest {
 protected:
  CheckpointFile() : ReaderTest("checkpoint.safetensors") {}

  /// What is said of a checkpoint whose metadata are that text.
  std::string problem_of(const std::string& json) const {
    save_state<float>(path(), {}, {{"checkpoint", json}});
    return problem_with(contents(path()), [](const auto& file) { load_checkpoint(file); });
  }
};

/// With the numbers that a text could lose.
template <class T>
train::Checkpoint<T> example(Index step = 12) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  train::Checkpoint<T> checkpoint;
  checkpoint.network = {{"0.weight", Tensor<T>({2, 2}, {1, 2, 3, T(0.1)})}, {"1.running_mean", Tensor<T>::ones({2})}};
  checkpoint.random_streams = {{"2.random", {.seed = ~std::uint64_t{0}, .stream = 1, .pass = std::uint64_t{1} << 60}}};
  const optim::OptimizerState<T> inner{"Adam",
                                       1.0 / 3.0,
                                       5e-324,
                                       {{"0.weight", std::numeric_limits<Index>::max()}},
                                       {{"0.weight.exp_avg", Tensor<T>::zeros({2, 2})}},
                                       {}};
  checkpoint.optimizer = {"Lookahead", 0.5, 1.0, {{"steps", 7}}, {{"0.weight.slow", Tensor<T>::ones({2, 2})}}, {inner}};
  checkpoint.loader = {.epoch = 3,
                       .batch = 7,
                       .last_epoch = data::kEndless,
                       .samples = 100,
                       .batch_size = 9,
                       .shuffle = false,
                       .drop_last = true,
                       .seed = ~std::uint64_t{0},
                       .sampler = ~std::uint64_t{0} - 1};
  checkpoint.course = {.step = step,
                       .loss_sum = 0.1,
                       .samples = 5.0,
                       .seconds = 1e300,
                       .history = {{5, 0.1 + 0.2, kInfinity, std::nan(""), 2.0}, {10, 1e-320, -kInfinity, 0.5, 3.0}}};
  return checkpoint;
}

template <class T>
void expect_same(const train::Checkpoint<T>& a, const train::Checkpoint<T>& b) {
  const auto expect_same_tensors = [](const auto& one, const auto& other) {
    ASSERT_EQ(one.size(), other.size());
    for (const auto& [name, tensor] : one) EXPECT_TRUE(other.contains(name) && equal(tensor, other.at(name))) << name;
  };
  expect_same_tensors(a.network, b.network);
  EXPECT_EQ(a.random_streams, b.random_streams);
  const auto expect_same_state = [&](const auto& self, const auto& one, const auto& other) -> void {
    expect_same_tensors(one.tensors, other.tensors);
    EXPECT_EQ(one.optimizer, other.optimizer);
    EXPECT_EQ(one.learning_rate, other.learning_rate);
    EXPECT_EQ(one.learning_rate_factor, other.learning_rate_factor);
    EXPECT_EQ(one.steps, other.steps);
    ASSERT_EQ(one.parts.size(), other.parts.size());
    for (std::size_t i = 0; i < one.parts.size(); ++i) self(self, one.parts[i], other.parts[i]);
  };
  expect_same_state(expect_same_state, a.optimizer, b.optimizer);
  EXPECT_EQ(a.loader, b.loader);
  EXPECT_EQ(a.course.step, b.course.step);
  EXPECT_EQ(a.course.loss_sum, b.course.loss_sum);
  EXPECT_EQ(a.course.samples, b.course.samples);
  EXPECT_EQ(a.course.seconds, b.course.seconds);
  ASSERT_EQ(a.course.history.size(), b.course.history.size());
  const auto same = [](double one, double other) { return one == other || (std::isnan(one) && std::isnan(other)); };
  for (std::size_t i = 0; i < a.course.history.size(); ++i) {
    const train::Measurement &m = a.course.history[i], &n = b.course.history[i];
    EXPECT_TRUE(m.step == n.step && same(m.train_loss, n.train_loss) && same(m.validation_loss, n.validation_loss) &&
                same(m.validation_accuracy, n.validation_accuracy) && same(m.seconds, n.seconds))
        << i;
  }
}

TEST_F(CheckpointFile, HoldsEveryNumber) {
  save_checkpoint(path(), example<float>());
  expect_same(load_checkpoint(path()), example<float>());
  save_checkpoint(path(), example<double>());
  expect_same(load_checkpoint<double>(path()), example<double>());
  EXPECT_NE(message_of([&] { load_checkpoint<float>(path()); }).find("is of type F64, expected F32"),
            std::string::npos);
}

TEST_F(CheckpointFile, WrittenBeforeThereWereSamplersIsOfALoaderWithoutOne) {
  save_checkpoint(path(), example<float>());
  const auto state = load_state<float>(path());
  Metadata metadata = load_metadata(path());
  std::string& json = metadata.at("checkpoint");
  const std::string entry = R"("sampler":18446744073709551614,)";
  const std::size_t at = json.find(entry);
  ASSERT_NE(at, std::string::npos) << json;
  json.erase(at, entry.size());
  save_state(path(), state, metadata);
  auto expected = example<float>();
  expected.loader.sampler = 0;
  expect_same(load_checkpoint(path()), expected);
}

TEST_F(CheckpointFile, KeepsAsManyAsAskedFor) {
  const auto steps = [&] {
    std::string text;
    for (const char* name : {"checkpoint", "checkpoint-1", "checkpoint-2", "checkpoint-3"}) {
      const auto file = path(joined(name, ".safetensors"));
      text += joined(fs::exists(file) ? joined(load_checkpoint(file).course.step) : "none", ' ');
    }
    return text;
  };
  for (Index step = 1; step <= 4; ++step) save_checkpoint(path(), example<float>(step), {.keep = 3});
  EXPECT_EQ(steps(), "4 3 2 none ");
  save_checkpoint(path(), example<float>(5), {.keep = 2});
  EXPECT_EQ(steps(), "5 4 2 none ");
  save_checkpoint(path(), example<float>(6));
  EXPECT_EQ(steps(), "6 4 2 none ");
  // As a program leaves it that is killed after the newest has got its second name.
  fs::remove(path("checkpoint-1.safetensors"));
  fs::create_hard_link(path(), path("checkpoint-1.safetensors"));
  save_checkpoint(path(), example<float>(7), {.keep = 2});
  EXPECT_EQ(steps(), "7 6 2 none ");
  EXPECT_EQ(std::distance(fs::directory_iterator(path().parent_path()), {}), 3) << "nothing unfinished is left";
  EXPECT_EQ(message_of([&] { save_checkpoint(path(), example<float>(), {.keep = 0}); }),
            "save_checkpoint: keep is 0, expected more than 0");
}

// A limit on the size of files stands for a full disk.
TEST_F(CheckpointFile, OnAFullDiskTheEarlierOneStays) {
  save_checkpoint(path(), example<float>(1));
  EXPECT_EQ(testing::in_child([&] {
              std::signal(SIGXFSZ, SIG_IGN);
              const ::rlimit limit{300, 300};
              ::setrlimit(RLIMIT_FSIZE, &limit);
              const std::string message = message_of([&] { save_checkpoint(path(), example<float>(2)); });
              return message.find("cannot be written: File too large") != std::string::npos;
            }),
            "true");
  EXPECT_EQ(load_checkpoint(path()).course.step, 1);
  EXPECT_EQ(std::distance(fs::directory_iterator(path().parent_path()), {}), 1);
}

TEST_F(CheckpointFile, CutShortAtEveryByteIsRefused) {
  save_checkpoint(path(), example<float>());
  const std::string bytes = contents(path());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    problem_with(bytes.substr(0, size), [](const auto& file) { load_checkpoint(file); });
}

TEST_F(CheckpointFile, WithEveryByteChangedIsReadOrRefused) {
  save_checkpoint(path(), example<float>());
  const std::string bytes = contents(path());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x15);
    write(changed);
    try {
      load_checkpoint(path());
    } catch (const IoError&) {  // and nothing else
    }
  }
}

TEST_F(CheckpointFile, SaysWhatIsWrongWithIt) {
  save_state<float>(path(), {});
  EXPECT_EQ(problem_with(contents(path()), [](const auto& file) { load_checkpoint(file); }), "is no checkpoint");
  EXPECT_EQ(problem_of("not JSON"), "checkpoint has no course");
  EXPECT_EQ(problem_of("[]"), "checkpoint has no course");
  EXPECT_EQ(problem_of(std::string(1000000, '[')), "checkpoint has no course");
  EXPECT_EQ(problem_of(R"({"course": {}})"), "checkpoint.course has no step");
  EXPECT_EQ(problem_of(R"({"course": {"step": -1}})"),
            "checkpoint.course.step is number, expected a whole number of 0 or more");
  EXPECT_EQ(problem_of(R"({"course": {"step": 1.5}})"),
            "checkpoint.course.step is number, expected a whole number of 0 or more");
  EXPECT_EQ(problem_of(R"({"course": {"step": 18446744073709551615}})"),
            "checkpoint.course.step is number, expected a smaller number");
  EXPECT_EQ(problem_of(R"({"course": {"step": 1, "loss_sum": "much"}})"),
            "checkpoint.course.loss_sum is string, expected a number");
  EXPECT_EQ(problem_of(R"({"course": {"step": 1, "loss_sum": 1, "samples": 1, "seconds": 1, "history": [[1, 2]]}})"),
            "checkpoint.course.history[0] has no element 2");
  auto checkpoint = example<float>();
  for (int depth = 0; depth < 20; ++depth) {
    auto inner = checkpoint.optimizer;
    checkpoint.optimizer.parts = {inner};
  }
  save_checkpoint(path(), checkpoint);
  EXPECT_EQ(problem_with(contents(path()), [](const auto& file) { load_checkpoint(file); }),
            "checkpoint: optimizers are nested too deeply");
  checkpoint = example<float>();
  save_checkpoint(path(), checkpoint);
  auto state = load_state<float>(path());
  const Metadata metadata = load_metadata(path());
  state["elsewhere"] = Tensor<float>::ones({1});
  save_state(path(), state, metadata);
  EXPECT_EQ(problem_with(contents(path()), [](const auto& file) { load_checkpoint(file); }),
            "tensor elsewhere is neither of a network nor of an optimizer");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::io
