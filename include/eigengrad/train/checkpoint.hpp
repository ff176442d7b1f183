// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include <eigengrad/data/loader.hpp>
#include <eigengrad/nn/state.hpp>
#include <eigengrad/optim/optimizer_state.hpp>
#include <eigengrad/train/fit.hpp>

// Checkpoints: a run that is stopped at any step and goes on ends with the same bits as one that is not.
//   const auto write = [](const train::Checkpoint<>& c) { io::save_checkpoint("runs/checkpoint.safetensors", c); };
//   train::fit(net, loss, adam, loader, validation, {.max_steps = 5000}, train::Checkpoints<>{.save = write});
// and later, with network, optimiser and loader built in the same way:
//   train::fit(net, loss, adam, loader, validation, {.max_steps = 5000},
//              train::Checkpoints<>{.resume = io::load_checkpoint("runs/checkpoint.safetensors"), .save = write});

namespace eigengrad::EIGENGRAD_ISA::train {

/// All that a run needs to go on. A schedule is a function of the step, augmentation one of seed, epoch and sample:
/// they have no state of their own. The tensors share their memory with the network's until the next step.
template <class T = float>
struct Checkpoint {
  nn::State<T> network;
  nn::RandomStreams random_streams;  ///< of its Dropouts
  optim::OptimizerState<T> optimizer;
  data::LoaderState loader;  ///< at the batch of the next step
  Course course;
};

/// What a run has come to, for loops of one's own: at_batch is the loader's state() before the batch of the next step.
template <class Net, class Optimizer>
Checkpoint<scalar_of<Net>> make_checkpoint(Net& net, const Optimizer& optimizer, const data::LoaderState& at_batch,
                                           const Course& course) {
  return {nn::state(net), nn::random_streams(net), optimizer.state(net), at_batch, course};
}

/// Brings network, optimiser and loader to where a checkpoint was made. They stay in their places.
/// Errors   those of nn::load_state, nn::load_random_streams, Optimizer::load_state and Loader::load_state; nothing has
///          then changed
template <class Net, class Optimizer, class D>
void restore(const Checkpoint<scalar_of<Net>>& checkpoint, Net& net, Optimizer& optimizer, data::Loader<D>& loader) {
  const Checkpoint<scalar_of<Net>> before = make_checkpoint(net, optimizer, loader.state(), {});
  try {
    nn::load_state(net, checkpoint.network);
    nn::load_random_streams(net, checkpoint.random_streams);
    optimizer.load_state(net, checkpoint.optimizer);
    loader.load_state(checkpoint.loader);
  } catch (...) {
    nn::load_state(net, before.network);
    nn::load_random_streams(net, before.random_streams);
    optimizer.load_state(net, before.optimizer);
    throw;
  }
}

/// What fit does about checkpoints. The last step is always followed by one, and so is the one after which
/// a callback has ended the run.
template <class T = float>
struct Checkpoints {
  std::optional<Checkpoint<T>> resume = {};             ///< where to go on; empty for a new run
  Index freq = 0;                                       ///< steps between checkpoints; 0 for one after each evaluation
  std::function<void(const Checkpoint<T>&)> save = {};  ///< takes a checkpoint, after FitOptions::on_evaluation

  // The rest is what fit calls.

  template <class Net, class Optimizer, class D>
  void begin(Net& net, Optimizer& optimizer, data::Loader<D>& loader, Course& course) {
    static_assert(
        requires { optimizer.load_state(net, optimizer.state(net)); },
        "an optimiser without state(net) and load_state(net, state) has no checkpoints");
    eigengrad::detail::check::at_least("Checkpoints", "freq", freq, Index{0});
    if (!resume) return;
    restore(*resume, net, optimizer, loader);
    course = std::move(resume->course);
    resume.reset();  // its memory
  }

  bool is_due(Index step, bool evaluated) const { return freq == 0 ? evaluated : step % freq == 0; }

  template <class Net, class Optimizer>
  void write(Net& net, const Optimizer& optimizer, const data::LoaderState& at_batch, const Course& course) const {
    if (save) save(make_checkpoint(net, optimizer, at_batch, course));
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::train
