// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// A layer of one's own: Swish with a learned slope, y = x sigmoid(beta x), one beta for each feature (Ramachandran,
// Zoph, Le 2017). A layer is a struct with output_shape, forward and backward; nothing is inherited and nothing
// registered. gradcheck compares its backward with differences of its forward, and then it trains as any other.

#include <cmath>
#include <iostream>
#include <string>

#include <eigengrad/eigengrad.hpp>

namespace eg = eigengrad;
namespace nn = eg::nn;

template <class T = float>
class Swish {
 public:
  explicit Swish(eg::Index features) : beta(eg::Tensor<T>::ones({features})) {}

  /// What comes out for an input of that shape; an error for one that does not fit, before anything is computed.
  eg::Shape output_shape(const eg::Shape& x) const {
    if (x.rank() == 2 && x[1] == beta.value.size(0)) return x;
    throw eg::ShapeError(eg::error_text(description(), ": input shape ", x, " does not fit"));
  }

  eg::Tensor<T> forward(eg::Tensor<T> x, eg::Mode mode) {
    x_ = remembers(mode) ? x : eg::Tensor<T>();  // a copy shares the memory; in inference nothing is kept
    return x * sigmoid(x * beta.value);          // beta has shape (F) and stands for every row
  }

  /// With s = sigmoid(beta x): dy/dx = s + beta x s (1 - s), dy/dbeta = x^2 s (1 - s).
  eg::Tensor<T> backward(eg::Tensor<T> dy) {
    const eg::Tensor<T> s = sigmoid(x_ * beta.value);
    const eg::Tensor<T> slope = x_ * s * (T(1) - s);
    beta.add_grad(sum(dy * x_ * slope, {0}));  // over the batch: each sample has used the same beta
    return dy * (s + beta.value * slope);
  }

  /// What it has learned, by name: for optimisers, files and checkpoints.
  void visit(auto&& f) { f("beta", beta); }
  std::string description() const { return eg::error_text("Swish ", beta.value.size(0)); }

  eg::Parameter<T> beta;  ///< (F)

 private:
  eg::Tensor<T> x_;  // of the last forward
};
static_assert(eg::Layer<Swish<>>);

int main() {
  // Are the derivatives right? In double, on an input of 5 samples and 3 features.
  const auto check = eg::gradcheck(Swish<double>{3}, {5, 3});
  std::cout << "gradients: " << check << '\n';

  // It learns: y = sin(3 x) on -1 ... 1.
  eg::Rng rng(1);
  const auto x = eg::Tensor<float>::rand({2000, 1}, rng, -1.0, 1.0);
  eg::Tensor<float> y(x.shape());
  for (eg::Index i = 0; i < x.size(0); ++i) y.mutable_at(i, 0) = std::sin(3.0F * x(i, 0));
  const eg::data::TensorDataset points{x, y};
  const auto [train, validation] = eg::data::split(points, {0.8, 0.2}, /*seed=*/2);

  nn::Sequential net{nn::Linear{1, 32}, Swish{32}, nn::Linear{32, 32}, Swish{32}, nn::Linear{32, 1}};
  std::cout << net.summary({1, 1});
  eg::optim::Adam adam{net.parameters(), {.learning_rate = 3e-3}};
  const auto history =
      eg::train::fit(net, nn::MSELoss{}, adam, eg::data::Loader{train, {.epochs = 40}}, validation, {.eval_freq = 500});
  for (const auto& m : history) std::cout << "step " << m.step << ": validation loss " << m.validation_loss << '\n';
  std::cout << "the slopes it has learned: " << mean(net[1].get_if<Swish<float>>()->beta.value) << " on average\n";
  return check ? 0 : 1;
}
