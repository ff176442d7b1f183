// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/eigengrad.hpp>

#include "support/matmul_precision.hpp"

// What products in bfloat16 do to the training of a ConvNet, on a processor that has them. On others the runs that are
// compared are the same.

namespace eigengrad::EIGENGRAD_ISA::train {
namespace {

using testing::MatmulPrecisionScope;
using enum Float32MatmulPrecision;

/// A convolution by matrix products; the automatic choice is mostly Winograd's algorithm, which stays float32.
nn::Conv2d<> make_conv(Index inputs, Index outputs) {
  return nn::Conv2d{inputs, outputs, {.kernel = 3, .padding = 1, .bias = false, .algorithm = Conv2dAlgorithm::im2col}};
}

/// The same in float32 on rounded numbers.
class RoundedConv2d {
 public:
  RoundedConv2d(Index inputs, Index outputs) : exact_(make_conv(inputs, outputs)), rounded_(exact_) {}

  Shape output_shape(const Shape& x) const { return exact_.output_shape(x); }
  Tensor<float> forward(Tensor<float> x, Mode mode) {
    rounded_.weight.value = round(exact_.weight.value);
    return rounded_.forward(round(std::move(x)), mode);
  }
  Tensor<float> backward(Tensor<float> dy) {
    Tensor<float> dx = rounded_.backward(round(std::move(dy)));
    exact_.weight.add_grad(rounded_.weight.grad);
    rounded_.weight.zero_grad();
    return dx;
  }
  void visit(auto&& f) { f("weight", exact_.weight); }

 private:
  static Tensor<float> round(Tensor<float> x) {
    if (!ops::detail::kHasBf16) return x;
    for (float& element : x.mutable_span()) element = testing::in_bf16(element);
    return x;
  }

  nn::Conv2d<> exact_;
  nn::Conv2d<> rounded_;
};

/// The ConvNet of examples/cifar10_cnn at small width; or a smooth one, without ReLU and max pooling.
template <class MakeConv>
nn::Sequential<> make_convnet(const MakeConv& make, bool smooth = false) {
  manual_seed(3);
  nn::Sequential<> net;
  Index channels = 3;
  const Index widths[] = {8, 16, 32, 32, 64, 64, 64, 64};
  for (int i = 0; i < 8; ++i) {
    net.push_back(make(channels, widths[i])).push_back(nn::BatchNorm2d{widths[i]});
    channels = widths[i];
    const bool pool = i == 0 || i % 2 == 1;
    if (smooth) {
      net.push_back(nn::SiLU{});
      if (pool) net.push_back(nn::AvgPool2d{{.kernel = 2, .stride = 2}});
    } else {
      net.push_back(nn::ReLU{});
      if (pool) net.push_back(nn::MaxPool2d{{.kernel = 3, .stride = 2, .padding = 1}});
    }
  }
  return net.push_back(nn::GlobalAvgPool2d{}).push_back(nn::Linear{channels, 10});
}

data::ImageDataset<> make_images() {
  auto split = data::synthetic_cifar10(5, {.train = 640, .test = 10});
  data::normalize_channels(split);
  return split.train;
}

/// The losses of 50 steps.
std::vector<double> losses(const data::ImageDataset<>& images, Float32MatmulPrecision precision) {
  const MatmulPrecisionScope scope(precision);
  nn::Sequential<> net = make_convnet(make_conv);
  optim::Adam adam{net.parameters(), {.learning_rate = 2e-3}};
  nn::SoftmaxCrossEntropy loss;
  std::vector<double> values;
  for (const auto& [inputs, labels] : data::Loader{images, {.batch_size = 64, .epochs = 5, .seed = 1}}) {
    values.push_back(static_cast<double>(loss.forward(net.forward(inputs), labels)));
    net.backward_parameters(loss.backward());
    adam.step();
  }
  return values;
}

/// The mean of ten losses from the given step on.
double mean(const std::vector<double>& losses, std::size_t begin) {
  double sum = 0.0;
  for (std::size_t i = begin; i < begin + 10; ++i) sum += losses[i];
  return sum / 10.0;
}

TEST(MediumPrecision, TheLossGoesDownAsInFloat32) {
  const auto images = make_images();
  const auto exact = losses(images, highest);
  const auto rounded = losses(images, medium);
  ASSERT_EQ(exact.size(), 50U);
  EXPECT_EQ(rounded == exact, !ops::detail::kHasBf16);
  // The first loss tells of one forward; seen is 0.002. Adam's first steps go by the signs of the gradients, some of
  // which the rounding turns: seen are 0.026 at the third loss, and 0.04 for the means.
  EXPECT_NEAR(rounded[0], exact[0], 0.005);
  for (std::size_t i = 1; i < 3; ++i) EXPECT_NEAR(rounded[i], exact[i], 0.05) << "step " << i;
  for (std::size_t i = 0; i < 50; i += 10) EXPECT_NEAR(mean(rounded, i), mean(exact, i), 0.15) << "from step " << i;
  EXPECT_LT(mean(exact, 40), 0.5 * mean(exact, 0));
  EXPECT_LT(mean(rounded, 40), 0.5 * mean(rounded, 0));
}

/// The gradients of one step.
std::vector<Tensor<float>> gradients(nn::Sequential<> net, const data::ImageDataset<>& images,
                                     Float32MatmulPrecision precision) {
  const MatmulPrecisionScope scope(precision);
  nn::SoftmaxCrossEntropy loss;
  data::Loader loader{images, {.batch_size = 64, .seed = 1}};
  const auto batch = loader.next();
  loss.forward(net.forward(batch->inputs), batch->targets);
  net.backward_parameters(loss.backward());
  std::vector<Tensor<float>> result;
  for (const Parameter<float>* parameter : net.parameters()) result.push_back(parameter->grad);
  return result;
}

/// The norm of the difference of all gradients, relative to that of the second ones.
double difference(const std::vector<Tensor<float>>& got, const std::vector<Tensor<float>>& expected) {
  if (got.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double error = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    error += static_cast<double>((got[i].array() - expected[i].array()).square().sum());
    norm += static_cast<double>(expected[i].array().square().sum());
  }
  return std::sqrt(error / norm);
}

TEST(MediumPrecision, GradientsOfASmoothNetworkAreThoseOfFloat32) {
  const auto images = make_images();
  const auto exact = gradients(make_convnet(make_conv, /*smooth=*/true), images, highest);
  const auto rounded = gradients(make_convnet(make_conv, /*smooth=*/true), images, medium);
  EXPECT_LT(difference(rounded, exact), 0.02);  // seen is 0.011
  EXPECT_EQ(difference(rounded, exact) > 0.0, ops::detail::kHasBf16);
}

/// With ReLU and max pooling the gradients differ from those of float32 by a fifth of their norm: where two numbers are
/// as good as equal the rounding decides which way a gradient goes. So they are compared with a network that rounds in
/// the same places.
TEST(MediumPrecision, GradientsAreThoseOfRoundedNumbers) {
  const auto images = make_images();
  const auto make_rounded = [](Index inputs, Index outputs) { return RoundedConv2d(inputs, outputs); };
  const auto expected = gradients(make_convnet(make_rounded), images, highest);
  const auto rounded = gradients(make_convnet(make_conv), images, medium);
  EXPECT_LT(difference(rounded, expected), 0.02);  // seen is 0.005
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::train
