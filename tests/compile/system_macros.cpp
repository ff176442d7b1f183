// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The library behind the macros in lower and mixed case that headers of systems and toolkits define. They are written
// down here, as the real headers are not on every machine; those that are follow.
// The C++ library comes first: its own names are its own business.
#include <algorithm>
#include <any>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <complex>
#include <concepts>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <random>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#if __has_include(<termios.h>)
#include <termios.h>
#endif
#if __has_include(<sys/sysmacros.h>)
#include <sys/sysmacros.h>
#endif
#if __has_include(<sys/param.h>)
#include <sys/param.h>
#endif

// Windows: rpcndr.h, combaseapi.h, windef.h, minwindef.h, winbase.h, winuser.h, wingdi.h
#define small char
#define hyper long long
#define interface struct
#define near
#define far
#define pascal
#define cdecl
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define NEAR
#define FAR
#define VOID void
#define STRICT 1
#define ERROR 0
#define DELETE (0x00010000L)
#define ABSOLUTE 1
#define RELATIVE 2
#define OPAQUE 2
#define TRANSPARENT 1
#define Yield()
#define CreateEvent CreateEventA
#define CreateFile CreateFileA
#define CreateWindow CreateWindowA
#define DrawText DrawTextA
#define GetMessage GetMessageA
#define GetObject GetObjectA
#define LoadImage LoadImageA
#define SendMessage SendMessageA
#define ZeroMemory(to, length) memset((to), 0, (length))
#define CopyMemory(to, from, length) memcpy((to), (from), (length))

// X11: X.h, Xlib.h, Xutil.h. All but Success, which Eigen refuses with an #error of its own.
#define None 0L
#define Bool int
#define Status int
#define True 1
#define False 0
#define Always 2
#define WhenMapped 1
#define NotUseful 0
#define Above 0
#define Below 1
#define KeyPress 2
#define KeyRelease 3
#define FocusIn 9
#define FocusOut 10
#define Expose 12
#define Complex 0
#define Nonconvex 1
#define Convex 2
#define Unsorted 0
#define CursorShape 0
#define FontChange 255
#define StaticGray 0
#define GrayScale 1
#define StaticColor 2
#define PseudoColor 3
#define TrueColor 4
#define DirectColor 5
#define Button1 1
#define InputOutput 1
#define InputOnly 2
#define XValue 0x0001
#define YValue 0x0002
#define NoValue 0x0000
#define AllValues 0x000F

// sys/sysmacros.h and sys/param.h
#if !defined(major)
#define major(device) ((device) >> 24)
#define minor(device) ((device)&0xffffff)
#define makedev(x, y) (((x) << 24) | (y))
#endif
#if !defined(howmany)
#define howmany(x, y) (((x) + ((y)-1)) / (y))
#endif
#if !defined(roundup)
#define roundup(x, y) ((((x) + ((y)-1)) / (y)) * (y))
#endif
#if !defined(powerof2)
#define powerof2(x) ((((x)-1) & (x)) == 0)
#endif

// Apple: AssertMacros.h, MacTypes.h, objc.h
#define check(assertion)
#define check_noerr(error)
#define check_string(assertion, text)
#define verify(assertion) (void)(assertion)
#define verify_noerr(error) (void)(error)
#define verify_string(assertion, text) (void)(assertion)
#define verify_action(assertion, action) (void)(assertion)
#define require(assertion, label) (void)(assertion)
#define require_quiet(assertion, label) (void)(assertion)
#define require_noerr(error, label) (void)(error)
#define require_string(assertion, label, text) (void)(assertion)
#define require_action(assertion, label, action) (void)(assertion)
#define ncheck(assertion)
#define nverify(assertion) (void)(assertion)
#define nrequire(assertion, label) (void)(assertion)
#define debug_string(text)
#define nil nullptr
#define YES true
#define NO false

// GNU's dialects of C++, and Qt
#undef linux
#define linux 1
#undef unix
#define unix 1
#undef i386
#define i386 1
#define slots
#define signals public
#define emit
#define foreach(variable, container) for (variable : container)
#define forever for (;;)

#include <eigengrad/eigengrad.hpp>

// What was defined is as it was.
#if !defined(min) || !defined(max) || !defined(small) || !defined(check)
#error "the library took macros away"
#endif
static_assert(max(1, 2) == 2 && min(1, 2) == 1);
