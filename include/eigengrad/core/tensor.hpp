// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <Eigen/Core>

#include <eigengrad/core/memory.hpp>
#include <eigengrad/core/random.hpp>
#include <eigengrad/core/shape.hpp>

// Tensor: a value that is cheap to copy.
//   Tensor<float> x = Tensor<float>::zeros({200, 3072});
//   x.mutable_matrix().row(0).setOnes();
//   Tensor<float> y = x;          // shares the memory
//   y.mutable_data()[0] = 5;      // y gets memory of its own first; x is as it was
// Reading is `data()`, `matrix()`, `array()`; writing is `mutable_data()` and so on. The two have two names
// because a write may copy: take a writable pointer once, before a parallel loop, never inside it.

namespace eigengrad::EIGENGRAD_ISA {

static_assert(
    std::is_same_v<Eigen::Index, Index>,
    "eigengrad sees its memory through Eigen's matrices, whose sizes need all bits of std::ptrdiff_t: compile "
    "without EIGEN_DEFAULT_DENSE_INDEX_TYPE");

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using MatrixMap = Eigen::Map<Matrix<T>, Eigen::Aligned64>;
template <class T>
using ConstMatrixMap = Eigen::Map<const Matrix<T>, Eigen::Aligned64>;
template <class T>
using ArrayMap = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>, Eigen::Aligned64>;
template <class T>
using ConstArrayMap = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>, Eigen::Aligned64>;

namespace detail {

/// The block for elements of the given size, under a shape.
/// Errors   ShapeError for more bytes than a processor can address, MemoryError if the system has not so many
EIGENGRAD_CALLED inline BlockPtr block_of(const Shape& shape, std::size_t element_size) {
  constexpr std::size_t kMostBytes = kLargestIndex >> (sizeof(Index) > 4 ? 16 : 0);
  const auto count = static_cast<std::size_t>(shape.numel());
  if (count > kMostBytes / element_size) throw ShapeError("Tensor: shape " + to_string(shape) + " is too large");
  if (count == 0) return {};
  try {
    return BlockPtr(count * element_size);
  } catch (const std::bad_alloc&) {
    throw MemoryError(error_text("Tensor: no memory for shape ", shape, ", ", count * element_size, " bytes"));
  }
}

/// A block of its own with the same elements.
EIGENGRAD_CALLED inline BlockPtr copy_of(const BlockPtr& block, const Shape& shape, std::size_t element_size) {
  BlockPtr copy = block_of(shape, element_size);
  std::memcpy(copy.payload(), block.payload(), static_cast<std::size_t>(shape.numel()) * element_size);
  return copy;
}

}  // namespace detail

namespace ops {

/// Lets the functions of ops/ be found by their arguments: exp(x), sum(x).
struct FoundByArgument {};

}  // namespace ops

/// A row-major array of rank 0 to 6 on 64-byte-aligned memory, shared between copies until one is written to.
template <class T>
class Tensor : private ops::FoundByArgument {
  static_assert(std::is_trivially_copyable_v<T>, "the elements of a Tensor are numbers");

 public:
  using Scalar = T;

  /// No elements: shape (0,).
  Tensor() = default;
  Tensor(const Tensor&) = default;
  Tensor& operator=(const Tensor&) = default;
  /// A moved-from tensor has no elements.
  Tensor(Tensor&& other) noexcept : shape_(other.shape_), block_(std::move(other.block_)) { other.shape_ = kEmpty; }
  Tensor& operator=(Tensor&& other) noexcept {
    shape_ = other.shape_;
    block_ = std::move(other.block_);
    if (this != &other) other.shape_ = kEmpty;
    return *this;
  }
  ~Tensor() = default;

  /// Elements of unspecified value, as torch.empty.
  /// Errors   ShapeError for more bytes than a processor can address, MemoryError if the system has not so many
  explicit Tensor(const Shape& shape) : shape_(shape), block_(detail::block_of(shape, sizeof(T))) {}

  /// The given elements in row-major order.
  /// Errors   ShapeError if their number is not that of the shape
  Tensor(const Shape& shape, std::span<const T> values) : Tensor(shape) {
    if (static_cast<Index>(values.size()) != numel()) {
      throw ShapeError(error_text("Tensor: ", values.size(), " values for shape ", shape, ", expected ", numel()));
    }
    std::copy(values.begin(), values.end(), mutable_data());
  }
  Tensor(const Shape& shape, std::initializer_list<T> values)
      : Tensor(shape, std::span<const T>(values.begin(), values.size())) {}

  static Tensor full(const Shape& shape, T value) {
    Tensor result(shape);
    std::fill_n(result.mutable_data(), result.numel(), value);
    return result;
  }
  static Tensor zeros(const Shape& shape) { return full(shape, T(0)); }
  static Tensor ones(const Shape& shape) { return full(shape, T(1)); }

