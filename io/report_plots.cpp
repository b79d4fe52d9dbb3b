#include "report_plots.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "saltus/engine/errors.hpp"

namespace saltus::io::html {

namespace {

// Sizes in units of the view box; the drawing scales with the page.
constexpr double width = 900.0;
constexpr double left = 78.0;
constexpr double right = 16.0;
constexpr double plot_width = width - left - right;
constexpr double axis_height = 46.0;  // tick labels and axis label below a panel
constexpr int colours = 6;            // .c0 to .c5 of the style sheet

/// Values further out than this count as not finite: their differences must not overflow.
constexpr double largest = 1e300;

bool drawable(double value) {
    return std::abs(value) <= largest;
}

/// A closed interval of values, mapped to a closed interval of positions.
struct Axis {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    double from = 0.0;
    double to = 1.0;

    void include(double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    /// Makes the interval one of positive length.
    void settle() {
        if (low > high) low = 0.0, high = 1.0;
        if (high - low <= 1e-12 * std::max(std::abs(low), std::abs(high)) || high == low) {
            const double half = low == 0.0 ? 0.5 : 0.5 * std::abs(low);
            low -= half;
            high += half;
        }
    }
    [[nodiscard]] double position(double value) const {
        return from + (value - low) / (high - low) * (to - from);
    }
    /// Multiples of 1, 2 or 5 times a power of ten, four to eight of them.
    [[nodiscard]] std::vector<double> ticks() const {
        const double rough = (high - low) / 5.0;
        const double power = std::pow(10.0, std::floor(std::log10(rough)));
        const double step = power * (rough < 1.5 * power   ? 1.0
                                     : rough < 3.5 * power ? 2.0
                                     : rough < 7.5 * power ? 5.0
                                                           : 10.0);
        std::vector<double> result;
        const double first = std::ceil(low / step);
        for (int i = 0; i < 12 && (first + i) * step <= high * (1 + 1e-12) + 1e-12 * step; ++i) {
            result.push_back((first + i) * step);
        }
        return result;
    }
};

/// Position with one decimal, as the drawings do not need more.
std::string at(double position) {
    std::array<char, 32> text{};
    const double rounded = std::round(position * 10.0) / 10.0;
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), rounded == 0.0 ? 0.0 : rounded).ptr;
    return {text.data(), end};
}

std::string text_at(double x, double y, std::string_view anchor, const std::string& text,
                    const std::string& extra = {}) {
    return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" + std::string(anchor) + "\"" +
           extra + ">" + escaped(text) + "</text>";
}

std::string line(double x1, double y1, double x2, double y2, std::string_view style) {
    return "<path class=\"" + std::string(style) + "\" d=\"M" + at(x1) + " " + at(y1) + "L" + at(x2) + " " +
           at(y2) + "\"/>";
}

std::string svg(double height, const std::string& label, const std::string& body) {
    return "<svg viewBox=\"0 0 " + at(width) + " " + at(height) + "\" role=\"img\" aria-label=\"" +
           escaped(label) + "\">\n" + body + "</svg>\n";
}

std::string frame_x(const Axis& x, double top, double bottom, const std::string& label) {
    std::string body;
    for (const double tick : x.ticks()) {
        body += line(x.position(tick), top, x.position(tick), bottom, "grid");
        body += text_at(x.position(tick), bottom + 17.0, "middle", number(tick));
    }
    body += line(x.from, bottom, x.to, bottom, "axis") + "\n";
    return body + text_at((x.from + x.to) / 2, bottom + 38.0, "middle", label, " class=\"label\"") + "\n";
}

std::string frame_y(const Axis& y, const std::string& label) {
    std::string body;
    for (const double tick : y.ticks()) {
        body += line(left, y.position(tick), left + plot_width, y.position(tick), "grid");
        body += text_at(left - 8.0, y.position(tick) + 4.0, "end", number(tick));
    }
    const std::string middle = at((y.from + y.to) / 2);
    return body +
           text_at(16.0, (y.from + y.to) / 2, "middle", label,
                   " class=\"label\" transform=\"rotate(-90 16 " + middle + ")\"") +
           "\n";
}

std::string note(const std::string& text) {
    return "<p class=\"note\">" + escaped(text) + "</p>\n";
}

struct TimeUnit {
    const char* name;
    double seconds;
};

TimeUnit unit_for(double seconds) {
    constexpr std::array<TimeUnit, 5> units{
        {{"s", 1.0}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}, {"ps", 1e-12}}};
    for (const TimeUnit& unit : units) {
        if (seconds >= unit.seconds) return unit;
    }
    return {"fs", 1e-15};
}

double panel_height(std::uint64_t neurons) {
    return std::clamp(3.0 * static_cast<double>(std::min<std::uint64_t>(neurons, 1000)), 48.0, 260.0);
}

