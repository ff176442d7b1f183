// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include <eigengrad/train/curves.hpp>
#include <eigengrad/train/progress.hpp>
#include <eigengrad/train/run_directory.hpp>

#include "support/temporary_directory.hpp"

namespace eigengrad::train {
namespace {

std::string contents(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(RunDirectory, IsMadeWithItsParentsAndHoldsNothingElse) {
  const testing::TemporaryDirectory temporary;
  const RunDirectory directory(temporary.path() / "a" / "b");
  EXPECT_TRUE(std::filesystem::is_directory(temporary.path() / "a" / "b"));
  EXPECT_TRUE(std::filesystem::is_empty(temporary.path() / "a" / "b"));
  EXPECT_EQ(directory.file("x.csv"), temporary.path() / "a" / "b" / "x.csv");
}

TEST(RunDirectory, NamesAPlaceThatCannotBeWrittenTo) {
  const testing::TemporaryDirectory temporary;
  const auto file = temporary.path() / "file";
  std::ofstream(file) << "text";
  EXPECT_THROW(RunDirectory(file / "run"), IoError);
  EXPECT_THROW(RunDirectory{file}, IoError);
  try {
    const RunDirectory directory("/proc/eigengrad");
    FAIL();
  } catch (const IoError& error) {
    EXPECT_NE(std::string(error.what()).find("/proc/eigengrad: cannot be made"), std::string::npos) << error.what();
  }
}

TEST(CsvFile, HasAHeaderAndEveryRowAtOnce) {
  const testing::TemporaryDirectory temporary;
  CsvFile csv(temporary.path() / "m.csv", "step,loss");
  csv.row(1, 0.1F);
  csv.row(2, std::numeric_limits<double>::infinity());
  EXPECT_EQ(contents(temporary.path() / "m.csv"), "step,loss\n1,0.100000001\n2,inf\n");
  EXPECT_THROW(CsvFile(temporary.path() / "none" / "m.csv", "x"), IoError);
}

TEST(WriteFile, ReplacesAFileWhole) {
  const testing::TemporaryDirectory temporary;
  const auto file = temporary.path() / "t";
  write_file(file, "one");
  write_file(file, "two");
  EXPECT_EQ(contents(file), "two");
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".part"));
  EXPECT_THROW(write_file(temporary.path() / "none" / "t", "x"), IoError);
}

TEST(Curves, HaveTitlesLabelsTicksAndFinitePoints) {
  const std::string svg = curves_svg({{"loss < 1", "step", "nats", {{{1, 2, 3}, {2.0, std::nan(""), 1.0}}}},
                                      {"accuracy", "step", "share", {{{5}, {0.5}}, {{}, {}}}}});
  EXPECT_EQ(svg.rfind("<svg ", 0), 0U);
  EXPECT_NE(svg.find("loss &lt; 1"), std::string::npos);
  EXPECT_NE(svg.find(">nats<"), std::string::npos);
  EXPECT_NE(svg.find(">share<"), std::string::npos);
  EXPECT_NE(svg.find(">1.5<"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

TEST(Curves, HaveTheirPointsTicksAndWordsInPlace) {
  const std::string svg = curves_svg({{"loss", "step", "nats", {{{1, 2, 3}, {2.0, 1.75, 1.0}}, {{1, 3}, {1.0, 1.5}}}},
                                      {"accuracy", "epoch", "share", {{{5}, {0.5}}}}});
  // A panel is 460 wide; its diagram begins at (70, 40) and is 360 wide and 240 high.
  for (const char* part :
       {"width=\"920\" height=\"340\" viewBox=\"0 0 920 340\"",
        "<polyline fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"1.8\" points=\"70,40 250,100 430,280 \"/>",
        "<polyline fill=\"none\" stroke=\"#b8cfe6\" stroke-width=\"0.8\" points=\"70,280 430,160 \"/>",
        "<polyline fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"1.8\" points=\"710,160 \"/>",
        "<rect x=\"70\" y=\"40\" width=\"360\" height=\"240\"", "<rect x=\"530\" y=\"40\" width=\"360\" height=\"240\"",
        "<text x=\"250\" y=\"24\" text-anchor=\"middle\">loss<",
        "<text x=\"250\" y=\"320\" text-anchor=\"middle\">step<",
        "<text x=\"18\" y=\"160\" text-anchor=\"middle\" transform=\"rotate(-90 18 160)\">nats<",
        "<text x=\"478\" y=\"160\" text-anchor=\"middle\" transform=\"rotate(-90 478 160)\">share<",
        "<path d=\"M160 40V280\"", "<text x=\"160\" y=\"298\" text-anchor=\"middle\">1.5<", "<path d=\"M430 40V280\"",
        "<text x=\"430\" y=\"298\" text-anchor=\"middle\">3<", "<path d=\"M70 280H430\"",
        "<text x=\"64\" y=\"284\" text-anchor=\"end\">1<"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
  EXPECT_LT(svg.find("#b8cfe6"), svg.find("#1f5fa8"));  // the first curve lies on top
}

TEST(Curves, ARangeOfOneNumberIsWidenedByHalfOfIt) {
  for (const auto& [value, margin] : {std::pair(5.0, 2.5), std::pair(-4.0, 2.0), std::pair(0.0, 0.5)}) {
    detail::Range range;
    range.include({value, std::nan("")});
    range.widen();
    EXPECT_EQ(range.low, value - margin);
    EXPECT_EQ(range.high, value + margin);
    EXPECT_EQ(range.position(value), 0.5);
  }
  detail::Range wide;
  wide.include({2.0, 6.0});
  wide.widen();
  EXPECT_EQ(wide.position(3.0), 0.25);
}

TEST(Curves, TicksStandAtRoundNumbers) {
  EXPECT_DOUBLE_EQ(detail::tick_step(5.0), 1.0);
  EXPECT_DOUBLE_EQ(detail::tick_step(10.0), 2.0);
  EXPECT_DOUBLE_EQ(detail::tick_step(30.0), 5.0);
  EXPECT_DOUBLE_EQ(detail::tick_step(40.0), 10.0);
  EXPECT_DOUBLE_EQ(detail::tick_step(0.3), 0.05);
}

TEST(Curves, EndWhereValuesHardlyDiffer) {
  const std::string svg = curves_svg({{"t", "x", "y", {{{1, 2}, {1.0, std::nextafter(1.0, 2.0)}}}}});
  EXPECT_LT(svg.size(), 10000U);
}

TEST(Curves, LongOnesAreThinnedAndKeepTheirPeaks) {
  Curve curve;
  for (int i = 0; i < 100000; ++i) {
    curve.x.push_back(i);
    curve.y.push_back(i == 77777 ? 100.0 : i % 10);
  }
  EXPECT_LT(curves_svg({{"t", "x", "y", {curve}}}).size(), 40000U);
  const Curve few = detail::thinned(curve, 500);
  EXPECT_EQ(few.x.size(), 500U);
  EXPECT_TRUE(std::is_sorted(few.x.begin(), few.x.end()));
  const auto peak = std::find(few.y.begin(), few.y.end(), 100.0);
  ASSERT_NE(peak, few.y.end());
  EXPECT_EQ(few.x[static_cast<std::size_t>(peak - few.y.begin())], 77777.0);
  EXPECT_EQ(detail::thinned({{1, 2, 3}, {5.0, std::nan(""), 7.0}}, 500).x, (std::vector<double>{1, 3}));
}

TEST(Curves, MovingAverageLooksBack) { EXPECT_EQ(moving_average({2, 4, 6, 8}, 2), (std::vector<double>{2, 3, 5, 7})); }

TEST(Progress, IsPlainLinesWhereThereIsNoTerminal) {
  std::ostringstream out;
  Progress progress(out, 10, false);
  for (Index step = 1; step <= 10; ++step) progress.step(step, 1.0);
  EXPECT_EQ(out.str(), "");
  progress.evaluation({.step = 10, .train_loss = 1.5, .test_loss = 2.0, .test_accuracy = 0.25, .seconds = 3.0});
  EXPECT_EQ(out.str(), "step     10  train loss 1.5000  test loss 2.0000  test accuracy 0.2500  3.0 s\n");
  out.str("");
  progress.evaluation({.step = 10, .train_loss = 1.5, .test_loss = 2.0, .test_accuracy = std::nan(""), .seconds = 3.0});
  EXPECT_EQ(out.str(), "step     10  train loss 1.5000  test loss 2.0000  3.0 s\n");
}

TEST(Progress, SaysAtOnceThatTheProgramIsSlowAndThenListensToFit) {
  std::ostringstream out;
  const FitOptions options{.on_evaluation = Progress(out)};
  const std::string note = slow_build_note();
  EXPECT_EQ(out.str(), note.empty() ? "" : "note: " + note + "\n");
  out.str("");
  options.on_evaluation({.step = 20, .train_loss = 1.5, .test_loss = 2.0, .test_accuracy = 0.25, .seconds = 3.0});
  EXPECT_EQ(out.str(), "step     20  train loss 1.5000  test loss 2.0000  test accuracy 0.2500  3.0 s\n");
}

TEST(Progress, RedrawsABarOnATerminal) {
  std::ostringstream out;
  Progress progress(out, 10, true);
  Progress(out, 0, true).step(3, 1.0);  // past its end: no harm
  out.str("");
  progress.step(5, 1.0);
  EXPECT_EQ(out.str(), "\r[===============               ] 5/10  loss 1.0000 ");
  progress.clear();
  EXPECT_NE(out.str().find("\r\033[K"), std::string::npos);
}

}  // namespace
}  // namespace eigengrad::train
