// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

// What the compiler is told about functions that it should not copy into each of their callers: a header-only library
// is compiled with every program that uses it, and most of that time goes where the code is large, not where it is hot.

// Before a function that is seldom called, as those that make errors: it is compiled for size and never into its
// callers, which keep to what they do often.
#if defined(__GNUC__)
#define EIGENGRAD_COLD __attribute__((noinline, cold))
#else
#define EIGENGRAD_COLD
#endif

// Before a function that may be called often, but in so many places that a call costs less than what it saves.
#if defined(__GNUC__)
#define EIGENGRAD_CALLED __attribute__((noinline))
#else
#define EIGENGRAD_CALLED
#endif

// Before a function: it is compiled once, so that whoever calls it gets the same instructions.
#if defined(__GNUC__) && !defined(__clang__)
#define EIGENGRAD_NOINLINE __attribute__((noinline, noclone))
#elif defined(__GNUC__)
#define EIGENGRAD_NOINLINE __attribute__((noinline))
#else
#define EIGENGRAD_NOINLINE
#endif
