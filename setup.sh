#!/bin/sh
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
#
# Installs what building eigengrad needs, through the system's package manager.
#   ./setup.sh         compiler, CMake, Ninja, Eigen and the libraries of tests, examples and benchmarks
#   ./setup.sh --dev   also clang, clang-format, clang-tidy and Python for the comparison with PyTorch
# Does nothing where all is there. On a system it does not know it lists what is missing and ends with status 1.
set -eu

dev=no
for argument in "$@"; do
  case "$argument" in
    --dev) dev=yes ;;
    -h | --help) sed -n '5,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "setup.sh: unknown argument $argument; expected --dev or nothing" >&2; exit 2 ;;
  esac
done

# A program is there if it runs and is new enough for the presets; a library if a header of it can be found.
have_program() { command -v "$1" >/dev/null 2>&1; }
have_cmake() {
  have_program cmake || return 1
  version=$(cmake --version | sed -n '1s/[^0-9]*\([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  [ "${version% *}" -gt 3 ] || { [ "${version% *}" -eq 3 ] && [ "${version#* }" -ge 25 ]; }
}
have_header() {
  for root in /usr/include /usr/local/include /opt/homebrew/include; do
    [ -e "$root/$1" ] && return 0
  done
  return 1
}

# What is missing, by the name of the test; each package manager has its own names for these.
missing=""
need() { missing="$missing $1"; }
have_program c++ || need compiler
have_cmake || need cmake
have_program ninja || need ninja
have_header eigen3/Eigen/Core || need eigen
have_header gtest/gtest.h || need gtest
have_header CLI/CLI.hpp || need cli11
have_header benchmark/benchmark.h || need benchmark
have_header nlohmann/json.hpp || need json
have_header csv.h || need csv
have_header zlib.h || have_program brew || need zlib  # macOS has it
have_header stb/stb_image.h || have_program brew || need stb
if [ "$dev" = yes ]; then
  have_program clang++ || need clang
  have_program clang-format || need clang-format
  have_program clang-tidy || need clang-tidy
  have_program valgrind || need valgrind
  { have_program python3 && python3 -c 'import venv, ensurepip' >/dev/null 2>&1; } || need python
fi
if [ -z "$missing" ]; then
  echo "setup.sh: all is there"
  exit 0
fi
echo "setup.sh: missing:$missing"

debian_name() {
  case "$1" in
    compiler) echo g++ ;;
    cmake) echo cmake ;;
    ninja) echo ninja-build ;;
    eigen) echo libeigen3-dev ;;
    gtest) echo libgtest-dev ;;
    cli11) echo libcli11-dev ;;
    benchmark) echo libbenchmark-dev ;;
    json) echo nlohmann-json3-dev ;;
    csv) echo libcsv-dev ;;
    stb) echo libstb-dev ;;
    zlib) echo zlib1g-dev ;;
    clang) echo clang libclang-rt-dev ;;
    python) echo python3-venv ;;
    *) echo "$1" ;;
  esac
}
fedora_name() {
  case "$1" in
    compiler) echo gcc-c++ ;;
    ninja) echo ninja-build ;;
    eigen) echo eigen3-devel ;;
    gtest) echo gtest-devel ;;
    cli11) echo cli11-devel ;;
    benchmark) echo google-benchmark-devel ;;
    json) echo json-devel ;;
    csv) echo libcsv-devel ;;
    stb) echo stb_image-devel stb_image_resize-devel ;;
    zlib) echo zlib-devel ;;
    clang) echo clang compiler-rt ;;
    clang-format | clang-tidy) echo clang-tools-extra ;;
    python) echo python3 ;;
    *) echo "$1" ;;
  esac
}
arch_name() {
  case "$1" in
    compiler) echo gcc ;;
    benchmark) echo benchmark ;;
    json) echo nlohmann-json ;;
    csv) echo libcsv ;;
    clang | clang-format | clang-tidy) echo clang compiler-rt ;;
    *) echo "$1" ;;
  esac
}
brew_name() {
  case "$1" in
    compiler) echo llvm ;;
    gtest) echo googletest ;;
    benchmark) echo google-benchmark ;;
    json) echo nlohmann-json ;;
    csv) echo libcsv ;;
    clang | clang-tidy) echo llvm ;;
    *) echo "$1" ;;
  esac
}
packages() {
  for item in $missing; do "$1" "$item"; done | tr ' ' '\n' | sort -u | tr '\n' ' '
}

as_root=""
if [ "$(id -u)" -ne 0 ] && have_program sudo; then as_root=sudo; fi

# shellcheck disable=SC2046,SC2086  # lists of words are meant to be split
if have_program apt-get; then
  $as_root apt-get update
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(packages debian_name)
elif have_program dnf; then
  $as_root dnf install -y $(packages fedora_name)
elif have_program pacman; then
  $as_root pacman -S --needed --noconfirm $(packages arch_name)
elif have_program brew; then
  brew install $(packages brew_name)
else
  echo "setup.sh: no package manager known here (apt-get, dnf, pacman, brew). Please install:$missing" >&2
  echo "          (CMake 3.25 or newer, a C++20 compiler, Eigen 3.4 to 5, GoogleTest, CLI11, Google Benchmark," >&2
  echo "          nlohmann-json, libcsv, stb, zlib)" >&2
  exit 1
fi
if ! have_cmake; then
  echo "setup.sh: this system's CMake is older than 3.25; please install a newer one" >&2
  exit 1
fi
