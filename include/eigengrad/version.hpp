// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

// The one place the version is written; CMake reads it from here.
#define EIGENGRAD_VERSION_MAJOR 0
#define EIGENGRAD_VERSION_MINOR 1
#define EIGENGRAD_VERSION_PATCH 0
