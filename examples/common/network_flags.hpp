// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "common/networks.hpp"
#include "common/run_file.hpp"

// The networks of the trainers, by their flags.

namespace trainer {

/// The flags of cifar10_mlp's network.
void add_mlp_flags(CLI::App& app, networks::MlpOptions& options);

/// A network for images of a shape (H, W, C) and a number of classes.
using MakeNetwork = std::function<eigengrad::nn::Sequential<>(const eigengrad::Shape& image, eigengrad::Index classes)>;

/// Adds the flags of a trainer's network: program is "cifar10_mlp" or "cifar10_cnn". The result makes the network that
/// they name when it is called.
/// Errors   std::invalid_argument for another program
MakeNetwork add_network_flags(CLI::App& app, const std::string& program);

/// The network of a run, as it was before its first step.
eigengrad::nn::Sequential<> make_network(const RunFile& run);

/// Command-line arguments in the order that CLI::App::parse takes them: the last one first.
std::vector<std::string> as_arguments(const Flags& flags);

}  // namespace trainer
