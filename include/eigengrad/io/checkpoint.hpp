// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <eigengrad/io/safetensors.hpp>
#include <eigengrad/train/checkpoint.hpp>

// Checkpoints in files of the safetensors format: the network's tensors as "network.0.weight", the optimiser's as
// "optimizer.0.weight.exp_avg", those of an optimiser inside of it as "optimizer[0].0.weight.exp_avg", and everything
// else as JSON in the metadata "checkpoint".
//   io::save_checkpoint("runs/checkpoint.safetensors", checkpoint, {.keep = 3});
//   const train::Checkpoint<> checkpoint = io::load_checkpoint("runs/checkpoint.safetensors");

namespace eigengrad::EIGENGRAD_ISA::io {

struct SaveCheckpointOptions {
  Index keep = 1;  ///< files that stay: with 3, checkpoint.safetensors and before it checkpoint-1 and checkpoint-2
};

namespace detail {

inline constexpr std::string_view kOfNetwork = "network";
inline constexpr std::string_view kOfOptimizer = "optimizer";
/// Optimisers inside of optimisers inside of ...: no program has more, but a file may say so.
inline constexpr int kMostNested = 16;

using Json = nlohmann::json;

/// JSON knows no infinity and no NaN.
inline Json number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0.0 ? "inf" : "-inf";
  return value;
}

/// The values of JSON by name, as what they should be.
/// Errors   ValueError naming the value that is missing or is something else
class JsonReader {
 public:
  JsonReader(const Json& json, std::string place) : json_(json), place_(std::move(place)) {}

  bool has(std::string_view name) const { return json_.is_object() && json_.contains(name); }
  JsonReader operator[](std::string_view name) const {
    if (!has(name)) throw ValueError(joined(place_, " has no ", name));
    return {json_.at(std::string(name)), joined(place_, ".", name)};
  }
  JsonReader operator[](std::size_t i) const {
    if (!json_.is_array() || i >= json_.size()) throw ValueError(joined(place_, " has no element ", i));
    return {json_[i], joined(place_, "[", i, "]")};
  }
  std::size_t size() const { return json_.is_array() ? json_.size() : 0; }
  bool contains(std::string_view name) const { return json_.is_object() && json_.contains(name); }

