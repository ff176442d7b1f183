// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Teaches a recurrent network to write, character by character, and shows what it writes before, while and after it
// learns. Its text, unless it is given one, is arithmetic in words, "seven times eight is fifty-six": so one sees not
// only how it learns to spell, but also how it learns to calculate.
//   char_rnn --hidden 128 --steps 2000
//   char_rnn --text a_book.txt --hidden 256 --steps 5000
//
// The same weights serve at every character, and each state comes from the one before: this network is a loop, not a
// chain of layers. With Variables it is written as that loop, and autodiff finds its way back through all rounds of it.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <eigengrad/autodiff/functions.hpp>
#include <eigengrad/eigengrad.hpp>

#include "common/corpus.hpp"
#include "common/numbers.hpp"
#include "common/run_main.hpp"

namespace {

using namespace eigengrad;
using autodiff::Variable;

struct Options {
  std::string text;
  Index hidden = 128;
  Index steps = 2000;
  Index batch = 32;
  Index window = 48;
  double learning_rate = 1e-2;
  double temperature = 0.7;
  Index length = 240;
  std::uint64_t seed = 1;
  int threads = 0;
};

/// What is learned, for a state of H numbers and V characters.
struct Weights {
  Parameter<float> embedding;   // (V, 3H): what a character tells the three parts of the cell
  Parameter<float> state;       // (3H, H): what the state tells them
  Parameter<float> state_bias;  // (3H)
  Parameter<float> output;      // (V, H)
  Parameter<float> output_bias;

  Weights(Index characters, Index hidden, Rng& rng) {
    // As PyTorch's GRU and Linear: uniform, the wider the fewer numbers a sum has.
    const auto random = [&](const Shape& shape) {
      return nn::init::weight<float>(shape, nn::init::fans({1, hidden}), nn::init::PyTorch{}, rng);
    };
    embedding.value = random({characters, 3 * hidden});
    state.value = random({3 * hidden, hidden});
    state_bias.value = random({3 * hidden});
    output.value = random({characters, hidden});
    output_bias.value = random({characters});
  }

  std::vector<Parameter<float>*> parameters() { return {&embedding, &state, &state_bias, &output, &output_bias}; }
};

/// A gated recurrent unit, with the weights as variables.
/// Source   Cho et al. 2014, with the reset gate where PyTorch's GRU has it
struct Gru {
  Variable<float> embedding, state, state_bias, output, output_bias;

  explicit Gru(Weights& w)
      : embedding(w.embedding),
        state(w.state),
        state_bias(w.state_bias),
        output(w.output),
        output_bias(w.output_bias) {}

  /// The state after one more character.
  /// Shapes   h, result (B, H); characters (B)
  Variable<float> next(const Variable<float>& h, const Tensor<Index>& characters) const {
    const Index size = h.shape()[1];
    const auto heard = take(embedding, characters);   // (B, 3H)
    const auto known = linear(h, state, state_bias);  // (B, 3H)
    const auto part = [&](const auto& v, Index first, Index last) { return slice(v, 1, first * size, last * size); };
    const auto gates = sigmoid(part(heard, 0, 2) + part(known, 0, 2));
    const auto reset = part(gates, 0, 1);  // how much of the past the proposal sees
    const auto keep = part(gates, 1, 2);   // how much of the past stays
    const auto proposal = tanh(part(heard, 2, 3) + reset * part(known, 2, 3));
    return proposal + keep * (h - proposal);
  }

  /// Scores for the character that follows.
  /// Shapes   h (..., H), result (..., V)
  Variable<float> logits(const Variable<float>& h) const { return linear(h, output, output_bias); }
};

/// Readers of the text, each at a place of its own, who learn from the next window of it in each step.
class Training {
 public:
  Training(const text::Corpus& corpus, Weights& weights, const Options& options)
      : corpus_(corpus),
        weights_(weights),
        options_(options),
        adam_(weights.parameters(), {.learning_rate = options.learning_rate}),
        state_(Tensor<float>::zeros({options.batch, options.hidden})) {}

  /// Returns the loss.
  double step() {
    const double loss = backward();
    optim::clip_grad_norm(weights_.parameters(), 1.0);
    adam_.set_learning_rate_factor(optim::CosineAnnealingLR{options_.steps, 0.05}(steps_++));
    adam_.step();
    return loss;
  }

 private:
  /// Backpropagation through time, truncated: the state goes on into the next window, its gradient does not come back.
  /// When this returns the graph is gone, and the weights can be changed in place.
  double backward() {
    const Gru gru(weights_);
    Variable<float> h = state_;
    std::vector<Variable<float>> states;
    std::vector<Tensor<Index>> labels;
    for (Index i = 0; i < options_.window; ++i) {
      h = gru.next(h, corpus_.column(options_.batch, time_++));
      states.push_back(h);
      labels.push_back(corpus_.column(options_.batch, time_));
    }
    const auto loss = softmax_cross_entropy(gru.logits(stack(states)), ops::concat(labels));
    loss.backward();
    state_ = h.detach();
    return static_cast<double>(loss.item());
  }

