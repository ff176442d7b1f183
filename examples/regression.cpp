// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// From a table of measurements to a model that answers one question at a time: a CSV file is read and standardised, a
// network learns from it until it gets no better, is saved, loaded again, and serves single samples. Unless it is given
// a table, it measures a simulated arm of two links: what angular accelerations follow from its angles, velocities and
// torques?
//   regression --csv houses.csv --targets price

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <numbers>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <eigengrad/data/csv.hpp>
#include <eigengrad/eigengrad.hpp>
#include <eigengrad/io.hpp>

#include "common/numbers.hpp"
#include "common/run_main.hpp"

namespace {

namespace eg = eigengrad;
namespace data = eg::data;
namespace nn = eg::nn;
using eg::Index;
using eg::Tensor;

struct Options {
  std::string csv;
  std::vector<std::string> targets;
  std::string run_dir = "runs/regression";
  Index epochs = 200;
  int threads = 0;
};

/// Measurements of an arm of two rods of one metre with a mass of one kilogram at each end, as a table: angles in
/// radians, velocities in radians a second, torques in newton metres, and the accelerations that they cause.
std::string arm_table(Index rows) {
  constexpr double kGravity = 9.81, kPi = std::numbers::pi;
  eg::Rng rng(1);
  std::string text = "angle_1,angle_2,velocity_1,velocity_2,torque_1,torque_2,acceleration_1,acceleration_2\n";
  for (Index row = 0; row < rows; ++row) {
    const double q1 = rng.uniform(-kPi, kPi), q2 = rng.uniform(-kPi, kPi);
    const double w1 = rng.uniform(-2, 2), w2 = rng.uniform(-2, 2), t1 = rng.uniform(-20, 20), t2 = rng.uniform(-10, 10);
    // M a = t - c - g, with the matrix of inertia M, Coriolis and centrifugal torques c, and those of gravity g.
    const double m11 = 3 + 2 * std::cos(q2), m12 = 1 + std::cos(q2), m22 = 1;
    const double r1 = t1 + std::sin(q2) * (2 * w1 * w2 + w2 * w2) - kGravity * (2 * std::cos(q1) + std::cos(q1 + q2));
    const double r2 = t2 - std::sin(q2) * w1 * w1 - kGravity * std::cos(q1 + q2);
    const double determinant = m11 * m22 - m12 * m12;
    text += eg::joined(q1, ",", q2, ",", w1, ",", w2, ",", t1, ",", t2, ",", (m22 * r1 - m12 * r2) / determinant, ",",
                       (m11 * r2 - m12 * r1) / determinant, "\n");
  }
  return text;
}

nn::Sequential<> network(const data::Standardize<>& inputs, Index features, Index outputs) {
  return nn::Sequential{inputs,     nn::Linear{features, 64}, nn::ReLU{}, nn::Linear{64, 64},
                        nn::ReLU{}, nn::Linear{64, outputs}};
}

/// The median time of a prediction for a single sample, in microseconds.
double latency(nn::Sequential<>& net, const data::Standardize<>& scale, const Tensor<float>& inputs) {
  constexpr int kCalls = 20'001;
  std::vector<double> times;
  const Tensor<float> sample = eg::ops::slice(inputs, 0, 0, 1);
  for (int i = 0; i < kCalls; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const Tensor<float> answer = scale.inverse(net.predict(sample));
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + kCalls / 2, times.end());
  return times[kCalls / 2];
}

int run(Options options) {
  const std::filesystem::path folder = options.run_dir;
  std::filesystem::create_directories(folder);
  if (options.csv.empty()) {
    options.csv = (folder / "arm.csv").string();
    options.targets = {"acceleration_1", "acceleration_2"};
    eg::write_file(options.csv, arm_table(20'000));
  }

  const data::Table<float> table = data::read_csv(options.csv);
  const Tensor<float> inputs = table.columns_except(options.targets), targets = table.columns(options.targets);
  std::cout << options.csv << ": " << table.rows() << " rows, " << inputs.size(1) << " inputs, " << targets.size(1)
            << " targets\n";

  // What the figures of the training part are, the others are measured with.
  const auto parts = [&](const Tensor<float>& y) {
    return data::split(data::TensorDataset{inputs, y}, {0.8, 0.1, 0.1}, /*seed=*/1);
  };
  const auto [known, unused, unseen] = parts(targets);
  const auto all_of = [](const auto& part) {
    return data::Loader{part, {.batch_size = part.size(), .shuffle = false}}.next().value();
  };
  data::Standardize scale{known.targets()};
  const auto [train, validation, test] = parts(scale(targets));

  nn::Sequential net = network(data::Standardize{all_of(known).inputs}, inputs.size(1), targets.size(1));
  eg::optim::Adam adam{net.parameters(), {.learning_rate = 3e-3}};
  eg::train::KeepBest best{net};
  data::Loader loader{train, {.batch_size = 100, .epochs = options.epochs}};
  eg::train::fit(net, nn::MSELoss{}, adam, loader, validation,
                 {.eval_freq = loader.batches_per_epoch(),
                  .on_evaluation = {best, eg::train::ReduceLROnPlateau{adam, {.factor = 0.3, .patience = 5}},
                                    eg::train::EarlyStopping{{.patience = 20}}}});
  eg::io::save(folder / "model.safetensors", net);
  eg::io::save(folder / "targets.safetensors", scale);

  // Another program would begin here.
  nn::Sequential served = network(data::Standardize<>{inputs.size(1)}, inputs.size(1), targets.size(1));
  data::Standardize<> units{targets.size(1)};
  eg::io::load(folder / "model.safetensors", served);
  eg::io::load(folder / "targets.safetensors", units);

  const auto [questions, answers] = all_of(unseen);
  eg::train::RMSE rmse;
  eg::train::R2 r2;
  const Tensor<float> predictions = units.inverse(served.predict(questions));
  rmse.update(predictions, answers);
  r2.update(predictions, answers);
  std::cout << "best at step " << best.measurement().step << "; on " << answers.size(0)
            << " rows that it has not seen, in the units of the table:\n"
            << eg::train::to_table(rmse, r2) << "one prediction takes "
            << eg::to_general(latency(served, units, questions), 3) << " microseconds\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Learns numbers from a table, and serves single predictions.", "regression"};
  Options options;
  auto* csv = app.add_option("--csv", options.csv, "a table with names in its first line; else a simulated arm");
  csv->type_name("FILE");
  app.add_option("--targets", options.targets, "the columns to learn")->delimiter(',')->needs(csv);
  app.add_option("--run-dir", options.run_dir, "where the model goes")->type_name("DIR");
  examples::add_number(app, "--epochs", options.epochs, "at most", examples::kAboveZero);
  examples::add_number(app, "--threads", options.threads, "0: $EIGENGRAD_NUM_THREADS, else one for every processor",
                       examples::kNotNegative);
  return examples::run_main(app, argc, argv, [&] {
    if (options.threads > 0) eg::set_num_threads(options.threads);
    if (!options.csv.empty() && options.targets.empty()) throw eg::ValueError("--csv needs --targets");
    return run(options);
  });
}