  double number() const {
    if (json_ == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (json_ == "inf" || json_ == "-inf")
      return (json_ == "inf" ? 1.0 : -1.0) * std::numeric_limits<double>::infinity();
    if (!json_.is_number()) throw expected("a number");
    return json_.get<double>();
  }
  std::uint64_t count() const {
    if (!json_.is_number_unsigned()) throw expected("a whole number of 0 or more");
    return json_.get<std::uint64_t>();
  }
  Index index() const {
    if (count() > static_cast<std::uint64_t>(std::numeric_limits<Index>::max())) throw expected("a smaller number");
    return static_cast<Index>(count());
  }
  bool flag() const {
    if (!json_.is_boolean()) throw expected("true or false");
    return json_.get<bool>();
  }
  std::string text() const {
    if (!json_.is_string()) throw expected("a text");
    return json_.get<std::string>();
  }
  /// Calls f(name, value) for each value.
  template <class F>
  void for_each(const F& f) const {
    if (!json_.is_object()) throw expected("values by name");
    for (const auto& [name, value] : json_.items()) f(name, JsonReader(value, joined(place_, ".", name)));
  }

 private:
  ValueError expected(std::string_view what) const {
    return ValueError(joined(place_, " is ", json_.type_name(), ", expected ", what));
  }

  const Json& json_;
  std::string place_;
};

inline Json to_json(const train::Course& course) {
  Json history = Json::array();
  for (const train::Measurement& m : course.history) {
    history.push_back(
        {m.step, number(m.train_loss), number(m.validation_loss), number(m.validation_accuracy), number(m.seconds)});
  }
  return {{"step", course.step},
          {"loss_sum", number(course.loss_sum)},
          {"samples", number(course.samples)},
          {"seconds", number(course.seconds)},
          {"history", history}};
}
inline train::Course course_of(const JsonReader& json) {
  train::Course course{.step = json["step"].index(),
                       .loss_sum = json["loss_sum"].number(),
                       .samples = json["samples"].number(),
                       .seconds = json["seconds"].number(),
                       .history = {}};
  const JsonReader history = json["history"];
  for (std::size_t i = 0; i < history.size(); ++i) {
    const JsonReader m = history[i];
    course.history.push_back({m[0].index(), m[1].number(), m[2].number(), m[3].number(), m[4].number()});
  }
  return course;
}

inline Json to_json(const data::LoaderState& loader) {
  return {{"epoch", loader.epoch},           {"batch", loader.batch},
          {"last_epoch", loader.last_epoch}, {"samples", loader.samples},
          {"batch_size", loader.batch_size}, {"shuffle", loader.shuffle},
          {"drop_last", loader.drop_last},   {"seed", loader.seed},
          {"sampler", loader.sampler}};
}
inline data::LoaderState loader_state_of(const JsonReader& json) {
  return {.epoch = json["epoch"].index(),
          .batch = json["batch"].index(),
          .last_epoch = json["last_epoch"].index(),
          .samples = json["samples"].index(),
          .batch_size = json["batch_size"].index(),
          .shuffle = json["shuffle"].flag(),
          .drop_last = json["drop_last"].flag(),
          .seed = json["seed"].count(),
          .sampler = json.has("sampler") ? json["sampler"].count() : 0};  // older checkpoints know of none
}

template <class T>
Json to_json(const optim::OptimizerState<T>& optimizer) {
  Json steps = Json::object();
  for (const auto& [name, count] : optimizer.steps) steps[name] = count;
  Json json{{"name", optimizer.optimizer},
            {"learning_rate", number(optimizer.learning_rate)},
            {"learning_rate_factor", number(optimizer.learning_rate_factor)},
            {"steps", steps}};
  for (const auto& part : optimizer.parts) json["parts"].push_back(to_json(part));
  return json;
}
template <class T>
optim::OptimizerState<T> optimizer_state_of(const JsonReader& json, int depth = 0) {
  if (depth > kMostNested) throw ValueError("checkpoint: optimizers are nested too deeply");
  optim::OptimizerState<T> state;
  state.optimizer = json["name"].text();
  state.learning_rate = json["learning_rate"].number();
  state.learning_rate_factor = json["learning_rate_factor"].number();
  json["steps"].for_each([&](const std::string& name, const JsonReader& count) { state.steps[name] = count.index(); });
  if (!json.contains("parts")) return state;
  const JsonReader parts = json["parts"];
  for (std::size_t i = 0; i < parts.size(); ++i) state.parts.push_back(optimizer_state_of<T>(parts[i], depth + 1));
  return state;
}

/// Calls f(name, state) for an optimiser's state, and for those of the optimisers inside: "optimizer[0]".
template <class State, class F>
void for_each_optimizer(const std::string& name, State& state, const F& f) {
  f(name, state);
  for (std::size_t i = 0; i < state.parts.size(); ++i) for_each_optimizer(joined(name, "[", i, "]"), state.parts[i], f);
}

/// All of a checkpoint but its tensors.
template <class T>
std::string print_checkpoint(const train::Checkpoint<T>& checkpoint) {
  Json random = Json::object();
  for (const auto& [name, stream] : checkpoint.random_streams) random[name] = {stream.seed, stream.stream, stream.pass};
  const Json json{{"course", to_json(checkpoint.course)},
                  {"loader", to_json(checkpoint.loader)},
                  {"random_streams", random},
                  {"optimizer", to_json(checkpoint.optimizer)}};
  return json.dump();
}

template <class T>
void parse_checkpoint(const std::string& text, train::Checkpoint<T>& checkpoint) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const JsonReader reader(json, "checkpoint");
  checkpoint.course = course_of(reader["course"]);
  checkpoint.loader = loader_state_of(reader["loader"]);
  reader["random_streams"].for_each([&](const std::string& name, const JsonReader& stream) {
    checkpoint.random_streams[name] = {stream[0].count(), stream[1].count(), stream[2].count()};
  });
  checkpoint.optimizer = optimizer_state_of<T>(reader["optimizer"]);
}

/// "checkpoint.safetensors" is followed by "checkpoint-1.safetensors", and so on to older ones.
inline std::filesystem::path older(const std::filesystem::path& path, Index age) {
  if (age == 0) return path;
  return path.parent_path() / joined(path.stem().string(), "-", age, path.extension().string());
}

/// Moves each file one on, and leaves the newest in its place as well, until the next takes it.
inline void keep_older(const std::filesystem::path& path, Index keep) {
  namespace fs = std::filesystem;
  std::error_code problem;
  if (keep < 2 || !fs::exists(path, problem)) return;
  for (Index age = keep - 1; age > 1 && !problem; --age) {
    if (fs::exists(older(path, age - 1), problem)) fs::rename(older(path, age - 1), older(path, age), problem);
  }
  const fs::path newest = older(path, 1), beside = unfinished(newest);
  fs::remove(beside, problem);
  fs::create_hard_link(path, beside, problem);
  if (problem) fs::copy_file(path, beside, problem);  // a file system without links
  if (!problem) fs::rename(beside, newest, problem);
  if (problem) throw IoError(newest.string(), with_reason("cannot be written", problem.value()));
  fs::remove(beside, problem);  // if both were one file already, renaming has left it
}

}  // namespace detail

