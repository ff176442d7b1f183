// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <eigengrad/data/cifar_records.hpp>

// CIFAR-100 in its binary format: 60,000 colour images of 32 x 32 pixels in 100 classes, which are in 20 groups.
//   auto split = data::load_cifar100("data/cifar-100-binary");
//   auto groups = data::load_cifar100("data/cifar-100-binary", {.coarse = true});
// Source   Krizhevsky, Learning multiple layers of features from tiny images, 2009

namespace eigengrad::EIGENGRAD_ISA::data {

inline constexpr Index kCifar100Classes = 100;
inline constexpr Index kCifar100CoarseClasses = 20;

inline const std::vector<std::string>& cifar100_class_names() {
  static const std::vector<std::string> names{
      "apple",      "aquarium_fish", "baby",         "bear",       "beaver",      "bed",         "bee",
      "beetle",     "bicycle",       "bottle",       "bowl",       "boy",         "bridge",      "bus",
      "butterfly",  "camel",         "can",          "castle",     "caterpillar", "cattle",      "chair",
      "chimpanzee", "clock",         "cloud",        "cockroach",  "couch",       "crab",        "crocodile",
      "cup",        "dinosaur",      "dolphin",      "elephant",   "flatfish",    "forest",      "fox",
      "girl",       "hamster",       "house",        "kangaroo",   "keyboard",    "lamp",        "lawn_mower",
      "leopard",    "lion",          "lizard",       "lobster",    "man",         "maple_tree",  "motorcycle",
      "mountain",   "mouse",         "mushroom",     "oak_tree",   "orange",      "orchid",      "otter",
      "palm_tree",  "pear",          "pickup_truck", "pine_tree",  "plain",       "plate",       "poppy",
      "porcupine",  "possum",        "rabbit",       "raccoon",    "ray",         "road",        "rocket",
      "rose",       "sea",           "seal",         "shark",      "shrew",       "skunk",       "skyscraper",
      "snail",      "snake",         "spider",       "squirrel",   "streetcar",   "sunflower",   "sweet_pepper",
      "table",      "tank",          "telephone",    "television", "tiger",       "tractor",     "train",
      "trout",      "tulip",         "turtle",       "wardrobe",   "whale",       "willow_tree", "wolf",
      "woman",      "worm"};
  return names;
}

/// Of the 20 groups of five classes each.
inline const std::vector<std::string>& cifar100_coarse_class_names() {
  static const std::vector<std::string> names{"aquatic_mammals",
                                              "fish",
                                              "flowers",
                                              "food_containers",
                                              "fruit_and_vegetables",
                                              "household_electrical_devices",
                                              "household_furniture",
                                              "insects",
                                              "large_carnivores",
                                              "large_man-made_outdoor_things",
                                              "large_natural_outdoor_scenes",
                                              "large_omnivores_and_herbivores",
                                              "medium_mammals",
                                              "non-insect_invertebrates",
                                              "people",
                                              "reptiles",
                                              "small_mammals",
                                              "trees",
                                              "vehicles_1",
                                              "vehicles_2"};
  return names;
}

struct Cifar100Options {
  bool coarse = false;  ///< the labels are the 20 groups instead of the 100 classes
};

namespace detail {
inline constexpr std::array<CifarLabel, 2> kCifar100Labels{
    {{"coarse label", kCifar100CoarseClasses}, {"fine label", kCifar100Classes}}};
inline constexpr CifarFormat kCifar100Coarse{"CIFAR-100", "the two files", kCifar100Labels, 0};
inline constexpr CifarFormat kCifar100Fine{"CIFAR-100", "the two files", kCifar100Labels, 1};
}  // namespace detail

/// Reads train.bin and test.bin: 50,000 and 10,000 images, not normalised.
/// Shapes   images (N, 32, 32, 3), labels (N)
/// Errors   IoError naming the directory and all files that it lacks, or a file that cannot be read, has another size
///          or a label out of range
template <class T = float>
Split<ImageDataset<T>> load_cifar100(const std::filesystem::path& directory, const Cifar100Options& options = {}) {
  return detail::load_cifar<T>(options.coarse ? detail::kCifar100Coarse : detail::kCifar100Fine, directory,
                               {{"train.bin", 50000}, {"test.bin", 10000}},
                               options.coarse ? cifar100_coarse_class_names() : cifar100_class_names());
}

}  // namespace eigengrad::EIGENGRAD_ISA::data
