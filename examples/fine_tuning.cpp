// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// A network that has learned some classes learns others from few images. A ConvNet is trained on six classes of
// CIFAR-10 and saved. Then ten images of each of the other four are all there is, and three networks learn them: one
// from scratch, one with the saved body, frozen, under a new head, and the same once more with the body let go at a
// small rate.
//   fine_tuning --data-dir data/cifar-10-batches-bin

#include <cstddef>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <eigengrad/eigengrad.hpp>
#include <eigengrad/io.hpp>

#include "common/networks.hpp"
#include "common/numbers.hpp"
#include "common/run_main.hpp"

namespace {

namespace eg = eigengrad;
namespace data = eg::data;
namespace nn = eg::nn;
using eg::Index;
using Images = data::ImageDataset<>;
using Split = data::Split<Images>;

constexpr Index kOldClasses = 6;  // the first of the ten

struct Options {
  std::string data_dir = "data/cifar-10-batches-bin";
  std::string body = "runs/fine_tuning/six_classes.safetensors";
  Index width = 32;  // of the first convolution
  Index pretrain_steps = 2000;
  Index images_per_class = 10;
  Index steps = 200;
};

/// The images of the classes [first, last), numbered anew from 0, and at most so many of each.
Images classes(const Images& all, Index first, Index last, Index most) {
  std::vector<Index> chosen, counts(static_cast<std::size_t>(last - first));
  for (Index i = 0; i < all.size(); ++i) {
    const Index label = all.labels(i) - first;
    if (label < 0 || label >= last - first || counts[static_cast<std::size_t>(label)] == most) continue;
    ++counts[static_cast<std::size_t>(label)];
    chosen.push_back(i);
  }
  const eg::Tensor<Index> rows({static_cast<Index>(chosen.size())}, chosen);
  Images some = all;
  some.images = eg::ops::take(all.images, rows);
  some.labels = eg::ops::take(all.labels, rows) - first;
  some.class_names = {all.class_names.begin() + first, all.class_names.begin() + last};
  return some;
}

/// The head is the last layer; everything before it is the body.
void set_body_requires_grad(nn::Sequential<>& net, bool requires_grad) {
  for (Index i = 0; i + 1 < net.size(); ++i) eg::set_requires_grad(net[i], requires_grad);
}

/// Trains and prints the accuracy on the test set and what a step has taken.
template <class Optimizer>
void train(const char* name, nn::Sequential<>& net, Optimizer optimizer, const Split& split, Index steps) {
  data::Loader loader{data::Augmented{split.train, 1, data::RandomCrop{}, data::RandomHorizontalFlip{}},
                      {.batch_size = 50, .epochs = data::kEndless}};
  const auto history = eg::train::fit(
      net, nn::SoftmaxCrossEntropy{}, optimizer, loader, split.test,
      {.max_steps = steps, .eval_freq = steps, .schedule = eg::optim::CosineAnnealingLR{.max_steps = steps}});
  const double per_step = 1000.0 * history.back().seconds / static_cast<double>(steps);
  std::cout << eg::joined(eg::left_aligned(name, 28), eg::to_fixed(history.back().validation_accuracy, 3),
                          eg::right_aligned(eg::to_fixed(per_step, 1), 10), " ms a step")
            << std::endl;
}

Split load(const Options& options) {
  Split split =
      data::has_cifar10(options.data_dir) ? data::load_cifar10(options.data_dir) : data::synthetic_cifar10(/*seed=*/1);
  data::normalize_channels(split);
  return split;
}

int run(const Options& options) {
  const Split all = load(options);
  const auto part = [&](Index first, Index last, Index most) {
    return Split{classes(all.train, first, last, most), classes(all.test, first, last, all.test.size())};
  };
  const auto convnet = [&](Index outputs) { return networks::convnet(3, outputs, {.width = options.width}); };
  if (!std::filesystem::exists(options.body)) {
    const Split six = part(0, kOldClasses, all.train.size());
    nn::Sequential<> net = convnet(kOldClasses);
    train("six classes", net, eg::optim::Adam{net.parameters()}, six, options.pretrain_steps);
    std::filesystem::create_directories(std::filesystem::path(options.body).parent_path());
    eg::io::save(options.body, net);
  }

  const Split four = part(kOldClasses, all.train.num_classes(), options.images_per_class);
  const Index new_classes = four.train.num_classes();
  nn::Sequential<> scratch = convnet(new_classes);
  train("four others, from scratch", scratch, eg::optim::Adam{scratch.parameters()}, four, options.steps);

  nn::Sequential<> net = convnet(kOldClasses);  // as it was saved
  eg::io::load(options.body, net);
  net[net.size() - 1] = nn::Linear{8 * options.width, new_classes};  // a new head
  set_body_requires_grad(net, false);
  train("the same, body frozen", net, eg::optim::Adam{net.parameters()}, four, options.steps);

  set_body_requires_grad(net, true);
  train("and then the body too", net, eg::optim::Adam{net.parameters(), {.learning_rate = 1e-4}}, four, options.steps);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Learns four classes of CIFAR-10 from few images, on top of what six others have taught.",
               "fine_tuning"};
  Options options;
  app.add_option("--data-dir", options.data_dir, "CIFAR-10 in its binary format; else synthetic images");
  app.add_option("--body", options.body, "the network of six classes; trained and written if it is not there");
  const auto add = [&](const char* name, auto& value, const char* text) {
    examples::add_number(app, name, value, text, examples::kAboveZero);
  };
  add("--width", options.width, "channels of the first convolution");
  add("--pretrain-steps", options.pretrain_steps, "of the network of six classes");
  add("--images", options.images_per_class, "of each new class");
  add("--steps", options.steps, "for the new classes");
  return examples::run_main(app, argc, argv, [&] { return run(options); });
}