/// Writes a checkpoint. The file is whole or not there: it is written beside its place, flushed to the disk, and takes
/// the name. So whatever ends the program, and at any moment, leaves the last whole one.
/// Errors   as save_state; IoError if an older one cannot be kept; ValueError for a keep below 1
template <Element T>
void save_checkpoint(const std::filesystem::path& path, const train::Checkpoint<T>& checkpoint,
                     const SaveCheckpointOptions& options = {}) {
  eigengrad::detail::check::above_zero("save_checkpoint", "keep", options.keep);
  nn::State<T> tensors;
  for (const auto& [name, tensor] : checkpoint.network) tensors.emplace(joined(detail::kOfNetwork, ".", name), tensor);
  detail::for_each_optimizer(std::string(detail::kOfOptimizer), checkpoint.optimizer,
                             [&](const std::string& optimizer, const auto& state) {
                               for (const auto& [name, tensor] : state.tensors)
                                 tensors.emplace(joined(optimizer, ".", name), tensor);
                             });
  detail::keep_older(path, options.keep);
  save_state(path, tensors, {{"checkpoint", detail::print_checkpoint(checkpoint)}});
}

/// Reads a checkpoint.
/// Errors   IoError naming the file and what is wrong
template <Element T = float>
train::Checkpoint<T> load_checkpoint(const std::filesystem::path& path) {
  train::Checkpoint<T> checkpoint;
  detail::SafetensorsReader reader(path);
  const auto text = reader.header().metadata.find("checkpoint");
  if (text == reader.header().metadata.end()) throw IoError(path.string(), "is no checkpoint");
  try {
    detail::parse_checkpoint(text->second, checkpoint);
  } catch (const ValueError& error) {
    throw IoError(path.string(), error.what());
  }
  for (const auto& tensor : reader.header().tensors) reader.template check_type<T>(tensor, /*conversion=*/false);
  std::map<std::string, nn::State<T>*, std::less<>> owners{{std::string(detail::kOfNetwork), &checkpoint.network}};
  detail::for_each_optimizer(std::string(detail::kOfOptimizer), checkpoint.optimizer,
                             [&](const std::string& name, auto& state) { owners.emplace(name, &state.tensors); });
  for (const auto& tensor : reader.header().tensors) {
    const std::string_view name = tensor.name;
    const std::size_t dot = std::min(name.find('.'), name.size() - 1);
    const auto owner = owners.find(name.substr(0, dot));
    if (owner == owners.end())
      throw IoError(path.string(), joined("tensor ", name, " is neither of a network nor of an optimizer"));
    reader.read(tensor, (*owner->second)[std::string(name.substr(dot + 1))]);
  }
  return checkpoint;
}

}  // namespace eigengrad::EIGENGRAD_ISA::io
