// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

// 1 if AddressSanitizer or ThreadSanitizer has malloc in its hands, else 0.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EIGENGRAD_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EIGENGRAD_TEST_SANITIZED 1
#endif
#endif
#ifndef EIGENGRAD_TEST_SANITIZED
#define EIGENGRAD_TEST_SANITIZED 0
#endif
