// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <iostream>

#include <eigengrad/ops/conv2d.hpp>
#include <eigengrad/ops/linear.hpp>
#include <eigengrad/ops/matmul.hpp>

// Matrix products and convolutions of many sizes, compiled for several instruction sets with every subscript checked
// and AddressSanitizer: what is packed on the stack must fit whatever the processor's vectors and registers are.

namespace {

using namespace eigengrad;

template <class T>
Tensor<T> numbers(const Shape& shape) {
  Rng rng(static_cast<std::uint64_t>(shape.numel()));
  return Tensor<T>::rand(shape, rng, -1.0, 1.0);
}

template <class T>
bool close(const Tensor<T>& a, const Tensor<T>& b) {
  return a.shape() == b.shape() && (a.empty() || (a.array() - b.array()).abs().maxCoeff() < 1e-4);
}

template <class T>
bool products() {
  for (const Index rows : {1, 2, 3, 5, 6, 7, 8, 11, 12, 13, 25, 70}) {
    for (const Index cols : {1, 3, 4, 5, 8, 9, 16, 17, 33, 70}) {
      for (const Index depth : {1, 2, 7, 8, 19, 200}) {
        const auto a = numbers<T>({rows, depth}), b = numbers<T>({depth, cols});
        Tensor<T> expected(Shape{rows, cols});
        expected.mutable_matrix() = a.matrix().lazyProduct(b.matrix());
        Tensor<T> a_transposed(Shape{depth, rows}), b_transposed(Shape{cols, depth});
        a_transposed.mutable_matrix() = a.matrix().transpose();
        b_transposed.mutable_matrix() = b.matrix().transpose();
        if (!close(ops::matmul(a, b), expected) ||
            !close(ops::matmul(a_transposed, b, {.transpose_a = true}), expected) ||
            !close(ops::matmul(a, b_transposed, {.transpose_b = true}), expected)) {
          std::cout << "product of " << rows << " x " << depth << " and " << cols << " columns\n";
          return false;
        }
      }
    }
  }
  return true;
}

/// One convolution by loops.
template <class T>
Tensor<T> by_loops(const Tensor<T>& x, const Tensor<T>& w, Index stride, Index padding, Index groups) {
  const Index in_group = w.size(3), out_group = w.size(0) / groups;
  const Index height = (x.size(1) + 2 * padding - w.size(1)) / stride + 1;
  const Index width = (x.size(2) + 2 * padding - w.size(2)) / stride + 1;
  Tensor<T> y(Shape{x.size(0), height, width, w.size(0)});
  T* to = y.mutable_data();
  for (Index n = 0; n < x.size(0); ++n) {
    for (Index i = 0; i < height; ++i) {
      for (Index j = 0; j < width; ++j) {
        for (Index k = 0; k < w.size(0); ++k, ++to) {
          double sum = 0.0;
          for (Index r = 0; r < w.size(1); ++r) {
            for (Index s = 0; s < w.size(2); ++s) {
              const Index row = i * stride + r - padding, col = j * stride + s - padding;
              if (row < 0 || row >= x.size(1) || col < 0 || col >= x.size(2)) continue;
              for (Index c = 0; c < in_group; ++c)
                sum += static_cast<double>(x(n, row, col, k / out_group * in_group + c)) *
                       static_cast<double>(w(k, r, s, c));
            }
          }
          *to = static_cast<T>(sum);
        }
      }
    }
  }
  return y;
}

template <class T>
bool convolutions() {
  struct Case {
    Index in, out, kernel, stride, padding, groups;
  };
  for (const Case& c :
       {Case{1, 1, 1, 1, 0, 1}, Case{3, 7, 3, 1, 1, 1}, Case{16, 16, 3, 1, 1, 1}, Case{17, 9, 3, 2, 1, 1},
        Case{8, 24, 1, 1, 0, 1}, Case{8, 24, 1, 2, 0, 2}, Case{24, 24, 3, 1, 1, 24}, Case{24, 48, 3, 1, 1, 24},
        Case{6, 6, 5, 1, 2, 3}, Case{3, 64, 7, 2, 3, 1}}) {
    for (const Index size : {7, 12}) {
      const auto x = numbers<T>({3, size, size + 1, c.in});
      const auto w = numbers<T>({c.out, c.kernel, c.kernel, c.in / c.groups});
      const ops::Conv2dOptions options{.stride = c.stride, .padding = c.padding, .groups = c.groups};
      const Tensor<T> y = ops::conv2d(x, w, Tensor<T>(), options);
      // <dy, conv(x, w)> is linear in x and in w: the sums of the gradients' products with them are all the same.
      const auto dy = numbers<T>(y.shape());
      const Tensor<T> dx = ops::conv2d_backward_input(dy, w, x.shape(), options);
      const Tensor<T> dw = ops::conv2d_backward_weight(dy, x, c.kernel, options);
      const auto dot = [](const Tensor<T>& a, const Tensor<T>& b) {
        return (a.array().template cast<double>() * b.array().template cast<double>()).sum();
      };
      const double expected = dot(dy, y);
      if (!close(y, by_loops(x, w, c.stride, c.padding, c.groups)) || std::abs(dot(dx, x) - expected) > 1e-2 ||
          std::abs(dot(dw, w) - expected) > 1e-2) {
        std::cout << "convolution " << c.in << "->" << c.out << ' ' << c.kernel << " of " << size << '\n';
        return false;
      }
    }
  }
  return true;
}

}  // namespace

int main() {
  return products<float>() && products<double>() && convolutions<float>() && convolutions<double>() ? 0 : 1;
}