/// The spikes of one panel as a single path of short vertical strokes; every `stride`-th, counted through all
/// panels.
std::string strokes(const Raster::Panel& panel, const Axis& x, const TimeUnit& unit, double top,
                    double height, std::uint64_t stride, std::uint64_t& counter) {
    const double row = height / static_cast<double>(panel.neurons);
    const std::string stroke = "v" + at(std::clamp(0.8 * row, 1.5, 12.0));
    std::string path;
    for (std::size_t i = 0; i < panel.spikes.size(); ++i) {
        if (counter++ % stride != 0) continue;
        path += "M" + at(x.position(panel.spikes.times[i].seconds() / unit.seconds)) + " " +
                at(top + row * (static_cast<double>(panel.spikes.neurons[i]) + 0.1)) + stroke;
    }
    return path;
}

void check(const Raster& raster) {
    for (const Raster::Panel& panel : raster.panels) {
        if (panel.spikes.times.size() != panel.spikes.neurons.size()) {
            throw UsageError("raster of " + saltus::quoted(panel.population) +
                             ": expected as many times as neurons, found " +
                             std::to_string(panel.spikes.times.size()) + " and " +
                             std::to_string(panel.spikes.neurons.size()) + ".");
        }
        for (const NeuronIndex neuron : panel.spikes.neurons) {
            if (neuron >= panel.neurons) {
                throw UsageError("raster of " + saltus::quoted(panel.population) +
                                 ": expected neurons below " + std::to_string(panel.neurons) + ", found " +
                                 std::to_string(neuron) + ".");
            }
        }
    }
    if (raster.max_spikes == 0) throw UsageError("raster: max_spikes: expected at least 1, found 0.");
}

void check(const LinePlot::Series& series) {
    if (series.x.size() != series.y.size()) {
        throw UsageError("line " + saltus::quoted(series.name) + ": expected as many x as y, found " +
                         std::to_string(series.x.size()) + " and " + std::to_string(series.y.size()) + ".");
    }
}

void check(const Histogram& histogram) {
    if (histogram.edges.size() != histogram.counts.size() + 1) {
        throw UsageError("histogram: expected one more edge than counts, found " +
                         std::to_string(histogram.edges.size()) + " and " +
                         std::to_string(histogram.counts.size()) + ".");
    }
    for (std::size_t i = 0; i < histogram.edges.size(); ++i) {
        if (!drawable(histogram.edges[i]) || (i > 0 && !(histogram.edges[i - 1] < histogram.edges[i]))) {
            throw UsageError("histogram: expected finite edges that rise, found " +
                             number(histogram.edges[i]) + " as edge " + std::to_string(i) + ".");
        }
    }
}

std::string legend(const std::vector<LinePlot::Series>& series) {
    std::string body = "<p class=\"legend\">";
    for (std::size_t i = 0; i < series.size(); ++i) {
        const std::string style = std::to_string(i % colours);
        body += "<span><svg class=\"key\" viewBox=\"0 0 28 10\"><path class=\"line c" + style +
                "\" d=\"M0 5H28\"/></svg>" + escaped(series[i].name) + "</span> ";
    }
    return body + "</p>\n";
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            case '\'':
                result += "&#39;";
                break;
            default:
                const auto byte = static_cast<unsigned char>(c);
                const bool control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
                result += control ? std::string("&#xFFFD;") : std::string(1, c);
        }
    }
    return result;
}

std::string number(double value) {
    std::array<char, 48> text{};
    const double clean = value == 0.0 ? 0.0 : value;  // no "-0"
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), clean, std::chars_format::general, 6).ptr;
    return {text.data(), end};
}

std::string grouped(std::uint64_t value) {
    std::string text = std::to_string(value);
    for (auto i = static_cast<std::ptrdiff_t>(text.size()) - 3; i > 0; i -= 3) {
        text.insert(static_cast<std::size_t>(i), ",");
    }
    return text;
}

