// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/core/scratch.hpp>
#include <eigengrad/ops/kernels/tap_table.hpp>

// Positions of a window that have the same taps inside the images, taken together: within a run a loop over taps needs
// no question about borders.
//   const TapRuns grid(taps, /*col_step=*/1, width, channels);
//   for (const Run& run : grid.cols) count = live_taps(grid.rows.begin()[row], run, live);

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// A tap that lies inside the images: how far its pixel and its weights are from the first ones.
struct LiveTap {
  Index pixel, weight;
};

/// Positions along an axis, first, first + step, ..., `count` of them, that have the same live taps; from one to the
/// next all of these move on by the same number of pixels. `taps` are those at the first position.
struct Run {
  Index first, count;
  const LiveTap* taps;
  Index live;
};

/// All positions along an axis as runs. From one pixel to the next along the axis it is `stride` elements.
class Runs {
 public:
  Runs(const TapTable& taps, Index step, Index pixel_stride, Index weight_stride)
      : runs_(std::max<Index>(1, taps.positions()), 1), taps_(taps.taps(), std::max<Index>(1, taps.positions())) {
    Run* runs = runs_.of(0);
    LiveTap* live = taps_.of(0);
    for (Index phase = 0; phase < std::min(step, taps.positions()); ++phase) {
      for (Index first = phase; first < taps.positions(); first += step * runs[count_++].count) {
        Index count = 1;
        while (first + count * step < taps.positions() && same_taps(taps, first, first + count * step)) ++count;
        runs[count_] = {first, count, live, 0};
        for (Index tap = 0; tap < taps.taps(); ++tap) {
          const Index pixel = taps.at(first)[tap];
          if (pixel == TapTable::kOutside) continue;
          *live++ = {pixel * pixel_stride, tap * weight_stride};
          ++runs[count_].live;
        }
      }
    }
  }

  const Run* begin() const { return runs_.of(0); }
  const Run* end() const { return runs_.of(0) + count_; }

 private:
  static bool same_taps(const TapTable& taps, Index a, Index b) {
    return std::equal(taps.at(a), taps.at(a) + taps.taps(), taps.at(b),
                      [](Index x, Index y) { return (x == TapTable::kOutside) == (y == TapTable::kOutside); });
  }

  Scratch<Run> runs_;
  Scratch<LiveTap> taps_;
  Index count_ = 0;
};

/// The live taps of a row of positions and of a run in it.
inline Index live_taps(const Run& row, const Run& run, LiveTap* live) {
  Index count = 0;
  for (Index r = 0; r < row.live; ++r) {
    for (Index s = 0; s < run.live; ++s)
      live[count++] = {row.taps[r].pixel + run.taps[s].pixel, row.taps[r].weight + run.taps[s].weight};
  }
  return count;
}

/// The runs of both axes of an image with `channels` channels: every row of positions is one of its own, in a row they
/// are as long as can be.
struct TapRuns {
  Runs rows;
  Runs cols;
  Index most_taps;

  TapRuns(const TapTables& taps, Index col_step, Index width, Index channels)
      : rows(taps.rows, taps.rows.positions(), width * channels, taps.cols.taps() * channels),
        cols(taps.cols, col_step, channels, channels),
        most_taps(taps.taps().area()) {}
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
