// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

// public_names INCLUDE_DIR             prints the names that each header offers, as the table of docs/names.md
// public_names INCLUDE_DIR PAGE        compares them with that page
// A name is offered if it is declared in a namespace of the library that is neither detail nor within one. Headers are
// formatted by clang-format: what stands in a namespace begins in the first column.

namespace {

namespace fs = std::filesystem;

/// "ops" for "eigengrad::EIGENGRAD_ISA::ops".
std::string short_name(std::string space) {
  space = std::regex_replace(space, std::regex("EIGENGRAD_ISA(::)?"), "");
  space = std::regex_replace(space, std::regex("^eigengrad(::)?"), "");
  while (!space.empty() && space.back() == ':') space.pop_back();
  return space;
}

/// What a line declares, or nothing.
std::string declared(const std::string& line) {
  static const std::regex type("^(?:class|struct|enum class)(?: alignas\\(\\d+\\))? (\\w+)");
  static const std::regex other("^(?:concept|using) (\\w+) =");
  static const std::regex taken("^using \\w+::(\\w+);");
  static const std::regex variable(
      "^(?:EIGENGRAD_\\w+ )?inline (?:constexpr|constinit|const) [^(]*?(\\w+)(?:\\{| =|;)");
  static const std::regex function("^[^(]*?[ *&](\\w+)\\(");
  std::smatch match;
  for (const std::regex& form : {type, other, taken, variable, function}) {
    if (std::regex_search(line, match, form)) return match[1];
  }
  return "";
}

std::vector<std::string> names_of(const fs::path& header) {
  static const std::regex opening("^(?:inline )?namespace ([\\w:]+) \\{$"), closing("^\\}  // namespace.*");
  static const std::regex constraint("^requires.*?\\) ");
  std::vector<std::string> names, spaces;
  std::ifstream file(header);
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, opening)) {
      spaces.push_back(match[1]);
      continue;
    }
    if (std::regex_match(line, closing)) {
      if (!spaces.empty()) spaces.pop_back();
      continue;
    }
    std::string space;
    for (const std::string& each : spaces) space += (space.empty() ? "" : "::") + each;
    if (space.find("detail") != std::string::npos || !space.starts_with("eigengrad")) continue;
    line = line.substr(0, line.find("  //"));
    if (line.empty() || std::string(" /}#").find(line.front()) != std::string::npos) continue;
    if (line.starts_with("static_assert") || line.find("operator") != std::string::npos) continue;
    if (line.starts_with("template") && line.ends_with('>')) continue;
    const std::string name = declared(std::regex_replace(line, constraint, ""));
    if (name.empty()) continue;
    const std::string prefix = short_name(space);
    const std::string whole = prefix.empty() ? name : prefix + "::" + name;
    if (std::find(names.begin(), names.end(), whole) == names.end()) names.push_back(whole);
  }
  return names;
}

std::string table(const fs::path& include) {
  std::vector<fs::path> headers;
  for (const auto& entry : fs::recursive_directory_iterator(include)) {
    if (entry.path().extension() == ".hpp") headers.push_back(entry.path().lexically_relative(include));
  }
  std::sort(headers.begin(), headers.end());
  std::string result = "| header | names |\n|---|---|\n";
  for (const fs::path& header : headers) {
    const std::vector<std::string> names = names_of(include / header);
    if (names.empty()) continue;
    result += "| `" + header.generic_string() + "` |";
    for (const std::string& name : names) result += (name == names.front() ? " `" : ", `") + name + '`';
    result += " |\n";
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::string expected = table(argv[1]);
  if (std::count(expected.begin(), expected.end(), '\n') < 50) {
    std::cout << "only these names were found:\n" << expected;
    return 1;
  }
  if (argc == 2) {
    std::cout << expected;
    return 0;
  }
  std::ifstream file(argv[2]);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  if (page.find(expected) != std::string::npos) return 0;
  std::cout << argv[2] << ": the table differs from the headers; expected\n\n" << expected;
  return 1;
}
