// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include "common/networks.hpp"
#include "common/options.hpp"
#include "common/run_main.hpp"

// What all trainers of CIFAR-10 share beside their flags: the choice of data, the run with its files and its report.

namespace trainer {

/// Loads or draws the data that the flags ask for, sets its normalisation and says on standard output which it is.
data::Split<data::ImageDataset<>> load_data(const Options& options);

/// Initialises and trains the network, writes the files of the run, ends with the line on the final accuracy.
void run(nn::Sequential<>& net, const data::Split<data::ImageDataset<>>& data, const Options& options);

/// The main function of a trainer: parses the command line, makes the network by make_network(image shape, classes)
/// and trains it. The result is the exit status.
template <class F>
int run_main(CLI::App& app, const Options& options, int argc, char** argv, const F& make_network) {
  return examples::run_main(app, argc, argv, [&] {
    if (options.threads > 0) set_num_threads(options.threads);
    if (options.precision == "medium") set_float32_matmul_precision(Float32MatmulPrecision::medium);
    manual_seed(options.seed);
    const auto data = load_data(options);
    nn::Sequential<> net = make_network(data.train.image_shape(), data.train.num_classes());
    run(net, data, options);
    return 0;
  });
}

}  // namespace trainer
