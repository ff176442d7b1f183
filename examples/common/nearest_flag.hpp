// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <eigengrad/core/edit_distance.hpp>

// What may be meant by a flag that a program does not have: one with a similar name, or with the name that stands for
// what other programs call so.
//   examples::nearest_flag("--lr", {"learning-rate", "seed"});   // "--learning-rate"

namespace examples {

namespace detail {

/// What the field calls a flag, and its names in these programs: the first that a program has is meant.
struct Alias {
  std::string_view name;
  std::vector<std::string_view> flags;
};
inline const std::vector<Alias>& aliases() {
  static const std::vector<Alias> list = {{"lr", {"learning-rate"}},
                                          {"rate", {"learning-rate"}},
                                          {"bs", {"batch-size", "batch"}},
                                          {"batch", {"batch-size"}},
                                          {"batch-size", {"batch"}},
                                          {"wd", {"weight-decay"}},
                                          {"l2", {"weight-decay"}},
                                          {"epoch", {"epochs", "max-steps", "steps"}},
                                          {"epochs", {"max-steps", "steps"}},
                                          {"num-epochs", {"epochs", "max-steps", "steps"}},
                                          {"steps", {"max-steps"}},
                                          {"max-steps", {"steps"}},
                                          {"iterations", {"max-steps", "steps"}},
                                          {"max-iter", {"max-steps", "steps"}},
                                          {"hidden", {"hidden-units"}},
                                          {"hidden-size", {"hidden-units", "hidden"}},
                                          {"layers", {"hidden-units"}},
                                          {"opt", {"optimizer"}},
                                          {"optim", {"optimizer"}},
                                          {"act", {"activation"}},
                                          {"bn", {"batch-norm"}},
                                          {"clip", {"clip-grad-norm"}},
                                          {"grad-clip", {"clip-grad-norm"}},
                                          {"max-grad-norm", {"clip-grad-norm"}},
                                          {"max-norm", {"clip-grad-norm"}},
                                          {"gamma", {"step-gamma"}},
                                          {"warmup", {"warmup-steps"}},
                                          {"smoothing", {"label-smoothing"}},
                                          {"scheduler", {"schedule"}},
                                          {"lr-schedule", {"schedule"}},
                                          {"lr-scheduler", {"schedule"}},
                                          {"aug", {"augment"}},
                                          {"augmentation", {"augment"}},
                                          {"data", {"data-dir", "text"}},
                                          {"data-root", {"data-dir"}},
                                          {"root", {"data-dir"}},
                                          {"out", {"run-dir"}},
                                          {"output", {"run-dir"}},
                                          {"output-dir", {"run-dir"}},
                                          {"log-dir", {"run-dir"}},
                                          {"save-dir", {"run-dir"}},
                                          {"eval-every", {"eval-freq"}},
                                          {"eval-interval", {"eval-freq"}},
                                          {"checkpoint-freq", {"checkpoint-every"}},
                                          {"save-every", {"checkpoint-every"}},
                                          {"num-threads", {"threads"}},
                                          {"jobs", {"threads"}},
                                          {"workers", {"threads"}},
                                          {"num-workers", {"threads"}},
                                          {"force", {"overwrite"}}};
  return list;
}

/// "--Learning_Rate=0.1" as "learning-rate".
inline std::string flag_name(const std::string& argument) {
  std::string name = argument.substr(0, argument.find('='));
  name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
  for (char& c : name) c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

/// True for what begins with a dash and is no negative number.
inline bool looks_like_flag(const std::string& argument) {
  const std::string name = flag_name(argument);
  return argument.starts_with('-') && !name.empty() && name[0] != '.' && (name[0] < '0' || name[0] > '9');
}

}  // namespace detail

/// The flag, "--" and one of the given names, that is meant by an argument: by what the field calls it; else the name
/// that differs in the fewest letters, at most a third of them; else the only one that begins so. Nothing if no name is
/// near.
inline std::string nearest_flag(const std::string& argument, const std::vector<std::string>& names) {
  const std::string name = detail::flag_name(argument);
  const auto has = [&](std::string_view flag) { return std::find(names.begin(), names.end(), flag) != names.end(); };
  if (has(name)) return "--" + name;  // with other dashes or capitals
  for (const detail::Alias& alias : detail::aliases()) {
    if (alias.name != name) continue;
    for (const std::string_view flag : alias.flags) {
      if (has(flag)) return "--" + std::string(flag);
    }
  }
  std::pair<std::size_t, std::string> best{std::max<std::size_t>(1, name.size() / 3) + 1, ""};
  std::vector<std::string> begin_so;
  for (const std::string& flag : names) {
    best = std::min(best, {eigengrad::edit_distance(name, flag), flag});
    if (name.size() > 1 && flag.starts_with(name)) begin_so.push_back(flag);
  }
  if (!best.second.empty()) return "--" + best.second;
  return begin_so.size() == 1 ? "--" + begin_so.front() : "";
}

/// The error for the arguments that a command line has left over: for each flag among them a line that names the
/// nearest one that the program has.
inline CLI::ParseError extras_error(const CLI::App& app, const CLI::ExtrasError& error) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    const std::vector<std::string>& all = option->get_lnames();
    names.insert(names.end(), all.begin(), all.end());
  }
  std::string text;
  for (const std::string& argument : app.remaining()) {
    if (!detail::looks_like_flag(argument)) continue;
    const std::string nearest = nearest_flag(argument, names);
    text += (text.empty() ? "" : "\n") + argument.substr(0, argument.find('=')) + ": is no flag of this program";
    if (!nearest.empty()) text += "; did you mean " + nearest + "?";
  }
  return {text.empty() ? error.what() : text, error.get_exit_code()};
}

}  // namespace examples
