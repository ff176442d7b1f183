// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/scratch.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>

// One parallel loop over the elements of many arrays, as the parameters of a network are.
//   JointLoop<float*> loop(2);
//   loop.add(a.numel(), a.mutable_data());
//   loop.add(b.numel(), b.mutable_data());
//   loop.run([](float* array, Index begin, Index end, Index chunk) { ... });

namespace eigengrad::EIGENGRAD_ISA::optim::detail {

/// The arrays are seen in a row and the row is cut into chunks of ops::detail::kElementGrain elements: small arrays
/// share a chunk, a large one has several. Each array begins at a multiple of kStride in the row, so that a piece of an
/// array whose memory is aligned to 64 bytes is aligned too.
/// The table of the arrays lives in the pool of the tensors: a loop in every step asks nothing of the system.
template <class Job>
class JointLoop {
 public:
  static constexpr Index kStride = 64;
  static_assert(ops::detail::kElementGrain % kStride == 0);

  /// `most`: the largest number of arrays, at least 1.
  explicit JointLoop(std::size_t most) : memory_(static_cast<Index>(most), 1), first_(memory_.of(0)), last_(first_) {}
  JointLoop(const JointLoop&) = delete;
  JointLoop& operator=(const JointLoop&) = delete;
  ~JointLoop() = default;

  /// Appends an array of at least one element. `job` is what the body gets to know of it.
  void add(Index elements, const Job& job) {
    const Index begin = round_up(length(), kStride);
    new (last_++) Array{begin, begin + elements, job};
  }

  Index chunks() const { return ceil_div(length(), ops::detail::kElementGrain); }

  /// Calls body(job, begin, end, chunk) for the pieces [begin, end) of all arrays. Pieces of one chunk come one after
  /// another, in order.
  template <class F>
  void run(const F& body) const {
    parallel_for(length(), ops::detail::kElementGrain, [&](Index begin, Index end) {
      const Array* array =
          std::upper_bound(first_, last_, begin, [](Index position, const Array& a) { return position < a.end; });
      for (; array != last_ && array->begin < end; ++array) {
        body(array->job, std::max(begin, array->begin) - array->begin, std::min(end, array->end) - array->begin,
             begin / ops::detail::kElementGrain);
      }
    });
  }

 private:
  struct Array {
    Index begin;  // in the row
    Index end;
    Job job;
  };

  Index length() const { return first_ == last_ ? 0 : last_[-1].end; }

  Scratch<Array> memory_;
  Array* first_;
  Array* last_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::optim::detail
