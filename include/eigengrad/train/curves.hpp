// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <eigengrad/core/text.hpp>

// Curves as an SVG picture, one panel beside the other.
//   std::string svg = train::curves_svg({{"training loss", "step", "loss", {{steps, losses}}}, ...});

namespace eigengrad::EIGENGRAD_ISA::train {

/// Points joined by a line.
struct Curve {
  std::vector<double> x;
  std::vector<double> y;
};

/// One diagram. The first curve is drawn strongest.
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

inline void draw_panel(std::string& svg, const Panel& panel, double left) {
  constexpr double kLeft = 70, kTop = 40, kWidth = 360, kHeight = 240;
  Range xs, ys;
  for (const Curve& curve : panel.curves) {
    xs.include(curve.x);
    ys.include(curve.y);
  }
  xs.widen();
  ys.widen();
  const auto px = [&](double x) { return left + kLeft + kWidth * xs.position(x); };
  const auto py = [&](double y) { return kTop + kHeight * (1.0 - ys.position(y)); };
  const auto text = [&](double x, double y, const char* anchor, const std::string& words) {
    svg += joined("<text x=\"", x, "\" y=\"", y, "\" text-anchor=\"", anchor, "\">", escaped(words), "</text>\n");
  };
  const auto number = [](double value) { return to_general(std::abs(value) < 1e-12 ? 0.0 : value); };

  svg += "<g font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">\n";
  text(left + kLeft + kWidth / 2, kTop - 16, "middle", panel.title);
  text(left + kLeft + kWidth / 2, kTop + kHeight + 40, "middle", panel.x_label);
  const double x_label = left + 18, y_label = kTop + kHeight / 2;
  svg += joined("<text x=\"", x_label, "\" y=\"", y_label, "\" text-anchor=\"middle\" transform=\"rotate(-90 ", x_label,
                " ", y_label, ")\">", escaped(panel.y_label), "</text>\n");
  for (double step = tick_step(xs.high - xs.low), x = std::ceil(xs.low / step) * step; x <= xs.high; x += step) {
    svg += joined("<path d=\"M", px(x), " ", kTop, "V", kTop + kHeight, "\" stroke=\"#ddd\"/>\n");
    text(px(x), kTop + kHeight + 18, "middle", number(x));
  }
  for (double step = tick_step(ys.high - ys.low), y = std::ceil(ys.low / step) * step; y <= ys.high; y += step) {
    svg += joined("<path d=\"M", left + kLeft, " ", py(y), "H", left + kLeft + kWidth, "\" stroke=\"#ddd\"/>\n");
    text(left + kLeft - 6, py(y) + 4, "end", number(y));
  }
  svg += joined("</g>\n<rect x=\"", left + kLeft, "\" y=\"", kTop, "\" width=\"", kWidth, "\" height=\"", kHeight,
                "\" fill=\"none\" stroke=\"#333\"/>\n");

  for (std::size_t i = panel.curves.size(); i-- > 0;) {  // the first one lies on top
    const Curve curve = thinned(panel.curves[i], 2 * static_cast<std::size_t>(kWidth));
    svg += joined("<polyline fill=\"none\" stroke=\"", i == 0 ? "#1f5fa8" : "#b8cfe6", "\" stroke-width=\"",
                  i == 0 ? 1.8 : 0.8, "\" points=\"");
    for (std::size_t k = 0; k < curve.x.size(); ++k) svg += joined(px(curve.x[k]), ",", py(curve.y[k]), " ");
    svg += "\"/>\n";
  }
}

}  // namespace detail

/// The panels from left to right as one SVG document.
inline std::string curves_svg(const std::vector<Panel>& panels) {
  constexpr double kPanelWidth = 460, kPanelHeight = 340;
  const double width = kPanelWidth * static_cast<double>(panels.size());
  std::string svg = joined("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", width, "\" height=\"", kPanelHeight,
                           "\" viewBox=\"0 0 ", width, " ", kPanelHeight,
                           "\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
  double left = 0;
  for (const Panel& panel : panels) {
    detail::draw_panel(svg, panel, left);
    left += kPanelWidth;
  }
  return svg += "</svg>\n";
}

/// The mean of each value and the up to `window` - 1 values before it.
inline std::vector<double> moving_average(const std::vector<double>& values, std::size_t window) {
  std::vector<double> means;
  means.reserve(values.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += values[i];
    if (i >= window) sum -= values[i - window];
    means.push_back(sum / static_cast<double>(std::min(i + 1, window)));
  }
  return means;
}

}  // namespace eigengrad::EIGENGRAD_ISA::train
