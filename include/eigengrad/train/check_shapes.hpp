// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include <eigengrad/core/error.hpp>
#include <eigengrad/core/layer.hpp>
#include <eigengrad/data/loader.hpp>

// Does a network fit the data that it is to be trained and measured with? Asked before the first step.
//   train::check_shapes(net, loader);
//   train::check_validation_set(net, loss, validation, 500);

namespace eigengrad::EIGENGRAD_ISA::train {

namespace detail {

/// Calls f and lets every complaint say what it is about.
template <class F>
EIGENGRAD_COLD void about(std::string_view what, const F& f) {
  try {
    f();
  } catch (const ShapeError& error) {
    throw ShapeError(error_text(error.what(), "; this is ", what));
  } catch (const ValueError& error) {
    throw ValueError(error_text(error.what(), "; this is ", what));
  }
}

/// Lets the loss look at the targets of all samples, if it can `check` and the data set says what they are. `outputs`
/// is the network's for `count` samples.
template <class L, class D>
void check_targets(const L& loss, const D& dataset, const Shape& outputs, Index count) {
  if constexpr (requires { loss.check_target(outputs, dataset.targets()); }) {
    if (outputs.rank() > 0 && outputs[0] == count)
      loss.check_target(outputs.with(0, dataset.size()), dataset.targets());
  }
}

}  // namespace detail

/// Passes the shapes of a loader's batches through the network, the last batch of an epoch included.
/// Errors   ShapeError naming the layer that does not fit. None if the data set cannot tell its input_shape
template <class Net, class D>
void check_shapes(const Net& net, const data::Loader<D>& loader) {
  if constexpr (data::HasInputShape<D>) {
    output_shape(net, loader.dataset().input_shape(loader.batch_size()), Mode::train);
    detail::about("an epoch's last, smaller batch, which drop_last leaves out",
                  [&] { output_shape(net, loader.dataset().input_shape(loader.last_batch_size()), Mode::train); });
  }
}

/// The targets of a loader's data set suit the loss. No batch is made.
/// Errors   those of the loss's `check`
template <class Net, class L, class D>
void check_training_targets(const Net& net, const L& loss, const data::Loader<D>& loader) {
  if constexpr (data::HasInputShape<D>) {
    const Index count = loader.batch_size();
    const Shape outputs = output_shape(net, loader.dataset().input_shape(count), Mode::train);
    detail::about("the training set", [&] { detail::check_targets(loss, loader.dataset(), outputs, count); });
  }
}

/// A validation set has samples, the network takes their shape in batches of that size, and its outputs and the targets
/// suit the loss. A data set that cannot tell its input_shape is asked for its first batch.
/// Errors   ValueError for a validation set without samples; ShapeError naming the layer that does not fit; those of
///          the loss's `check`
template <class Net, class L, data::Dataset D>
void check_validation_set(const Net& net, const L& loss, const D& validation, Index batch_size) {
  if (validation.size() <= 0) throw ValueError("fit: the validation set has no samples");
  const Index count = std::min(batch_size, validation.size());
  detail::about("the validation set", [&] {
    if constexpr (data::HasInputShape<D>) {
      const Shape outputs = output_shape(net, validation.input_shape(count), Mode::inference);
      if (const Index rest = validation.size() % count; rest > 0)
        output_shape(net, validation.input_shape(rest), Mode::inference);
      detail::check_targets(loss, validation, outputs, count);
    } else {
      std::vector<Index> samples(static_cast<std::size_t>(count));
      std::iota(samples.begin(), samples.end(), Index{0});
      const auto batch = data::make_batch(validation, samples, 0);
      if constexpr (requires { net.output_shape(batch.inputs.shape()); }) {
        const Shape outputs = output_shape(net, batch.inputs.shape(), Mode::inference);
        if constexpr (requires { loss.check_target(outputs, batch.targets); })
          loss.check_target(outputs, batch.targets);
      }
    }
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::train
