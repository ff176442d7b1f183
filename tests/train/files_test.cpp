// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/train/curves.hpp>
#include <eigengrad/train/progress.hpp>
#include <eigengrad/train/run_directory.hpp>

#include "support/contents.hpp"
#include "support/message_of.hpp"
#include "support/temporary_directory.hpp"

namespace eigengrad::EIGENGRAD_ISA::train {
namespace {

using testing::contents;
using testing::message_of;

TEST(RunDirectory, IsMadeWithItsParentsAndHoldsItsLockAlone) {
  const testing::TemporaryDirectory temporary;
  const RunDirectory directory(temporary.path() / "a" / "b");
  EXPECT_TRUE(std::filesystem::is_directory(temporary.path() / "a" / "b"));
  EXPECT_EQ(directory.file("x.csv"), temporary.path() / "a" / "b" / "x.csv");
  for (const auto& entry : std::filesystem::directory_iterator(temporary.path() / "a" / "b")) {
    EXPECT_EQ(entry.path().filename(), "run.lock");
  }
}

TEST(RunDirectory, NamesAPlaceThatCannotBeWrittenTo) {
  const testing::TemporaryDirectory temporary;
  const auto file = temporary.path() / "file";
  std::ofstream(file) << "text";
  EXPECT_THROW(RunDirectory(file / "run"), IoError);
  EXPECT_THROW(RunDirectory::numbered(file / "run"), IoError);
  EXPECT_THROW(RunDirectory{file}, IoError);
  EXPECT_EQ(message_of([] { RunDirectory("/proc/eigengrad"); }),
            "/proc/eigengrad: cannot be made: No such file or directory");
}

TEST(RunDirectory, IsForOneRunAtATime) {
  const testing::TemporaryDirectory temporary;
  {
    const RunDirectory one(temporary.path());
    EXPECT_EQ(message_of([&] { RunDirectory{temporary.path()}; }),
              temporary.path().string() + ": is in use by another run");
    std::ofstream(one.file("t")) << "one";
    for (const bool overwrite : {false, true}) {
      EXPECT_EQ(message_of([&] { RunDirectory(temporary.path(), {.files = {"t"}, .overwrite = overwrite}); }),
                temporary.path().string() + ": is in use by another run");
    }
  }
  const RunDirectory another(temporary.path());
}

TEST(RunDirectory, RefusesAFolderThatHoldsARunAndLeavesItAsItIs) {
  const testing::TemporaryDirectory temporary;
  std::ofstream(temporary.path() / "b") << "earlier";
  EXPECT_EQ(message_of([&] {
              RunDirectory(temporary.path(), {.files = {"a", "b"}});
            }),
            temporary.path().string() + ": holds a run already (b); name another folder, or overwrite it");
  EXPECT_EQ(contents(temporary.path() / "b"), "earlier");
  EXPECT_FALSE(std::filesystem::exists(temporary.path() / "run.lock"));
  EXPECT_NO_THROW(RunDirectory(temporary.path(), {.files = {"a"}})) << "it holds something else";
}

TEST(RunDirectory, AnEarlierRunStaysUntilTheNewOneHasSucceeded) {
  const testing::TemporaryDirectory temporary;
  const auto folder = temporary.path();
  const RunDirectoryOptions options{.files = {"a", "b", "c"}, .overwrite = true};
  std::ofstream(folder / "a") << "earlier";
  std::ofstream(folder / "c") << "earlier";
  {
    RunDirectory failing(folder, options);
    write_file(failing.file("a"), "failed");
  }
  EXPECT_EQ(contents(folder / "a"), "earlier");
  EXPECT_EQ(contents(folder / "c"), "earlier");
  RunDirectory run(folder, options);
  write_file(run.file("a"), "new");
  write_file(run.file("b"), "new");
  EXPECT_EQ(contents(folder / "a"), "earlier");
  run.finish();
  EXPECT_EQ(contents(folder / "a"), "new");
  EXPECT_EQ(contents(folder / "b"), "new");
  EXPECT_FALSE(std::filesystem::exists(folder / "c")) << "no mixture of two runs";
  EXPECT_FALSE(std::filesystem::exists(folder / "a.part"));
  EXPECT_EQ(run.file("a"), folder / "a");
}

TEST(RunDirectory, FilesOfANewRunHaveTheirNamesAtOnce) {
  const testing::TemporaryDirectory temporary;
  RunDirectory run(temporary.path(), {.files = {"a"}, .overwrite = true});
  EXPECT_EQ(run.file("a"), temporary.path() / "a");
  write_file(run.file("a"), "new");
  run.finish();
  EXPECT_EQ(contents(temporary.path() / "a"), "new");
}

TEST(RunDirectory, FindsBeforeTheRunWhatCannotBeWrittenAtItsEnd) {
  const testing::TemporaryDirectory temporary;
  const auto folder = temporary.path();
  std::filesystem::create_directory(folder / "a");
  std::filesystem::create_directory(folder / "b.part");
  for (const bool overwrite : {false, true}) {
    EXPECT_EQ(message_of([&] { RunDirectory(folder, {.files = {"a"}, .overwrite = overwrite}); }),
              (folder / "a").string() + ": cannot be written: is a directory");
    EXPECT_EQ(message_of([&] { RunDirectory(folder, {.files = {"b"}, .overwrite = overwrite}); }),
              (folder / "b.part").string() + ": cannot be written: is a directory");
  }
}

TEST(RunDirectory, ANewOneHasTheFirstNumberThatIsFree) {
  const testing::TemporaryDirectory temporary;
  const auto path = temporary.path() / "runs" / "mlp";
  EXPECT_EQ(RunDirectory::numbered(path).path(), path.string() + "-1");
  EXPECT_EQ(RunDirectory::numbered(path).path(), path.string() + "-2");
  std::filesystem::create_directory(path.string() + "-3");
  EXPECT_EQ(RunDirectory::numbered(path).path(), path.string() + "-4");
}

TEST(RunDirectory, ARunThatGoesOnWritesToItsOwnFiles) {
  const testing::TemporaryDirectory temporary;
  std::ofstream(temporary.path() / "a") << "first part";
  RunDirectory run(temporary.path(), {.files = {"a", "b"}, .resume = true});
  EXPECT_EQ(run.file("a"), temporary.path() / "a");
  EXPECT_EQ(run.file("b"), temporary.path() / "b");
  run.finish();
  EXPECT_EQ(contents(temporary.path() / "a"), "first part");
}

// A new run that takes an earlier one's place in the middle goes on with its open files.
TEST(RunDirectory, OpenFilesGoOnUnderTheirFinalNames) {
  const testing::TemporaryDirectory temporary;
  std::ofstream(temporary.path() / "a.csv") << "earlier";
  RunDirectory run(temporary.path(), {.files = {"a.csv"}, .overwrite = true});
  CsvFile table(run.file("a.csv"), "n");
  table.row(1);
  EXPECT_EQ(contents(temporary.path() / "a.csv"), "earlier");
  run.finish();
  table.row(2);
  EXPECT_EQ(run.file("a.csv"), temporary.path() / "a.csv");
  EXPECT_EQ(contents(temporary.path() / "a.csv"), "n\n1\n2\n");
}

TEST(CsvFile, ContinuesAfterAStep) {
  const testing::TemporaryDirectory temporary;
  const auto path = temporary.path() / "m.csv";
  CsvFile::continued(path, "step,loss", 5).row(1, 0.5);  // there is none yet
  EXPECT_EQ(contents(path), "step,loss\n1,0.5\n");
  const auto continued = [&](const std::string& before, Index last) {
    std::ofstream(path) << before;
    CsvFile::continued(path, "step,loss", last).row(9, 0.25);
    return contents(path);
  };
  EXPECT_EQ(continued("step,loss\n1,0.5\n2,0.5\n3,0.5\n", 2), "step,loss\n1,0.5\n2,0.5\n9,0.25\n");
  EXPECT_EQ(continued("step,loss\n1,0.5\n2,0.5\n", 7), "step,loss\n1,0.5\n2,0.5\n9,0.25\n");
  EXPECT_EQ(continued("step,loss\n1,0.5\n2,0.", 2), "step,loss\n1,0.5\n9,0.25\n") << "half a row";
  EXPECT_EQ(continued("step,loss\n1,0.5\n", 0), "step,loss\n9,0.25\n");
  EXPECT_EQ(continued("step,loss\n1,0.5\nnoise\n2,0.5\n", 2), "step,loss\n1,0.5\n9,0.25\n");
  EXPECT_EQ(message_of([&] { continued("epoch,loss\n1,0.5\n", 2); }),
            path.string() + ": is another table, expected one with the header step,loss");
  EXPECT_EQ(contents(path), "epoch,loss\n1,0.5\n");
}

TEST(CsvFile, IsReadBack) {
  const testing::TemporaryDirectory temporary;
  const auto path = temporary.path() / "m.csv";
  {
    CsvFile table(path, "step,loss");
    table.row(1, 0.1F);
    table.row(2, -1e-30);
  }
  const auto rows = read_csv<2>(path);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0][0], 1.0);
  EXPECT_EQ(static_cast<float>(rows[0][1]), 0.1F);
  EXPECT_EQ(rows[1][1], -1e-30);
  for (const std::string line : {"1", "1,2,3", "1;2", "a,2", "1,2 ", ""}) {
    std::ofstream(path) << "step,loss\n1,2\n" << line << "\n";
    EXPECT_EQ(message_of([&] { read_csv<2>(path); }),
              path.string() + ": line 3 is \"" + line + "\", expected 2 numbers");
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
  const Curve faint{.x = {1, 3}, .y = {1.0, 1.5}, .background = true};
  const std::string svg = curves_svg({{"loss", "step", "nats", {{{1, 2, 3}, {2.0, 1.75, 1.0}}, faint}},
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
  EXPECT_LT(svg.find("#b8cfe6"), svg.find("#1f5fa8"));  // the background lies behind
}

TEST(Curves, HaveColoursInOrderTheFirstOnTopAndTheBackgroundBehindAll) {
  const Curve curve{{1, 2}, {1.0, 2.0}}, faint{.x = {1, 2}, .y = {1.0, 2.0}, .background = true};
  const std::string svg = curves_svg({{"t", "x", "y", {curve, faint, curve, curve, curve, curve}}});
  std::vector<std::string> colours;
  const std::string stroke = "<polyline fill=\"none\" stroke=\"";
  for (auto at = svg.find(stroke); at != std::string::npos; at = svg.find(stroke, at + 1))
    colours.push_back(svg.substr(at + stroke.size(), 7));
  EXPECT_EQ(colours, (std::vector<std::string>{"#b8cfe6", "#1f5fa8", "#8a4fb0", "#2f8f4e", "#d1651a", "#1f5fa8"}));
}

TEST(Curves, MarkTheirPointsWhereTheyAreFew) {
  const std::string one = curves_svg({{"t", "x", "y", {{{5}, {0.5}}}}});
  EXPECT_NE(one.find("<circle cx=\"250\" cy=\"160\" r=\"2.52\" fill=\"#1f5fa8\"/>"), std::string::npos) << one;
  Curve many;
  for (int i = 0; i < 41; ++i) {
    many.x.push_back(i);
    many.y.push_back(i);
  }
  EXPECT_EQ(curves_svg({{"t", "x", "y", {many}}}).find("<circle"), std::string::npos);
}

TEST(Curves, AreNamedBelowTheDiagram) {
  const Curve one{{1, 2}, {1.0, 2.0}, "a < b"}, two{{1, 2}, {2.0, 1.0}, "validation"}, nameless{{1, 2}, {2.0, 2.0}};
  const std::string svg = curves_svg({{"t", "x", "y", {one, nameless, two}}, {"t", "x", "y", {nameless}}});
  for (const char* part :
       {"width=\"920\" height=\"360\" viewBox=\"0 0 920 360\"",
        "<path d=\"M70 340h20\" stroke=\"#1f5fa8\" stroke-width=\"1.8\"/>\n<text x=\"96\" y=\"344\"",
        ">a &lt; b</text>",
        // 26 for the line, 7 for each of five letters, 16 between names
        "<path d=\"M147 340h20\" stroke=\"#2f8f4e\" stroke-width=\"1.8\"/>\n<text x=\"173\" y=\"344\"",
        ">validation</text>"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part << svg;
  }
  const Curve wide{{1}, {1.0}, std::string(50, 'w')};
  const auto rows = detail::legend_of({"t", "x", "y", {one, wide, wide, two}});
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].row, 0);
  EXPECT_EQ(rows[1].row, 1);
  EXPECT_EQ(rows[2].row, 2);
  EXPECT_EQ(rows[3].row, 3);
  EXPECT_EQ(rows[3].x, 70.0);
  EXPECT_NE(curves_svg({{"t", "x", "y", {one, wide, wide, two}}}).find("height=\"420\""), std::string::npos);
}

TEST(Curves, OfALossHaveThatOfTheValidationSetIfThereIsOne) {
  const Curve steps{{1, 2, 3}, {3.0, 2.0, 4.0}};
  const std::vector<Measurement> history{{.step = 2, .validation_loss = 2.5},
                                         {.step = 3, .validation_loss = std::nan("")}};
  const Panel panel = loss_panel(steps, history, "nats", "test");
  EXPECT_EQ(panel.title, "training and test loss");
  EXPECT_EQ(panel.y_label, "nats");
  ASSERT_EQ(panel.curves.size(), 3U);
  EXPECT_EQ(panel.curves[0].y, (std::vector<double>{3.0, 3.0, 4.0}));
  EXPECT_EQ(panel.curves[0].name, "training, mean of 51 steps");
  EXPECT_EQ(panel.curves[1].x, (std::vector<double>{2.0}));
  EXPECT_EQ(panel.curves[1].y, (std::vector<double>{2.5}));
  EXPECT_EQ(panel.curves[1].name, "test");
  EXPECT_EQ(panel.curves[2].y, steps.y);
  EXPECT_TRUE(panel.curves[2].background);
  const Panel alone = loss_panel(steps, {history[1]});
  EXPECT_EQ(alone.title, "training loss");
  EXPECT_EQ(alone.curves.size(), 2U);
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

TEST(Curves, MovingAverageLooksBothWays) {
  EXPECT_EQ(moving_average({2, 4, 9, 8, 1}, 3), (std::vector<double>{2, 5, 7, 6, 1}));
  EXPECT_EQ(moving_average({2, 4, 9, 8, 1}, 4), moving_average({2, 4, 9, 8, 1}, 3));
  EXPECT_EQ(moving_average({5, 0, 10, 0, 0, 0, 5}, 5), (std::vector<double>{5, 5, 3, 2, 3, 5.0 / 3, 5}));
  EXPECT_EQ(moving_average({2, 4}, 0), (std::vector<double>{2, 4}));
  EXPECT_EQ(moving_average({2, 4}, 1), (std::vector<double>{2, 4}));
  EXPECT_EQ(moving_average({}, 3), (std::vector<double>{}));
  EXPECT_EQ(moving_average({1e300, 1, 1, 1}, 3).back(), 1.0) << "nothing is left of what has gone";
}

TEST(Curves, MovingAverageDoesNotLag) {
  std::vector<double> line;
  for (int i = 0; i < 200; ++i) line.push_back(3.0 * i);
  const auto means = moving_average(line, 51);
  for (std::size_t i = 0; i < line.size(); ++i) EXPECT_DOUBLE_EQ(means[i], line[i]);
}

TEST(Progress, IsPlainLinesWhereThereIsNoTerminal) {
  std::ostringstream out;
  Progress progress(out, 10, false);
  for (Index step = 1; step <= 10; ++step) progress.step(step, 1.0);
  EXPECT_EQ(out.str(), "");
  progress.evaluation(
      {.step = 10, .train_loss = 1.5, .validation_loss = 2.0, .validation_accuracy = 0.25, .seconds = 3.0});
  EXPECT_EQ(out.str(),
            "step     10  train loss 1.5000     validation loss 2.0000     validation accuracy 0.2500  3.0 s\n");
  out.str("");
  progress.evaluation(
      {.step = 10, .train_loss = 1.5, .validation_loss = 2.0, .validation_accuracy = std::nan(""), .seconds = 3.0});
  EXPECT_EQ(out.str(), "step     10  train loss 1.5000     validation loss 2.0000     3.0 s\n");
}

TEST(Progress, ShowsFourDigitsOfSmallLossesInTheSameColumns) {
  std::ostringstream out;
  Progress progress(out);
  out.str("");
  for (const double loss : {12.5, 1.5, 0.01234, 0.00001234, 1234567.0})
    progress({.step = 1, .train_loss = loss, .validation_loss = loss, .validation_accuracy = 0.5, .seconds = 0.0});
  EXPECT_EQ(out.str(),
            "step      1  train loss 12.500     validation loss 12.500     validation accuracy 0.5000  0.0 s\n"
            "step      1  train loss 1.5000     validation loss 1.5000     validation accuracy 0.5000  0.0 s\n"
            "step      1  train loss 0.01234    validation loss 0.01234    validation accuracy 0.5000  0.0 s\n"
            "step      1  train loss 1.234e-05  validation loss 1.234e-05  validation accuracy 0.5000  0.0 s\n"
            "step      1  train loss 1.235e+06  validation loss 1.235e+06  validation accuracy 0.5000  0.0 s\n");
}

TEST(Progress, SaysAtOnceThatTheProgramIsSlowAndThenListensToFit) {
  std::ostringstream out;
  const FitOptions options{.on_evaluation = Progress(out)};
  const std::string note = slow_build_note();
  EXPECT_EQ(out.str(), note.empty() ? "" : "note: " + note + "\n");
  out.str("");
  options.on_evaluation(
      {.step = 20, .train_loss = 1.5, .validation_loss = 2.0, .validation_accuracy = 0.25, .seconds = 3.0});
  EXPECT_EQ(out.str(),
            "step     20  train loss 1.5000     validation loss 2.0000     validation accuracy 0.2500  3.0 s\n");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::train
