// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include <eigengrad/nn/sequential.hpp>

// The networks of the examples and the benchmarks. They are compiled once, in networks.cpp.

namespace networks {

using namespace eigengrad;

struct MlpOptions {
  std::vector<Index> hidden_units = {100};
  std::string activation = "relu";  ///< relu, gelu or silu
  bool batch_norm = false;          ///< before each activation
  double dropout = 0.0;             ///< after each activation
  double input_dropout = 0.0;
};

/// A multi-layer perceptron on flat images: Linear, BatchNorm1d, activation, Dropout for each hidden layer, and a
/// Linear that gives the logits.
nn::Sequential<> mlp(Index inputs, Index classes, const MlpOptions& options);

struct ConvNetOptions {
  Index width = 64;      ///< channels of the first convolution; it doubles to 8 width
  double dropout = 0.0;  ///< before the last Linear
};

/// A small VGG for images of 32 x 32 pixels: eight convolutions of 3 x 3, each with BatchNorm and ReLU, and five
/// poolings that halve the image, and a Linear on the mean of what is left of it.
/// Source   Simonyan & Zisserman 2015, scaled to CIFAR-10
nn::Sequential<> convnet(Index channels, Index classes, const ConvNetOptions& options = {});

}  // namespace networks
