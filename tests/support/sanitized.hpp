// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

// True (1) if AddressSanitizer or ThreadSanitizer has malloc in its hands.
#define EIGENGRAD_TEST_SANITIZED 0
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#undef EIGENGRAD_TEST_SANITIZED
#define EIGENGRAD_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef EIGENGRAD_TEST_SANITIZED
#define EIGENGRAD_TEST_SANITIZED 1
#endif
#endif
