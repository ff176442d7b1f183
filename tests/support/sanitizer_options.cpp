// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Tests ask for more memory than there is and expect an error of the library, but a sanitizer by itself ends the
// program.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
