// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <eigengrad/core/text.hpp>
#include <eigengrad/train/measurement.hpp>

// Curves as an SVG picture, one panel beside the other.
//   std::string svg = train::curves_svg({train::loss_panel({steps, losses}, history),
//                                        {"accuracy", "step", "share", {{evaluated, accuracies}}}});

namespace eigengrad::EIGENGRAD_ISA::train {

/// Points joined by a line.
struct Curve {
  std::vector<double> x;
  std::vector<double> y;
  std::string name = {};    ///< in the legend; a curve without a name is not in it
  bool background = false;  ///< drawn faintly and behind the others: single steps behind their mean
};

/// One diagram, with a legend below it if a curve has a name. The first curve lies on top.
struct Panel {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Curve> curves;
};

namespace detail {

/// A round step that cuts the range into about five parts: 1, 2 or 5 times a power of ten.
inline double tick_step(double range) {
  const double rough = range / 5.0;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double digit = rough / power;
  return power * (digit < 1.5 ? 1.0 : (digit < 3.5 ? 2.0 : (digit < 7.5 ? 5.0 : 10.0)));
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(const std::vector<double>& values) {
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  /// Never empty, so that a curve of one point can be drawn.
  void widen() {
    if (low > high) low = high = 0.0;
    const double size = std::max(std::abs(low), std::abs(high));
    if (high - low <= 1e-9 * size || low == high) {
      const double margin = size > 0.0 ? 0.5 * size : 0.5;
      low -= margin;
      high += margin;
    }
  }
  double position(double value) const { return (value - low) / (high - low); }
};

inline std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else
      result += c;
  }
  return result;
}

/// At most about `most` of a curve's points: of each run of points the lowest and the highest, in their order, so that
/// no peak is lost. Points that are not finite are left out.
inline Curve thinned(const Curve& curve, std::size_t most) {
  Curve finite;
  for (std::size_t i = 0; i < std::min(curve.x.size(), curve.y.size()); ++i) {
    if (!std::isfinite(curve.y[i])) continue;
    finite.x.push_back(curve.x[i]);
    finite.y.push_back(curve.y[i]);
  }
  const std::size_t count = finite.y.size();
  if (count <= most) return finite;
  const std::size_t runs = std::max<std::size_t>(1, most / 2);
  Curve result;
  for (std::size_t run = 0; run < runs; ++run) {
    const auto begin = finite.y.begin() + static_cast<std::ptrdiff_t>(run * count / runs);
    const auto end = finite.y.begin() + static_cast<std::ptrdiff_t>((run + 1) * count / runs);
    const auto [lowest, highest] = std::minmax_element(begin, end);
    for (const auto& point : {std::min(lowest, highest), std::max(lowest, highest)}) {
      result.x.push_back(finite.x[static_cast<std::size_t>(point - finite.y.begin())]);
      result.y.push_back(*point);
    }
  }
  return result;
}

constexpr double kPanelWidth = 460, kPanelHeight = 340, kLegendRow = 20;  // in pixels, as all below
constexpr double kDiagramLeft = 70, kDiagramTop = 40, kDiagramWidth = 360,
                 kDiagramHeight = 240;  // of the diagram in its panel

/// How a curve is drawn.
struct Pen {
  const char* colour;
  double width;
};

/// The colours go to the curves in their order, and again from the first when they are used up.
inline std::vector<Pen> pens_of(const std::vector<Curve>& curves) {
  constexpr std::array kColours = {"#1f5fa8", "#d1651a", "#2f8f4e", "#8a4fb0"};  // blue, orange, green, purple
  std::vector<Pen> pens;
  std::size_t next = 0;
  for (const Curve& curve : curves)
    pens.push_back(curve.background ? Pen{"#b8cfe6", 0.8} : Pen{kColours[next++ % kColours.size()], 1.8});
  return pens;
}

/// A curve's name in the legend, and where it is.
struct LegendEntry {
  std::size_t curve;
  double x;  // from the panel's left edge
  int row;
};
constexpr double kSwatch = 20;  // the piece of the curve before its name

/// The names from left to right, in as many rows as they need.
inline std::vector<LegendEntry> legend_of(const Panel& panel) {
  constexpr double kLetter = 7, kGap = 16;  // no letter of that size is much wider
  std::vector<LegendEntry> entries;
  double x = kDiagramLeft;
  int row = 0;
  for (std::size_t i = 0; i < panel.curves.size(); ++i) {
    const std::string& name = panel.curves[i].name;
    if (name.empty()) continue;
    const double width = kSwatch + 6 + kLetter * static_cast<double>(name.size());
    if (x > kDiagramLeft && x + width > kPanelWidth) {
      x = kDiagramLeft;
      ++row;
    }
    entries.push_back({i, x, row});
    x += width + kGap;
  }
  return entries;
}

/// A line through the points, which are marked where they are few; px and py place a point.
template <class X, class Y>
void draw_curve(std::string& svg, const Curve& curve, const Pen& pen, const X& px, const Y& py) {
  constexpr std::size_t kFew = 40;
  svg += joined("<polyline fill=\"none\" stroke=\"", pen.colour, "\" stroke-width=\"", pen.width, "\" points=\"");
  for (std::size_t k = 0; k < curve.x.size(); ++k) svg += joined(px(curve.x[k]), ",", py(curve.y[k]), " ");
  svg += "\"/>\n";
  if (curve.x.size() > kFew) return;
  for (std::size_t k = 0; k < curve.x.size(); ++k) {
    svg += joined("<circle cx=\"", px(curve.x[k]), "\" cy=\"", py(curve.y[k]), "\" r=\"", 1.4 * pen.width, "\" fill=\"",
                  pen.colour, "\"/>\n");
  }
}

inline void draw_panel(std::string& svg, const Panel& panel, double left) {
  Range xs, ys;
  for (const Curve& curve : panel.curves) {
    xs.include(curve.x);
    ys.include(curve.y);
  }
  xs.widen();
  ys.widen();
  const auto px = [&](double x) { return left + kDiagramLeft + kDiagramWidth * xs.position(x); };
  const auto py = [&](double y) { return kDiagramTop + kDiagramHeight * (1.0 - ys.position(y)); };
  const auto text = [&](double x, double y, const char* anchor, const std::string& words) {
    svg += joined("<text x=\"", x, "\" y=\"", y, "\" text-anchor=\"", anchor, "\">", escaped(words), "</text>\n");
  };
  const auto number = [](double value) { return to_general(std::abs(value) < 1e-12 ? 0.0 : value); };

  svg += "<g font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">\n";
  text(left + kDiagramLeft + kDiagramWidth / 2, kDiagramTop - 16, "middle", panel.title);
  text(left + kDiagramLeft + kDiagramWidth / 2, kDiagramTop + kDiagramHeight + 40, "middle", panel.x_label);
  const double x_label = left + 18, y_label = kDiagramTop + kDiagramHeight / 2;
  svg += joined("<text x=\"", x_label, "\" y=\"", y_label, "\" text-anchor=\"middle\" transform=\"rotate(-90 ", x_label,
                " ", y_label, ")\">", escaped(panel.y_label), "</text>\n");
  for (double step = tick_step(xs.high - xs.low), x = std::ceil(xs.low / step) * step; x <= xs.high; x += step) {
    svg += joined("<path d=\"M", px(x), " ", kDiagramTop, "V", kDiagramTop + kDiagramHeight, "\" stroke=\"#ddd\"/>\n");
    text(px(x), kDiagramTop + kDiagramHeight + 18, "middle", number(x));
  }
  for (double step = tick_step(ys.high - ys.low), y = std::ceil(ys.low / step) * step; y <= ys.high; y += step) {
    svg += joined("<path d=\"M", left + kDiagramLeft, " ", py(y), "H", left + kDiagramLeft + kDiagramWidth,
                  "\" stroke=\"#ddd\"/>\n");
    text(left + kDiagramLeft - 6, py(y) + 4, "end", number(y));
  }
  svg += joined("</g>\n<rect x=\"", left + kDiagramLeft, "\" y=\"", kDiagramTop, "\" width=\"", kDiagramWidth,
                "\" height=\"", kDiagramHeight, "\" fill=\"none\" stroke=\"#333\"/>\n");

  const std::vector<Pen> pens = pens_of(panel.curves);
  for (const bool background : {true, false}) {
    for (std::size_t i = panel.curves.size(); i-- > 0;) {  // the first one lies on top
      if (panel.curves[i].background == background)
        draw_curve(svg, thinned(panel.curves[i], 2 * static_cast<std::size_t>(kDiagramWidth)), pens[i], px, py);
    }
  }
  for (const LegendEntry& entry : legend_of(panel)) {
    const double x = left + entry.x, y = kPanelHeight + kLegendRow * entry.row;
    svg += joined("<path d=\"M", x, " ", y, "h", kSwatch, "\" stroke=\"", pens[entry.curve].colour,
                  "\" stroke-width=\"", pens[entry.curve].width, "\"/>\n<text x=\"", x + kSwatch + 6, "\" y=\"", y + 4,
                  "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">",
                  escaped(panel.curves[entry.curve].name), "</text>\n");
  }
}

}  // namespace detail

