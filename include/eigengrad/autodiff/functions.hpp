// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

// All functions on Variables.

#include <eigengrad/autodiff/arithmetic.hpp>
#include <eigengrad/autodiff/layers.hpp>
#include <eigengrad/autodiff/math.hpp>
#include <eigengrad/autodiff/matmul.hpp>
#include <eigengrad/autodiff/reduce.hpp>
#include <eigengrad/autodiff/structure.hpp>
