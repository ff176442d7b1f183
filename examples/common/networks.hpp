// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include <eigengrad/eigengrad.hpp>

// The networks of the examples and the benchmarks.

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
inline nn::Sequential<> mlp(Index inputs, Index classes, const MlpOptions& options) {
  nn::Sequential net{nn::Flatten{}};
  if (options.input_dropout > 0.0) net.push_back(nn::Dropout{{.p = options.input_dropout}});
  for (const Index units : options.hidden_units) {
    net.push_back(nn::Linear{inputs, units, {.bias = !options.batch_norm}});
    if (options.batch_norm) net.push_back(nn::BatchNorm1d{units});
    if (options.activation == "gelu")
      net.push_back(nn::GELU{});
    else if (options.activation == "silu")
      net.push_back(nn::SiLU{});
    else
      net.push_back(nn::ReLU{});
    if (options.dropout > 0.0) net.push_back(nn::Dropout{{.p = options.dropout}});
    inputs = units;
  }
  net.push_back(nn::Linear{inputs, classes});
  return net;
}

/// A small VGG for images of 32 x 32 pixels: eight convolutions of 3 x 3, each with BatchNorm and ReLU, and five
/// poolings that halve the image. `width` is the number of channels of the first convolution; it doubles to 8 width.
/// Source   Simonyan & Zisserman 2015, scaled to CIFAR-10
inline nn::Sequential<> convnet(Index channels, Index classes, Index width = 64) {
  struct Stage {
    Index outputs;
    int convolutions;
  };
  nn::Sequential<> net;
  for (const auto& [outputs, convolutions] :
       {Stage{width, 1}, Stage{2 * width, 1}, Stage{4 * width, 2}, Stage{8 * width, 2}, Stage{8 * width, 2}}) {
    for (int i = 0; i < convolutions; ++i) {
      net.push_back(nn::Conv2d{channels, outputs, {.kernel = 3, .padding = 1}});
      net.push_back(nn::BatchNorm2d{outputs}).push_back(nn::ReLU{});
      channels = outputs;
    }
    net.push_back(nn::MaxPool2d{{.kernel = 3, .stride = 2, .padding = 1}});
  }
  net.push_back(nn::GlobalAvgPool2d{}).push_back(nn::Linear{channels, classes});
  return net;
}

}  // namespace networks