/// The panels from left to right as one SVG document.
inline std::string curves_svg(const std::vector<Panel>& panels) {
  using detail::kPanelHeight, detail::kPanelWidth, detail::kLegendRow;
  int rows = 0;
  for (const Panel& panel : panels) {
    for (const auto& entry : detail::legend_of(panel)) rows = std::max(rows, entry.row + 1);
  }
  const double width = kPanelWidth * static_cast<double>(panels.size());
  const double height = kPanelHeight + kLegendRow * rows;
  std::string svg =
      joined("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", width, "\" height=\"", height, "\" viewBox=\"0 0 ",
             width, " ", height, "\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
  double left = 0;
  for (const Panel& panel : panels) {
    detail::draw_panel(svg, panel, left);
    left += kPanelWidth;
  }
  return svg += "</svg>\n";
}

/// The mean of each value and the (window - 1) / 2 values on both sides of it. Near an end it is over as many values as
/// there are on the shorter side, so that it lags nowhere; the first and the last value are their own means.
/// Cost     window additions for each value, none of which leaves a rounding error for the next one
inline std::vector<double> moving_average(const std::vector<double>& values, std::size_t window) {
  const std::size_t most = window > 0 ? (window - 1) / 2 : 0;
  std::vector<double> means;
  means.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t half = std::min({most, i, values.size() - 1 - i});
    double sum = 0.0;
    for (std::size_t k = i - half; k <= i + half; ++k) sum += values[k];
    means.push_back(sum / static_cast<double>(2 * half + 1));
  }
  return means;
}

/// The losses of a run in one panel: those of its steps, faint, before them their moving average, and that of the
/// validation set, which is called by its name, if the run has measured any.
inline Panel loss_panel(const Curve& steps, const std::vector<Measurement>& history,
                        const std::string& y_label = "loss", const std::string& validation = "validation") {
  constexpr std::size_t kWindow = 51;
  Panel panel{"training loss", "step", y_label, {}};
  panel.curves.push_back(
      {steps.x, moving_average(steps.y, kWindow), joined("training, mean of ", kWindow, " steps"), false});
  Curve measured{{}, {}, validation, false};
  for (const Measurement& m : history) {
    if (!std::isfinite(m.validation_loss)) continue;
    measured.x.push_back(static_cast<double>(m.step));
    measured.y.push_back(m.validation_loss);
  }
  if (!measured.x.empty()) {
    panel.title = joined("training and ", validation, " loss");
    panel.curves.push_back(std::move(measured));
  }
  panel.curves.push_back({steps.x, steps.y, "training, each step", true});
  return panel;
}

}  // namespace eigengrad::EIGENGRAD_ISA::train