std::string drawn(const Raster& raster) {
    check(raster);
    std::uint64_t total = 0;
    double end = raster.duration.seconds();
    for (const Raster::Panel& panel : raster.panels) {
        total += panel.spikes.size();
        for (const Time time : panel.spikes.times) end = std::max(end, time.seconds());
    }
    const std::uint64_t stride =
        std::max<std::uint64_t>(1, (total + raster.max_spikes - 1) / raster.max_spikes);
    const TimeUnit unit = unit_for(end);

    Axis x{.low = 0.0, .high = end / unit.seconds, .from = left, .to = left + plot_width};
    if (end <= 0.0) x.high = 1.0;
    std::string body;
    double y = 6.0;
    std::uint64_t counter = 0;
    for (std::size_t i = 0; i < raster.panels.size(); ++i) {
        const Raster::Panel& panel = raster.panels[i];
        const double height = panel_height(panel.neurons);
        body += text_at(left, y + 13.0, "start",
                        panel.population + ": " + grouped(panel.neurons) + " neurons, " +
                            grouped(panel.spikes.size()) + " spikes",
                        " class=\"label\"") +
                "\n";
        y += 20.0;
        body += "<rect class=\"panel\" x=\"" + at(left) + "\" y=\"" + at(y) + "\" width=\"" + at(plot_width) +
                "\" height=\"" + at(height) + "\"/>";
        body += text_at(left - 8.0, y + 11.0, "end", "0");
        if (panel.neurons > 1)
            body += text_at(left - 8.0, y + height, "end", std::to_string(panel.neurons - 1));
        body += "<path class=\"spikes c" + std::to_string(i % colours) + "\" d=\"" +
                strokes(panel, x, unit, y, height, stride, counter) + "\"/>\n";
        y += height + 10.0;
    }
    body += frame_x(x, y - 6.0, y - 2.0, std::string("time [") + unit.name + "]");
    std::string page = svg(y + axis_height, "Raster of spikes", body);
    if (stride > 1) {
        page += note("Thinned: " + grouped((total + stride - 1) / stride) + " of " + grouped(total) +
                     " spikes are drawn, one in " + grouped(stride) + ".");
    }
    return page;
}

std::string drawn(const LinePlot& plot) {
    constexpr double height = 300.0;
    Axis x{.from = left, .to = left + plot_width};
    Axis y{.from = height - 4.0, .to = 10.0};
    std::uint64_t gaps = 0;
    std::uint64_t points = 0;
    for (const LinePlot::Series& series : plot.series) {
        check(series);
        points += series.x.size();
        for (std::size_t i = 0; i < series.x.size(); ++i) {
            if (drawable(series.x[i]) && drawable(series.y[i])) {
                x.include(series.x[i]);
                y.include(series.y[i]);
            } else {
                ++gaps;
            }
        }
    }
    x.settle();
    y.settle();
    std::string body = frame_y(y, plot.y_label) + frame_x(x, y.to, y.from, plot.x_label);
    for (std::size_t s = 0; s < plot.series.size(); ++s) {
        const LinePlot::Series& series = plot.series[s];
        std::string path;
        std::string dots;
        bool drawing = false;
        for (std::size_t i = 0; i < series.x.size(); ++i) {
            const bool visible = drawable(series.x[i]) && drawable(series.y[i]);
            if (visible) {
                const std::string point = at(x.position(series.x[i])) + " " + at(y.position(series.y[i]));
                path += (drawing ? "L" : "M") + point;
                if (series.x.size() <= 60) dots += "M" + point + "h0";
            }
            drawing = visible;
        }
        const std::string style = " c" + std::to_string(s % colours);
        body += "<path class=\"line" + style + "\" d=\"" + path + "\"/>";
        if (!dots.empty()) body += "<path class=\"dots" + style + "\" d=\"" + dots + "\"/>";
        body += "\n";
    }
    std::string page = svg(height + axis_height, plot.y_label + " over " + plot.x_label, body);
    if (plot.series.size() > 1) page += legend(plot.series);
    if (gaps > 0)
        page +=
            note("Not drawn because not finite: " + grouped(gaps) + " of " + grouped(points) + " points.");
    return page;
}

std::string drawn(const Histogram& histogram) {
    check(histogram);
    constexpr double height = 240.0;
    Axis x{.low = histogram.edges.front(),
           .high = histogram.edges.back(),
           .from = left,
           .to = left + plot_width};
    Axis y{.low = 0.0, .high = 0.0, .from = height - 4.0, .to = 10.0};
    for (const std::uint64_t count : histogram.counts) y.include(static_cast<double>(count));
    x.settle();
    if (y.high == 0.0) y.high = 1.0;
    std::string body = frame_y(y, histogram.y_label) + frame_x(x, y.from, y.from, histogram.x_label);
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
        if (histogram.counts[i] == 0) continue;
        const double top = y.position(static_cast<double>(histogram.counts[i]));
        const double begin = x.position(histogram.edges[i]);
        const double end = x.position(histogram.edges[i + 1]);
        const double gap = end - begin > 4.0 ? 1.0 : 0.0;
        body += "<rect class=\"bar\" x=\"" + at(begin) + "\" y=\"" + at(top) + "\" width=\"" +
                at(end - begin - gap) + "\" height=\"" + at(y.from - top) + "\"><title>" +
                escaped(number(histogram.edges[i]) + " to " + number(histogram.edges[i + 1]) + ": " +
                        grouped(histogram.counts[i])) +
                "</title></rect>";
    }
    return svg(height + axis_height, "Histogram of " + histogram.x_label, body + "\n");
}

}  // namespace saltus::io::html
