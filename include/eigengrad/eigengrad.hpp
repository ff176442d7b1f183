// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

// Everything but what needs more than Eigen.

#include <eigengrad/core/compiler.hpp>

// Windows defines min and max as macros unless NOMINMAX is defined. They are put aside while the headers are read.
#pragma push_macro("min")
#pragma push_macro("max")
#undef min
#undef max

#include <eigengrad/autodiff/bridge.hpp>
#include <eigengrad/autodiff/function.hpp>
#include <eigengrad/autodiff/grad.hpp>
#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/core/layer.hpp>
#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/precision.hpp>
#include <eigengrad/core/print.hpp>
#include <eigengrad/core/random.hpp>
#include <eigengrad/core/slow_build.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/data/augment.hpp>
#include <eigengrad/data/cifar10.hpp>
#include <eigengrad/data/cifar100.hpp>
#include <eigengrad/data/loader.hpp>
#include <eigengrad/data/mixup.hpp>
#include <eigengrad/data/normalize.hpp>
#include <eigengrad/data/split.hpp>
#include <eigengrad/data/standardize.hpp>
#include <eigengrad/data/synthetic.hpp>
#include <eigengrad/nn/avg_pool2d.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/conv2d.hpp>
#include <eigengrad/nn/dropout.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/gelu.hpp>
#include <eigengrad/nn/layer_norm.hpp>
#include <eigengrad/nn/leaky_relu.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/max_pool2d.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/residual.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/nn/sigmoid.hpp>
#include <eigengrad/nn/silu.hpp>
#include <eigengrad/nn/softmax.hpp>
#include <eigengrad/nn/state.hpp>
#include <eigengrad/nn/tanh.hpp>
#include <eigengrad/optim/adam.hpp>
#include <eigengrad/optim/adamw.hpp>
#include <eigengrad/optim/averaged_weights.hpp>
#include <eigengrad/optim/clip_grad.hpp>
#include <eigengrad/optim/lookahead.hpp>
#include <eigengrad/optim/multi_optimizer.hpp>
#include <eigengrad/optim/rmsprop.hpp>
#include <eigengrad/optim/schedule.hpp>
#include <eigengrad/optim/sgd.hpp>
#include <eigengrad/train/callbacks.hpp>
#include <eigengrad/train/check_shapes.hpp>
#include <eigengrad/train/checkpoint.hpp>
#include <eigengrad/train/confusion_matrix.hpp>
#include <eigengrad/train/csv_file.hpp>
#include <eigengrad/train/curves.hpp>
#include <eigengrad/train/early_stopping.hpp>
#include <eigengrad/train/evaluate.hpp>
#include <eigengrad/train/find_learning_rate.hpp>
#include <eigengrad/train/fit.hpp>
#include <eigengrad/train/keep_best.hpp>
#include <eigengrad/train/measurement.hpp>
#include <eigengrad/train/metrics.hpp>
#include <eigengrad/train/monitor.hpp>
#include <eigengrad/train/progress.hpp>
#include <eigengrad/train/reduce_lr_on_plateau.hpp>
#include <eigengrad/train/run_directory.hpp>
#include <eigengrad/train/update_bn.hpp>
#include <eigengrad/version.hpp>

#pragma pop_macro("max")
#pragma pop_macro("min")