  const text::Corpus& corpus_;
  Weights& weights_;
  const Options& options_;
  optim::Adam<float> adam_;
  Variable<float> state_;
  Index time_ = 0;
  Index steps_ = 0;
};

/// Draws a number from each row of probabilities.
/// Shapes   probabilities (B, V), result (B)
Tensor<Index> draw(const Tensor<float>& probabilities, Rng& rng) {
  const auto p = probabilities.matrix();
  Index row = 0;
  return Tensor<Index>::generate({p.rows()}, [&] {
    double left = rng.uniform();
    Index number = 0;
    while (number + 1 < p.cols() && (left -= static_cast<double>(p(row, number))) >= 0.0) ++number;
    ++row;
    return number;
  });
}

/// Lets the network write several texts at once: it reads what it has just written. Of each text the whole lines
/// are kept, without the first, which begins with an empty state, as training hardly ever does.
std::vector<std::string> write(const text::Corpus& corpus, Weights& weights, const Options& options, Rng& rng) {
  const autodiff::NoGradGuard no_grad;
  const Gru gru(weights);
  std::vector<std::string> texts(static_cast<std::size_t>(options.batch));
  Variable<float> h = Tensor<float>::zeros({options.batch, options.hidden});
  Tensor<Index> characters = Tensor<Index>::full({options.batch}, corpus.last());
  for (Index i = 0; i < options.length; ++i) {
    h = gru.next(h, characters);
    characters = draw(softmax(gru.logits(h) / static_cast<float>(options.temperature)).value(), rng);
    for (std::size_t row = 0; row < texts.size(); ++row) texts[row] += corpus.character(characters.data()[row]);
  }
  std::transform(texts.begin(), texts.end(), texts.begin(), text::inner_lines);
  return texts;
}

void run(const Options& options) {
  Rng of_weights(options.seed, 0), of_text(options.seed, 1), of_samples(options.seed, 2);
  const auto sentences = options.text.empty() ? text::true_sentences() : std::vector<std::string>();
  const text::Corpus corpus(options.text.empty() ? text::lines(sentences, 10000, of_text) : read_file(options.text));
  std::cout << "text: " << corpus.size() << " characters, " << corpus.alphabet_size() << " different ones\n";
  Weights weights(corpus.alphabet_size(), options.hidden, of_weights);
  Training training(corpus, weights, options);
  const auto sample = [&](Index steps) {
    const auto texts = write(corpus, weights, options, of_samples);
    std::cout << "after " << steps << " steps it writes\n" << text::indented(texts[0]);
    if (sentences.empty()) return;
    const auto [right, lines] = text::count_true(texts, sentences);
    std::cout << "    " << right << " of " << lines << " lines are true\n";
  };

  sample(0);
  constexpr Index kReports = 16;
  Index step = 0;
  for (Index report = 1; report <= kReports; ++report) {
    const Index begin = step;
    double sum = 0.0;
    for (; step < options.steps * report / kReports; ++step) sum += training.step();
    if (step == begin) continue;  // fewer steps than reports
    std::cout << joined("step ", right_aligned(joined(step), 5), "  loss ",
                        to_significant(sum / static_cast<double>(step - begin)))
              << std::endl;
    if (report == 2 || report == kReports / 2 || report == kReports) sample(step);
  }
}

void add_flags(CLI::App& app, Options& options) {
  const auto add = [&](const char* name, auto& value, const char* text,
                       const examples::Bounds& bounds = examples::kAboveZero) {
    examples::add_number(app, name, value, text, bounds);
  };
  app.add_option("--text", options.text, "a file to learn from instead")->type_name("FILE");
  add("--hidden", options.hidden, "numbers in the state");
  add("--steps", options.steps, "steps of training");
  add("--batch", options.batch, "readers, and texts written at once");
  add("--window", options.window, "characters a reader sees in a step");
  add("--learning-rate", options.learning_rate, "of Adam at the start; it falls along a cosine");
  add("--temperature", options.temperature, "below 1 it writes what is likely, above 1 more freely");
  add("--length", options.length, "characters that it writes each time");
  add("--seed", options.seed, "of weights, text and samples", {});
  add("--threads", options.threads, "0: $EIGENGRAD_NUM_THREADS, else one for every processor", examples::kNotNegative);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Teaches a recurrent network to write."};
  Options options;
  add_flags(app, options);
  return examples::run_main(app, argc, argv, [&] {
    if (options.threads > 0) set_num_threads(options.threads);
    run(options);
    return 0;
  });
}