  /// Standard normal numbers, as torch.randn.
  static Tensor randn(const Shape& shape, Rng& rng) {
    return generate(shape, [&] { return static_cast<T>(rng.normal()); });
  }
  /// Uniform numbers between low and high; rounded to T, the upper bound itself can occur.
  static Tensor rand(const Shape& shape, Rng& rng, double low = 0.0, double high = 1.0) {
    return generate(shape, [&] { return static_cast<T>(rng.uniform(low, high)); });
  }
  /// Elements in row-major order, each the result of one call.
  template <class F>
  static Tensor generate(const Shape& shape, F&& next) {
    Tensor result(shape);
    std::generate_n(result.mutable_data(), result.numel(), [&] { return next(); });
    return result;
  }

  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  Index numel() const { return shape_.numel(); }
  Index size(int axis) const { return shape_[axis]; }
  bool empty() const { return numel() == 0; }

  const T* data() const { return static_cast<const T*>(block_.payload()); }
  /// Writable elements. Copies them first if another tensor shares them.
  T* mutable_data() {
    if (!block_.unique()) block_ = detail::copy_of(block_, shape_, sizeof(T));
    return static_cast<T*>(block_.payload());
  }

  /// (all leading axes) x (last axis); a scalar is 1 x 1.
  ConstMatrixMap<T> matrix() const { return {data(), shape_.rows(), shape_.cols()}; }
  MatrixMap<T> mutable_matrix() { return {mutable_data(), shape_.rows(), shape_.cols()}; }
  /// All elements in a row.
  ConstArrayMap<T> array() const { return {data(), numel()}; }
  ArrayMap<T> mutable_array() { return {mutable_data(), numel()}; }
  std::span<const T> span() const { return {data(), static_cast<std::size_t>(numel())}; }
  std::span<T> mutable_span() { return {mutable_data(), static_cast<std::size_t>(numel())}; }

  /// One element; as many indices as the tensor has axes, each counted from 0 and checked.
  template <class... I>
  T operator()(I... indices) const {
    return data()[offset({static_cast<Index>(indices)...})];
  }

  /// One element to write to; copies the elements first if another tensor shares them.
  template <class... I>
  T& mutable_at(I... indices) {
    const Index position = offset({static_cast<Index>(indices)...});
    return mutable_data()[position];
  }

  /// The value of a tensor of one element.
  T item() const {
    if (numel() != 1) throw ShapeError("Tensor::item: shape " + to_string(shape_) + ", expected one element");
    return *data();
  }

  /// The same elements under another shape, in O(1). One size may be -1: it follows from the others.
  /// Errors   ShapeError if the number of elements differs
  Tensor reshape(std::initializer_list<Index> sizes) const& { return Tensor(*this).reshape(sizes); }
  Tensor reshape(std::initializer_list<Index> sizes) && {
    return std::move(*this).reshape(inferred({sizes.begin(), sizes.size()}));
  }
  Tensor reshape(const Shape& shape) const& { return Tensor(*this).reshape(shape); }
  Tensor reshape(const Shape& shape) && {
    if (shape.numel() != numel()) throw_reshape(to_string(shape));
    Tensor result = std::move(*this);
    result.shape_ = shape;
    return result;
  }

  /// Every element converted as static_cast does.
  template <class U>
  Tensor<U> cast() const {
    Tensor<U> result(shape_);
    std::transform(data(), data() + numel(), result.mutable_data(), [](T x) { return static_cast<U>(x); });
    return result;
  }

  /// True if no other tensor shares the memory, so that writing copies nothing.
  bool unique() const { return block_.unique(); }
  /// True if the other tensor stands on the same memory.
  bool shares_memory(const Tensor& other) const { return block_ && block_ == other.block_; }

 private:
  Index offset(std::initializer_list<Index> indices) const {
    if (static_cast<int>(indices.size()) != rank()) {
      throw ShapeError(error_text("Tensor: ", indices.size(), " indices for shape ", shape_));
    }
    Index position = 0;
    int axis = 0;
    for (const Index i : indices) {
      const Index size = shape_[axis];
      if (i < 0 || i >= size) {
        throw ValueError(error_text("Tensor: index ", i, " on axis ", axis, " of shape ", shape_));
      }
      position = position * size + i;
      ++axis;
    }
    return position;
  }

  Shape inferred(std::span<const Index> sizes) const {
    const auto unknown = std::find(sizes.begin(), sizes.end(), Index{-1});
    if (unknown == sizes.end()) return Shape(sizes);
    std::array<Index, Shape::kMaxRank> known{};
    if (sizes.size() > known.size()) return Shape(sizes);  // throws: too many axes
    std::copy(sizes.begin(), sizes.end(), known.begin());
    Index& open = known[static_cast<std::size_t>(unknown - sizes.begin())];
    open = 1;
    const Index others = Shape(std::span<const Index>(known.data(), sizes.size())).numel();
    if (others == 0 || numel() % others != 0) throw_reshape("one with an axis of -1");
    open = numel() / others;
    return Shape(std::span<const Index>(known.data(), sizes.size()));
  }

  [[noreturn]] void throw_reshape(const std::string& target) const {
    throw ShapeError(
        error_text("Tensor::reshape: ", shape_, " has ", numel(), " elements, which do not fill ", target));
  }

  static constexpr Shape kEmpty{0};

  Shape shape_ = kEmpty;
  detail::BlockPtr block_;
};

/// True if shapes and all elements are equal, as torch.equal.
template <class T>
bool equal(const Tensor<T>& a, const Tensor<T>& b) {
  return a.shape() == b.shape() && std::equal(a.data(), a.data() + a.numel(), b.data());
}

}  // namespace eigengrad::EIGENGRAD_ISA
