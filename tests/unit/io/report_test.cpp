#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "saltus/engine/errors.hpp"
#include "saltus/io/report.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io;
using namespace saltus::test;

namespace {

std::string page_of(decltype(Section::content) content) {
    return report_html({"title", {{"section", std::move(content)}}});
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++n;
    return n;
}

/// The path data of the spikes of the first panel.
std::string spikes_of(const std::string& page) {
    const std::string mark = "class=\"spikes c0\" d=\"";
    const std::size_t begin = page.find(mark) + mark.size();
    return page.substr(begin, page.find('"', begin) - begin);
}

Raster raster_of(std::uint64_t spikes, std::uint64_t max_spikes) {
    Raster raster;
    raster.max_spikes = max_spikes;
    raster.panels.push_back({"lif", 10, {}});
    for (std::uint64_t i = 0; i < spikes; ++i) {
        raster.panels[0].spikes.add(Time(Duration(static_cast<std::int64_t>(i) * 1'000'000'000'000)),
                                    static_cast<NeuronIndex>(i % 10));
    }
    return raster;
}

}  // namespace

TEST_SUITE("io/report") {
    TEST_CASE("every string is text, wherever it stands") {
        const std::string evil = "<script>alert('x')</script>\"&\x01";
        Raster raster;
        raster.panels.push_back({evil, 1, {}});
        const Report report{evil,
                            {{evil, KeyValues{{{evil, evil}}}, evil},
                             {evil, Table{{evil}, {{evil}}}},
                             {evil, ConfusionMatrix{{evil}, {1}}},
                             {evil, raster},
                             {evil, LinePlot{evil, evil, {{evil, {0, 1}, {0, 1}}, {evil, {}, {}}}}},
                             {evil, Histogram{evil, evil, {0, 1}, {1}}}}};
        const std::string page = report_html(report);
        CHECK(count(page, "<script") == 0);
        CHECK(count(page, "alert('x')") == 0);
        CHECK(count(page, "\x01") == 0);
        CHECK(count(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;&#xFFFD;") >= 18);
    }

    TEST_CASE("the page fetches nothing and needs no script") {
        const std::string page = report_html({"t", {{"s", raster_of(5, 10)}}});
        for (const char* word : {"http://", "https://", "<script", "<link", "<img", "@import", "url("}) {
            CAPTURE(word);
            CHECK(count(page, word) == 0);
        }
        CHECK(contains(page, "default-src 'none'"));
        CHECK(contains(page, "prefers-color-scheme:dark"));
        CHECK(page.rfind("<!DOCTYPE html>", 0) == 0);
    }

    TEST_CASE("every tag that is opened is closed") {
        const Report report{"t",
                            {{"a", KeyValues{{{"seed", "1"}}}, "text"},
                             {"b", Table{{"x", "y"}, {{"1", "2"}}}},
                             {"c", ConfusionMatrix{{"0", "1"}, {1, 2, 3, 4}}},
                             {"d", raster_of(20, 10)},
                             {"e", LinePlot{"x", "y", {{"one", {0, 1}, {0, 1}}, {"two", {0}, {1}}}}},
                             {"f", Histogram{"x", "y", {0, 1, 2}, {1, 0}}}}};
        const std::string page = report_html(report);
        for (const std::string tag :
             {"html",  "head", "body", "main", "section", "h1",   "h2",   "p",   "table", "thead",
              "tbody", "tr",   "th",   "td",   "svg",     "text", "span", "div", "title", "style"}) {
            CAPTURE(tag);
            CHECK(count(page, "<" + tag + ">") + count(page, "<" + tag + " ") ==
                  count(page, "</" + tag + ">"));
        }
        CHECK(count(page, "<section>") == 6);
    }

    TEST_CASE("confusion matrix: rows are true classes, and the shares are those of the counts") {
        const std::string page =
            page_of(ConfusionMatrix{{"cat", "dog", "emu"}, {8, 2, 0, 1, 1234, 0, 0, 0, 0}});
        CHECK(contains(page, "1,242 of 1,245 right (99.8 %). Rows: true class."));
        CHECK(contains(page,
                       "<th scope=\"row\">cat</th><td class=\"strong right\" "
                       "style=\"background:rgba(var(--heat),0.816)\">8</td>"));
        CHECK(contains(page, "<td class=\"rate\">80.0 %</td>"));
        CHECK(contains(page, "<td class=\"rate\">99.9 %</td>"));
        CHECK(contains(page,
                       "<th scope=\"row\">emu</th><td class=\"zero\">0</td><td class=\"zero\">0</td>"
                       "<td class=\"zero right\">0</td><td class=\"rate\">-</td>"));
        CHECK(contains(page_of(ConfusionMatrix{}), "0 of 0 right (-)"));
    }

    TEST_CASE("raster: every spike is drawn up to the limit, without a note") {
        const std::string page = page_of(raster_of(100, 100));
        CHECK(count(spikes_of(page), "M") == 100);
        CHECK(count(page, "Thinned") == 0);
        CHECK(contains(page, "lif: 10 neurons, 100 spikes"));
    }

    TEST_CASE("raster: beyond the limit every n-th spike is drawn, and a note says so") {
        const std::string page = page_of(raster_of(1001, 100));
        // 1001 spikes, at most 100: one in 11, that is ceil(1001 / 11) = 91
        CHECK(count(spikes_of(page), "M") == 91);
        CHECK(contains(page, "Thinned: 91 of 1,001 spikes are drawn, one in 11."));
    }

    TEST_CASE("raster: a spike stands at its time on the axis") {
        Raster raster;
        raster.duration = Duration(2'000'000'000'000'000);
        raster.panels.push_back({"p", 1, {}});
        raster.panels[0].spikes.add(Time(), 0);
        raster.panels[0].spikes.add(Time(Duration(1'000'000'000'000'000)), 0);
        raster.panels[0].spikes.add(Time(Duration(2'000'000'000'000'000)), 0);
        const std::string path = spikes_of(page_of(raster));
        // The plot reaches from 78 to 884 units.
        CHECK(contains(path, "M78 "));
        CHECK(contains(path, "M481 "));
        CHECK(contains(path, "M884 "));
    }

    TEST_CASE("a raster of nothing is still a page") {
        CHECK(contains(page_of(Raster{}), "time [fs]"));
    }

    TEST_CASE("lines: what is not finite leaves a gap and a note") {
        const double nan = std::nan("");
        const std::string page =
            page_of(LinePlot{"epoch", "loss", {{"train", {0, 1, 2, 3, 4}, {4, 3, nan, HUGE_VAL, 1}}}});
        CHECK(contains(page, "Not drawn because not finite: 2 of 5 points."));
        CHECK(contains(page, "<path class=\"line c0\" d=\"M78 10L"));
        CHECK(count(page, "nan") == 0);
        CHECK(count(page, "inf") == 0);
    }

    TEST_CASE("lines: points without extent, huge, tiny or absent do not break the axes") {
        for (const std::vector<double>& y : {std::vector<double>{},
                                             {0.0},
                                             {5.0, 5.0},
                                             {-1e300, 1e300},
                                             {1e-320, 2e-320},
                                             {1e16, 1e16 + 2},
                                             {-3.0}}) {
            std::vector<double> x;
            for (std::size_t i = 0; i < y.size(); ++i) x.push_back(static_cast<double>(i));
            const std::string page = page_of(LinePlot{"a", "b", {{"s", x, y}}});
            CHECK(count(page, "nan") == 0);
            CHECK(count(page, "\"inf") == 0);
            CHECK(page.size() < 20'000);
        }
    }

    TEST_CASE("histogram: one bar per count that is not zero, of the height of its share") {
        const std::string page = page_of(Histogram{"rate [Hz]", "neurons", {0, 10, 20, 30}, {5, 0, 10}});
        CHECK(count(page, "class=\"bar\"") == 2);
        CHECK(contains(page, "height=\"226\"><title>20 to 30: 10</title>"));
        CHECK(contains(page, "height=\"113\"><title>0 to 10: 5</title>"));
    }

    TEST_CASE("parts that do not fit together are refused") {
        const auto refusal = [](decltype(Section::content) content) {
            return message_of<UsageError>([&] { return page_of(std::move(content)); });
        };
        CHECK(contains(refusal(ConfusionMatrix{{"a", "b"}, {1, 2, 3}}),
                       "expected 4 counts for 2 classes, found 3."));
        CHECK(contains(refusal(Table{{"a", "b"}, {{"1"}}}), "expected rows of 2 cells, found one of 1."));
        CHECK(contains(refusal(LinePlot{"", "", {{"s", {1, 2}, {1}}}}),
                       "line 's': expected as many x as y, found 2 and 1."));
        CHECK(contains(refusal(Histogram{"", "", {0, 1}, {1, 2}}),
                       "expected one more edge than counts, found 2 and 2."));
        CHECK(contains(refusal(Histogram{"", "", {0, 0}, {1}}),
                       "expected finite edges that rise, found 0 as edge 1."));
        CHECK(
            contains(refusal(Histogram{"", "", {std::nan(""), 0}, {1}}), "expected finite edges that rise"));
        Raster raster = raster_of(11, 100);
        raster.panels[0].neurons = 9;
        CHECK(contains(refusal(raster), "raster of 'lif': expected neurons below 9, found 9."));
        raster.panels[0].spikes.times.pop_back();
        CHECK(contains(refusal(raster), "expected as many times as neurons, found 10 and 11."));
        raster = raster_of(1, 0);
        CHECK(contains(refusal(raster), "max_spikes: expected at least 1, found 0."));
    }

    TEST_CASE("the file holds the page, and nothing is left beside it") {
        const TemporaryFolder folder;
        const Report report{"t", {{"s", KeyValues{{{"a", "b"}}}}}};
        write_report(folder / "r.html", report);
        std::ifstream file(folder / "r.html", std::ios::binary);
        CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == report_html(report));
        CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
        CHECK(contains(message_of<FileError>([&] { write_report(folder / "no" / "r.html", report); }),
                       "r.html"));
    }
}
