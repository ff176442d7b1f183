// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <vector>

#include <eigengrad/core/error.hpp>
#include <eigengrad/core/random.hpp>
#include <eigengrad/core/tensor.hpp>

// Text for networks that read one character after another.
//   const text::Corpus corpus(text::lines(text::true_sentences(), 10000, rng));
//   corpus.column(32, 0);                      // the first character of each of 32 readers, as numbers

namespace text {

using namespace eigengrad;

/// 0 to 100 in English.
inline std::string in_words(int number) {
  static constexpr std::array kSmall{"zero",     "one",     "two",     "three",     "four",     "five",    "six",
                                     "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
                                     "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
  static constexpr std::array kTens{"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
  const auto n = static_cast<std::size_t>(number);
  if (n < 20) return kSmall[n];
  if (n == 100) return "one hundred";
  const std::string ten = kTens[n / 10 - 2];
  return n % 10 == 0 ? ten : ten + "-" + kSmall[n % 10];
}

/// The sums, differences and products of the numbers 0 to 10: "seven times eight is fifty-six".
inline std::vector<std::string> true_sentences() {
  std::vector<std::string> sentences;
  const auto say = [&](int a, const char* operation, int b, int result) {
    sentences.push_back(in_words(a) + operation + in_words(b) + " is " + in_words(result));
  };
  for (int a = 0; a <= 10; ++a) {
    for (int b = 0; b <= 10; ++b) {
      say(a, " plus ", b, a + b);
      say(a, " times ", b, a * b);
      if (a >= b) say(a, " minus ", b, a - b);
    }
  }
  return sentences;
}

/// A text of `count` lines, each a random one of the sentences.
inline std::string lines(const std::vector<std::string>& sentences, Index count, Rng& rng) {
  const auto choices = static_cast<Index>(sentences.size());
  std::string result;
  for (Index i = 0; i < count; ++i) result += sentences[static_cast<std::size_t>(rng.below(choices))] + '\n';
  return result;
}

/// What stands between the first end of a line and the last; all of a text that has not two.
inline std::string inner_lines(const std::string& text) {
  const std::size_t first = text.find('\n');
  const std::size_t last = text.rfind('\n');
  return first == last ? text : text.substr(first + 1, last - first);
}

inline std::string indented(const std::string& text) {
  std::istringstream in(text);
  std::string result;
  for (std::string line; std::getline(in, line);) result += "    | " + line + '\n';
  return result;
}

struct Count {
  Index right = 0;
  Index all = 0;
};

/// How many of the lines of all texts are among the sentences.
inline Count count_true(const std::vector<std::string>& texts, const std::vector<std::string>& sentences) {
  Count count;
  for (const std::string& text : texts) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line); ++count.all) {
      if (std::find(sentences.begin(), sentences.end(), line) != sentences.end()) ++count.right;
    }
  }
  return count;
}

/// A text as numbers: those of its characters in its alphabet, which is the characters that occur in it.
class Corpus {
 public:
  /// Errors   ValueError for a text of less than two characters
  explicit Corpus(const std::string& text) : alphabet_(text) {
    if (text.size() < 2) throw ValueError("the text has less than two characters");
    std::sort(alphabet_.begin(), alphabet_.end());
    alphabet_.erase(std::unique(alphabet_.begin(), alphabet_.end()), alphabet_.end());
    numbers_.reserve(text.size());
    for (const char c : text)
      numbers_.push_back(std::lower_bound(alphabet_.begin(), alphabet_.end(), c) - alphabet_.begin());
  }

  Index size() const { return static_cast<Index>(numbers_.size()); }
  Index alphabet_size() const { return static_cast<Index>(alphabet_.size()); }
  char character(Index number) const { return alphabet_[static_cast<std::size_t>(number)]; }
  /// The number of the last character of the text, which is mostly the end of a line.
  Index last() const { return numbers_.back(); }

  /// What each of `readers` sees at a moment. They start at equal distances and go round.
  /// Shapes   result (readers)
  Tensor<Index> column(Index readers, Index time) const {
    Index reader = 0;
    return Tensor<Index>::generate({readers}, [&] {
      const Index position = (reader++ * size() / readers + time) % size();
      return numbers_[static_cast<std::size_t>(position)];
    });
  }

 private:
  std::string alphabet_;
  std::vector<Index> numbers_;
};

}  // namespace text
