// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <fstream>
#include <locale>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <eigengrad/core/tensor.hpp>

// Reads what tests/golden/generate.py has written: PyTorch's numbers.

namespace eigengrad::EIGENGRAD_ISA::testing {

class Golden {
 public:
  /// `name` without folder and ending; the folder is EIGENGRAD_GOLDEN_DIR.
  explicit Golden(const std::string& name) : name_(name) {
    const std::string path = std::string(EIGENGRAD_GOLDEN_DIR) + "/" + name + ".txt";
    std::ifstream in(path);
    if (!in) throw std::runtime_error(path + ": cannot be read");
    std::string head, body;
    while (std::getline(in, head) && std::getline(in, body)) {
      std::istringstream words(head), numbers(body);
      words.imbue(std::locale::classic());
      std::string tensor_name;
      words >> tensor_name;
      std::vector<Index> sizes;
      for (Index size; words >> size;) sizes.push_back(size);
      std::vector<double> values;
      for (std::string number; numbers >> number;) values.push_back(number_in(number));
      tensors_.emplace(tensor_name, Tensor<double>(Shape(sizes), std::span<const double>(values)));
    }
  }

  const std::string& name() const { return name_; }
  const Tensor<double>& operator[](const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw std::runtime_error("golden file " + name_ + " has no " + name);
    return found->second;
  }

 private:
  /// Whatever the locale of the test is.
  static double number_in(const std::string& text) {
    double number = 0.0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc() && end == text.data() + text.size()) return number;
    throw std::runtime_error("\"" + text + "\" is no number");
  }

  std::string name_;
  std::map<std::string, Tensor<double>> tensors_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::testing
