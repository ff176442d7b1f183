// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include <eigengrad/core/slow_build.hpp>

namespace examples {

/// What a main function does: parses the command line, then calls `program` and returns the exit status that it gives.
/// Errors go to standard error, and so does a note where the program was built to be slow.
template <class F>
int run_main(CLI::App& app, int argc, char** argv, const F& program) {
  try {
    app.parse(argc, argv);
    if (const std::string note = eigengrad::slow_build_note(); !note.empty()) std::cerr << "note: " << note << '\n';
    return program();
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace examples
