#include "saltus/io/report.hpp"

#include "files.hpp"
#include "report_plots.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::io {

namespace {

using html::escaped;
using html::grouped;

// Colours of lines and spikes: Okabe and Ito's set, which is told apart with any colour vision; the dark page
// takes lighter tones of the same hues.
constexpr const char* style = R"(
:root{color-scheme:light dark;--page:#fbfbfa;--card:#fff;--text:#1c2126;--soft:#5b6570;--rule:#dfe3e6;
--grid:#e9ecee;
--heat:0,114,178;--on-heat:#fff;--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#b5578f;--c4:#b07d00;
--c5:#3a93c8}
@media(prefers-color-scheme:dark){:root{--page:#14171a;--card:#1c2024;--text:#e6e9ec;--soft:#9aa5b0;
--rule:#343b42;
--grid:#2a3036;--heat:86,180,233;--on-heat:#0b1015;--c0:#6bb8ec;--c1:#f08a4b;--c2:#35c79c;--c3:#e09cc4;
--c4:#e6b23c;--c5:#9bd3f5}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:980px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:26px;line-height:1.25;margin:0 0 20px;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 10px;overflow-wrap:anywhere}
section{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:18px 20px;
margin:0 0 18px}
p{margin:0 0 10px;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--grid);vertical-align:top;
overflow-wrap:anywhere}
tr:last-child>*{border-bottom:0}
th{font-weight:600}
.pairs th{font-weight:400;color:var(--soft);white-space:nowrap;padding-right:28px}
.matrix th,.matrix td{text-align:center;padding:5px 8px;min-width:38px;border:1px solid var(--card);
vertical-align:middle}
.matrix tbody th{text-align:right}
.matrix .rate{color:var(--soft);padding-left:16px}
.matrix .zero{color:var(--soft)}
.matrix .strong{color:var(--on-heat)}
.matrix .right{outline:2px solid var(--text);outline-offset:-2px;font-weight:600}
.note{color:var(--soft);font-size:13px;margin:8px 0 0}
.legend span{display:inline-block;margin-right:18px;font-size:13px}
svg{display:block;width:100%;height:auto}
svg.key{display:inline-block;width:28px;height:10px;margin-right:7px}
svg text{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
svg .label{fill:var(--text);font-size:13px}
path{fill:none;stroke-width:1}
.grid{stroke:var(--grid)}.axis{stroke:var(--soft)}
.panel{fill:none;stroke:var(--rule)}
.spikes{stroke-width:1.3}
.line{stroke-width:2;stroke-linejoin:round}
.dots{stroke-width:6;stroke-linecap:round}
.bar{fill:var(--c0)}
.c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}.c4{stroke:var(--c4)}
.c5{stroke:var(--c5)}
.line.c1{stroke-dasharray:9 4}.line.c2{stroke-dasharray:3 3}.line.c3{stroke-dasharray:12 3 3 3}
.line.c4{stroke-dasharray:6 6}.line.c5{stroke-dasharray:16 4}
@media print{section{break-inside:avoid;border:0;padding:0}.matrix td{print-color-adjust:exact;
-webkit-print-color-adjust:exact}}
)";

std::string percent(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return "-";
    const auto tenths =
        static_cast<std::uint64_t>(1000.0 * static_cast<double>(part) / static_cast<double>(whole) + 0.5);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

std::string table_of(const KeyValues& pairs) {
    std::string page = "<div class=\"scroll\"><table class=\"pairs\">\n";
    for (const auto& [name, value] : pairs.rows) {
        page += "<tr><th scope=\"row\">" + escaped(name) + "</th><td>" + escaped(value) + "</td></tr>\n";
    }
    return page + "</table></div>\n";
}

std::string table_of(const Table& table) {
    std::string page = "<div class=\"scroll\"><table>\n<thead><tr>";
    for (const std::string& column : table.columns) page += "<th scope=\"col\">" + escaped(column) + "</th>";
    page += "</tr></thead>\n<tbody>\n";
    for (const std::vector<std::string>& row : table.rows) {
        if (row.size() != table.columns.size()) {
            throw UsageError("table: expected rows of " + std::to_string(table.columns.size()) +
                             " cells, found one of " + std::to_string(row.size()) + ".");
        }
        page += "<tr>";
        for (const std::string& cell : row) page += "<td>" + escaped(cell) + "</td>";
        page += "</tr>\n";
    }
    return page + "</tbody></table></div>\n";
}

/// Shade: the share of its row, so that rare classes show their mistakes as well as frequent ones do.
std::string cell(std::uint64_t count, std::uint64_t row_total, bool right) {
    const double share = row_total == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(row_total);
    std::string classes = count == 0 ? "zero" : share > 0.5 ? "strong" : "";
    if (right) classes += classes.empty() ? "right" : " right";
    std::string tag = "<td";
    if (!classes.empty()) tag += " class=\"" + classes + "\"";
    if (count > 0) tag += " style=\"background:rgba(var(--heat)," + html::number(0.08 + 0.92 * share) + ")\"";
    return tag + ">" + grouped(count) + "</td>";
}

std::string table_of(const ConfusionMatrix& matrix) {
    const std::size_t n = matrix.classes.size();
    if (matrix.counts.size() != n * n) {
        throw UsageError("confusion matrix: expected " + std::to_string(n * n) + " counts for " +
                         std::to_string(n) + " classes, found " + std::to_string(matrix.counts.size()) + ".");
    }
    std::uint64_t total = 0;
    std::uint64_t correct = 0;
    std::string rows;
    for (std::size_t i = 0; i < n; ++i) {
        std::uint64_t row_total = 0;
        for (std::size_t j = 0; j < n; ++j) row_total += matrix.counts[i * n + j];
        rows += "<tr><th scope=\"row\">" + escaped(matrix.classes[i]) + "</th>";
        for (std::size_t j = 0; j < n; ++j) rows += cell(matrix.counts[i * n + j], row_total, i == j);
        rows += "<td class=\"rate\">" + percent(matrix.counts[i * n + i], row_total) + "</td></tr>\n";
        total += row_total;
        correct += matrix.counts[i * n + i];
    }
    std::string page =
        "<p>" + grouped(correct) + " of " + grouped(total) + " right (" + percent(correct, total) +
        "). Rows: true class. Columns: answer. Last column: share of the row that is right.</p>\n";
    page += "<div class=\"scroll\"><table class=\"matrix\">\n<thead><tr><td></td>";
    for (const std::string& name : matrix.classes) page += "<th scope=\"col\">" + escaped(name) + "</th>";
    return page + "<th scope=\"col\" class=\"rate\">right</th></tr></thead>\n<tbody>\n" + rows +
           "</tbody></table></div>\n";
}

struct Content {
    std::string operator()(const KeyValues& content) const { return table_of(content); }
    std::string operator()(const Table& content) const { return table_of(content); }
    std::string operator()(const ConfusionMatrix& content) const { return table_of(content); }
    std::string operator()(const Raster& content) const { return html::drawn(content); }
    std::string operator()(const LinePlot& content) const { return html::drawn(content); }
    std::string operator()(const Histogram& content) const { return html::drawn(content); }
};

}  // namespace

std::string report_html(const Report& report) {
    std::string page =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
        escaped(report.title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n<main>\n<h1>" +
        escaped(report.title) + "</h1>\n";
    for (const Section& section : report.sections) {
        page += "<section>\n<h2>" + escaped(section.title) + "</h2>\n";
        if (!section.text.empty()) page += "<p>" + escaped(section.text) + "</p>\n";
        page += std::visit(Content{}, section.content) + "</section>\n";
    }
    return page + "</main>\n</body>\n</html>\n";
}

void write_report(const std::filesystem::path& path, const Report& report) {
    write_file(path, report_html(report));
}

}  // namespace saltus::io
