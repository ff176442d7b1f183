// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

namespace examples {

/// What a main function does: parses the command line, then calls `program` and returns the exit status that it gives.
/// Errors go to standard error.
template <class F>
int run_main(CLI::App& app, int argc, char** argv, const F& program) {
  try {
    app.parse(argc, argv);
    return program();
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace examples
