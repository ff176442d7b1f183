// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

// Files of networks and arrays. It needs nlohmann-json: link eigengrad::io.
#include <eigengrad/io/checkpoint.hpp>
#include <eigengrad/io/npy.hpp>
#include <eigengrad/io/safetensors.hpp>
