// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include "common/network_flags.hpp"
#include "common/options.hpp"

// What all trainers of CIFAR-10 share beside their flags: the choice of data, the run with its files and its report.

namespace trainer {

/// Loads or draws the data that the flags ask for, sets its normalisation and says on standard output which it is.
/// options.dataset becomes what was found.
data::Split<data::ImageDataset<>> load_data(Options& options);

/// The data of a run without their normalisation: those of data_dir or, if it is empty, those that the run had. Says on
/// standard output which they are.
data::Split<data::ImageDataset<>> find_data(const RunFile& run, const std::filesystem::path& data_dir);

/// Initialises and trains the network, writes the files of the run, ends with the line on the final accuracy. With
/// --resume it goes on from the last checkpoint. The result is the exit status.
int run(nn::Sequential<>& net, const data::Split<data::ImageDataset<>>& data, const Options& options,
        const RunFile& description);

/// The main function of a trainer: parses the command line, makes the network that its flags name, and trains it.
/// `init` is the default of --init as a user would type it; the name of the app says which network. The result is the
/// exit status.
int run_main(CLI::App& app, Options& options, const std::string& init, int argc, char** argv);

}  // namespace trainer
