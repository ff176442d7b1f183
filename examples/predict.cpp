// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Says what a trained network sees in images, or how good it is on the test set.
//   predict runs/cnn-1 cat.jpg ship.png
//   predict runs/cnn-1 --test

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include <eigengrad/data/image_file.hpp>
#include <eigengrad/io.hpp>

#include "common/run_main.hpp"
#include "common/trainer.hpp"

namespace {

using namespace eigengrad;
namespace fs = std::filesystem;

/// A network that has been trained, and what it needs to see images.
struct Trained {
  trainer::RunFile run;
  nn::Sequential<> net;
  nn::State<float> normalization;
};

/// `network` is "best" or "last".
Trained load_trained(const fs::path& folder, const std::string& network) {
  Trained trained{trainer::load_run_file(folder / "run.json"), {}, {}};
  trained.net = trainer::make_network(trained.run);
  io::load(folder / (network + ".safetensors"), trained.net);
  trained.normalization = io::load_state<float>(folder / "normalization.safetensors");
  return trained;
}

/// Images as the network was trained on them.
data::ImageDataset<> dataset(const Trained& trained, Tensor<std::uint8_t> images, Tensor<Index> labels) {
  return {std::move(images), std::move(labels), trained.run.class_names, trained.normalization.at("mean"),
          trained.normalization.at("scale")};
}

/// The most likely classes of each image, with their probabilities.
void classify(Trained& trained, const std::vector<std::string>& paths) {
  constexpr std::size_t kShown = 5;
  for (const std::string& path : paths) {
    const Shape& shape = trained.run.image_shape;
    const Tensor<std::uint8_t> image = data::read_image(path, shape, {.convert = true});
    const auto images = dataset(trained, image.reshape({1, shape[0], shape[1], shape[2]}), Tensor<Index>::zeros({1}));
    const Tensor<float> p = softmax(trained.net.predict(images.batch(std::vector<Index>{0}).inputs));
    std::vector<Index> order(trained.run.class_names.size());
    std::iota(order.begin(), order.end(), Index{0});
    std::sort(order.begin(), order.end(),
              [&](Index a, Index b) { return p(0, a) != p(0, b) ? p(0, a) > p(0, b) : a < b; });
    order.resize(std::min(order.size(), kShown));
    std::cout << path << '\n';
    for (const Index c : order)
      std::cout << joined("  ", to_fixed(p(0, c), 4), "  ", trained.run.class_names[static_cast<std::size_t>(c)], '\n');
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Says what a network sees that a trainer has trained.", "predict"};
  std::string folder, network = "best", data_dir;
  std::vector<std::string> images;
  bool test = false;
  app.add_option("RUN_DIR", folder, "the folder of a run of cifar10_mlp or cifar10_cnn")->required();
  const auto images_option = app.add_option("IMAGE", images, "JPEG, PNG, BMP");
  app.add_flag("--test", test, "evaluate on the test set instead: accuracy, confusion matrix, precision, recall")
      ->excludes(images_option);
  app.add_option("--data-dir", data_dir, "folder with the binary CIFAR-10 batches (default: that of the run)")
      ->type_name("DIR");
  app.add_option("--network", network, "of the best evaluation or of the last step")
      ->check(CLI::IsMember({"best", "last"}))
      ->capture_default_str();
  return examples::run_main(app, argc, argv, [&] {
    if (!test && images.empty()) throw CLI::RequiredError("IMAGE or --test");
    Trained trained = load_trained(folder, network);
    if (!test) {
      classify(trained, images);
      return 0;
    }
    const auto data = trainer::find_data(trained.run, data_dir);
    train::ConfusionMatrix confusion{trained.run.class_names};
    train::measure(trained.net, dataset(trained, data.test.images, data.test.labels), confusion);
    std::cout << confusion.to_string();
    return 0;
  });
}
