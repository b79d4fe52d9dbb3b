// Time in whole femtoseconds: exact sums, refusals at the ends of the range, text with a unit both ways.
#include "saltus/engine/time.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/random.hpp"

using namespace saltus;

namespace {

constexpr std::int64_t second = 1'000'000'000'000'000;

std::string refusal(std::string_view text) {
    try {
        (void)parse_duration(text);
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace

TEST_SUITE("engine/time") {
    TEST_CASE("a tenth of a second ten times is one second, to the tick") {
        Time t;
        const Duration tenth = parse_duration("100ms");
        for (int i = 0; i < 10; ++i) t = t + tenth;
        CHECK(t.femtoseconds() == second);
        CHECK(t.seconds() == 1.0);
        CHECK(t - Time() == parse_duration("1s"));
        CHECK(t - tenth == Time(parse_duration("900ms")));
    }

    TEST_CASE("instants and spans are ordered, and never is after all of them") {
        CHECK(Time() < Time(Duration(1)));
        CHECK(Duration(-1) < Duration(0));
        CHECK(Time(Duration(INT64_MAX - 1)) < Time::never());
        CHECK(Duration::max().femtoseconds() == INT64_MAX);
    }

    TEST_CASE("a sum that leaves the range is refused, one that just fits is not") {
        CHECK((Duration(INT64_MAX - 1) + Duration(1)) == Duration::max());
        CHECK_THROWS_AS((void)(Duration::max() + Duration(1)), LimitError);
        CHECK_THROWS_AS((void)(Duration(INT64_MIN) - Duration(1)), LimitError);
        CHECK_THROWS_AS((void)(Time::never() + Duration(1)), LimitError);
        CHECK_THROWS_AS((void)(Time(Duration(INT64_MIN)) - Time(Duration(1))), LimitError);
        CHECK_THROWS_WITH((void)(Duration::max() + Duration(1)),
                          "sum of times beyond the range of time, 9223.37 s in whole femtoseconds");
    }

    TEST_CASE("seconds become the nearest femtosecond") {
        CHECK(duration_from_seconds(0.0).femtoseconds() == 0);
        CHECK(duration_from_seconds(1e-15).femtoseconds() == 1);
        CHECK(duration_from_seconds(0.4e-15).femtoseconds() == 0);
        CHECK(duration_from_seconds(0.6e-15).femtoseconds() == 1);
        CHECK(duration_from_seconds(-1.5).femtoseconds() == -3 * second / 2);
        CHECK(duration_from_seconds(9223.0).femtoseconds() == 9223 * second);
    }

    TEST_CASE("seconds that are not a time are refused with the name of the quantity") {
        constexpr double nan = std::numeric_limits<double>::quiet_NaN();
        constexpr double infinity = std::numeric_limits<double>::infinity();
        CHECK_THROWS_WITH_AS((void)duration_from_seconds(nan, "delay"),
                             "delay: expected a time in seconds, found NaN", UsageError);
        CHECK_THROWS_WITH_AS(
            (void)duration_from_seconds(1e5),
            "duration: 100000.000000 s is beyond the range of time, 9223.37 s in whole femtoseconds",
            LimitError);
        CHECK_THROWS_AS((void)duration_from_seconds(infinity), LimitError);
        CHECK_THROWS_AS((void)duration_from_seconds(-infinity), LimitError);
        CHECK_THROWS_AS((void)duration_from_seconds(9223.372036854777), LimitError);  // just above 2^63 fs
    }

    TEST_CASE("text is read exactly, in every unit") {
        CHECK(parse_duration("7fs").femtoseconds() == 7);
        CHECK(parse_duration("7ps").femtoseconds() == 7'000);
        CHECK(parse_duration("7ns").femtoseconds() == 7'000'000);
        CHECK(parse_duration("250us").femtoseconds() == second / 4'000);
        CHECK(parse_duration("1.5ms").femtoseconds() == 3 * second / 2'000);
        CHECK(parse_duration("2s").femtoseconds() == 2 * second);
        CHECK(parse_duration("1min").femtoseconds() == 60 * second);
        CHECK(parse_duration("2.5h").femtoseconds() == 9'000 * second);
        CHECK(parse_duration("0.1s").femtoseconds() == second / 10);
        CHECK(parse_duration(".5s").femtoseconds() == second / 2);
        CHECK(parse_duration("1.s").femtoseconds() == second);
        CHECK(parse_duration("+1s").femtoseconds() == second);
        CHECK(parse_duration("-0.25ms").femtoseconds() == -second / 4'000);
        CHECK(parse_duration("0.000000000000001s").femtoseconds() == 1);
        CHECK(parse_duration("1.50000000000000000000000s").femtoseconds() == 3 * second / 2);
    }

    TEST_CASE("text that is not a time with a unit is refused and shown") {
        const std::string expected =
            "expected a time with a unit (250us, 1.5ms, 2s; fs ps ns us ms s min h), found ";
        CHECK(refusal("5") == expected + "'5', which has no unit");
        for (const std::string text : {"", "ms", "-", ".", ".s", "1 ms", " 1ms", "1ms ", "1e3s", "0x1s",
                                       "1,5ms", "1S", "--1s", "1.2.3s", "nan", "inf", "1d"}) {
            CAPTURE(text);
            CHECK(refusal(text) == expected + quoted(text));
        }
        CHECK(refusal("1\n") == expected + "'1\\x0a'");
        CHECK_THROWS_AS((void)parse_duration("five"), UsageError);
    }

    TEST_CASE("less than a femtosecond is refused, not rounded") {
        const std::string text = ", which is not a whole number of femtoseconds";
        CHECK(refusal("0.5fs").ends_with("found '0.5fs'" + text));
        CHECK(refusal("1.0005ps").ends_with("found '1.0005ps'" + text));
        CHECK(refusal("0.0000000000000001s").ends_with(text));
    }

    TEST_CASE("text beyond the range is refused, the last tick is read") {
        CHECK(parse_duration("9223372036854775807fs") == Duration::max());
        CHECK(parse_duration("9223.372036854775807s") == Duration::max());
        CHECK(parse_duration("-9223.372036854775807s").femtoseconds() == -INT64_MAX);
        for (const std::string text : {"9223372036854775808fs", "9223.372036854775808s", "9224s", "3h",
                                       "1000min", "99999999999999999999999s"}) {
            CAPTURE(text);
            CHECK(refusal(text) ==
                  quoted(text) + " is beyond the range of time, 9223.37 s in whole femtoseconds");
            CHECK_THROWS_AS((void)parse_duration(text), LimitError);
        }
    }

    TEST_CASE("a span is written with the unit that leaves at most three digits before the point") {
        CHECK(to_string(Duration()) == "0s");
        CHECK(to_string(Duration(1)) == "1fs");
        CHECK(to_string(Duration(999)) == "999fs");
        CHECK(to_string(Duration(1'000)) == "1ps");
        CHECK(to_string(Duration(1'001)) == "1.001ps");
        CHECK(to_string(parse_duration("250us")) == "250us");
        CHECK(to_string(parse_duration("1500us")) == "1.5ms");
        CHECK(to_string(parse_duration("999.999999999999999s")) == "999.999999999999999s");
        CHECK(to_string(parse_duration("2h")) == "7200s");
        CHECK(to_string(parse_duration("-1.05ms")) == "-1.05ms");
        CHECK(to_string(Duration::max()) == "9223.372036854775807s");
    }

    TEST_CASE("what to_string writes, parse_duration reads back to the tick") {
        const CounterRandom random(1, 1);
        for (std::uint64_t i = 0; i < 2'000; ++i) {
            // All magnitudes: i mod 63 bits are dropped from a random positive number.
            const auto magnitude = static_cast<std::int64_t>(random.bits(i) >> 1 >> (i % 63));
            const Duration duration(i % 2 == 0 ? magnitude : -magnitude);
            CAPTURE(magnitude);
            REQUIRE(parse_duration(to_string(duration)) == duration);
        }
    }
}
