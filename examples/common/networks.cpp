// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include "common/networks.hpp"

#include <eigengrad/eigengrad.hpp>

namespace networks {

nn::Sequential<> mlp(Index inputs, Index classes, const MlpOptions& options) {
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

nn::Sequential<> convnet(Index channels, Index classes, const ConvNetOptions& options) {
  struct Stage {
    Index outputs;
    int convolutions;
  };
  const Index width = options.width;
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
  net.push_back(nn::GlobalAvgPool2d{});
  if (options.dropout > 0.0) net.push_back(nn::Dropout{{.p = options.dropout}});
  net.push_back(nn::Linear{channels, classes});
  return net;
}

}  // namespace networks
