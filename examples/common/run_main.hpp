// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include <eigengrad/core/slow_build.hpp>

#include "nearest_flag.hpp"
#include "standard_output.hpp"

namespace examples {

/// What a main function does: parses the command line, then calls `program` and returns the exit status that it gives.
/// Errors go to standard error, and so does a note if the program was built to be slow. What cannot be written to
/// standard output is an error too, once the program has done its work.
template <class F>
int run_main(CLI::App& app, int argc, char** argv, const F& program) {
  StandardOutput output;
  int status = 1;
  try {
    app.parse(argc, argv);
    if (const std::string note = eigengrad::slow_build_note(); !note.empty()) std::cerr << "note: " << note << '\n';
    status = program();
  } catch (const CLI::ExtrasError& error) {
    status = app.exit(extras_error(app, error));
  } catch (const CLI::ParseError& error) {
    status = app.exit(error);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
  }
  if (const std::string problem = output.problem(); !problem.empty()) {
    std::cerr << "error: standard output cannot be written: " << problem << '\n';
    if (status == 0) status = 1;
  }
  return status;
}

}  // namespace examples
