// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

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
    for (const Index samples : {loader.batch_size(), loader.last_batch_size()}) {
      output_shape(net, loader.dataset().input_shape(samples), Mode::train);
    }
  }
}

}  // namespace eigengrad::train
