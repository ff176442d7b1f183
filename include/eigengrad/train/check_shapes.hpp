// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/error.hpp>
#include <eigengrad/core/layer.hpp>
#include <eigengrad/data/loader.hpp>

// Does a network fit the batches that it is to be trained with? Asked before any data is touched.
//   train::check_shapes(net, loader);

namespace eigengrad::train {

/// Passes the shapes of a loader's batches through the network, the last batch of an epoch included.
/// Errors   ShapeError naming the layer that does not fit. None where the data set cannot tell its input_shape
template <class Net, class D>
void check_shapes(const Net& net, const data::Loader<D>& loader) {
  if constexpr (data::HasInputShape<D>) {
    output_shape(net, loader.dataset().input_shape(loader.batch_size()), Mode::train);
    try {
      output_shape(net, loader.dataset().input_shape(loader.last_batch_size()), Mode::train);
    } catch (const ShapeError& error) {
      throw ShapeError(
          error_text(error.what(), "; this is an epoch's last, smaller batch, which drop_last leaves out"));
    }
  }
}

}  // namespace eigengrad::train
