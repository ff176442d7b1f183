// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Says what a trained network sees in images, or how good it is on the test set.
//   predict runs/cnn-1 cat.jpg ship.png
//   predict runs/cnn-1 --test

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_STATIC
#include <stb_image.h>
#if __has_include(<stb_image_resize2.h>)
#include <stb_image_resize2.h>
#else
#include <stb_image_resize.h>
#endif

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

/// The pixels of a file, resized to one image of that shape (H, W, C).
Tensor<std::uint8_t> read_image(const std::string& path, const Shape& shape) {
  const std::string bytes = read_file(path);
  int width = 0, height = 0, ignored = 0;
  const int channels = static_cast<int>(shape[2]);
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()), static_cast<int>(bytes.size()), &width,
                            &height, &ignored, channels),
      stbi_image_free);
  if (pixels == nullptr) throw IoError(path, joined("is no image that can be read: ", stbi_failure_reason()));
  Tensor<std::uint8_t> image({1, shape[0], shape[1], shape[2]});
  std::uint8_t* to = image.mutable_data();
  const int to_width = static_cast<int>(shape[1]), to_height = static_cast<int>(shape[0]);
#if __has_include(<stb_image_resize2.h>)
  const bool resized = stbir_resize_uint8_linear(pixels.get(), width, height, 0, to, to_width, to_height, 0,
                                                 static_cast<stbir_pixel_layout>(channels)) != nullptr;
#else
  const bool resized = stbir_resize_uint8(pixels.get(), width, height, 0, to, to_width, to_height, 0, channels) != 0;
#endif
  if (!resized) throw IoError(path, joined("cannot be resized from ", width, " x ", height, " pixels"));
  return image;
}

/// The most likely classes of each image, with their probabilities.
void classify(Trained& trained, const std::vector<std::string>& paths) {
  constexpr std::size_t kShown = 5;
  for (const std::string& path : paths) {
    const auto images = dataset(trained, read_image(path, trained.run.image_shape), Tensor<Index>::zeros({1}));
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
  const auto images_option = app.add_option("IMAGE", images, "JPEG, PNG, BMP, GIF, TGA, PNM");
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
