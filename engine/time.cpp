#include "saltus/engine/time.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "saltus/engine/errors.hpp"

namespace saltus {

namespace {

constexpr const char* range_text = "beyond the range of time, 9223.37 s in whole femtoseconds";

struct Unit {
    std::string_view name;
    std::int64_t femtoseconds;
};
constexpr std::array<Unit, 8> units{{{"fs", 1},
                                     {"ps", 1'000},
                                     {"ns", 1'000'000},
                                     {"us", 1'000'000'000},
                                     {"ms", 1'000'000'000'000},
                                     {"s", 1'000'000'000'000'000},
                                     {"min", 60'000'000'000'000'000},
                                     {"h", 3'600'000'000'000'000'000}}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// magnitude <- 10 magnitude + digit; false on overflow.
bool append_digit(std::int64_t& magnitude, char digit) {
    return !__builtin_mul_overflow(magnitude, std::int64_t{10}, &magnitude) &&
           !__builtin_add_overflow(magnitude, std::int64_t{digit - '0'}, &magnitude);
}

}  // namespace

std::int64_t detail::checked_sum(std::int64_t a, std::int64_t b) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) throw LimitError(std::string("sum of times ") + range_text);
    return sum;
}

std::int64_t detail::checked_difference(std::int64_t a, std::int64_t b) {
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(a, b, &difference)) {
        throw LimitError(std::string("difference of times ") + range_text);
    }
    return difference;
}

Duration duration_from_seconds(double seconds, std::string_view what) {
    if (std::isnan(seconds)) throw UsageError(std::string(what) + ": expected a time in seconds, found NaN");
    const double femtoseconds = std::round(seconds * femtoseconds_per_second);
    if (!(std::abs(femtoseconds) < 9.2233720368547748e18)) {
        throw LimitError(std::string(what) + ": " + std::to_string(seconds) + " s is " + range_text);
    }
    return Duration(static_cast<std::int64_t>(femtoseconds));
}

Duration parse_duration(std::string_view text) {
    const auto refuse = [&](const std::string& found) {
        return UsageError("expected a time with a unit (250us, 1.5ms, 2s; fs ps ns us ms s min h), found " +
                          quoted(text) + found);
    };
    const auto too_long = [&] { return LimitError(quoted(text) + " is " + range_text); };

    std::size_t i = 0;
    const bool negative = !text.empty() && text[0] == '-';
    if (negative || (!text.empty() && text[0] == '+')) ++i;

    std::int64_t whole = 0;
    std::size_t digits = 0;
    for (; i < text.size() && is_digit(text[i]); ++i, ++digits) {
        if (!append_digit(whole, text[i])) throw too_long();
    }
    std::string_view fraction;
    if (i < text.size() && text[i] == '.') {
        const std::size_t begin = ++i;
        while (i < text.size() && is_digit(text[i])) ++i;
        fraction = text.substr(begin, i - begin);
        digits += fraction.size();
    }
    if (digits == 0) throw refuse("");
    const std::string_view suffix = text.substr(i);
    const auto unit =
        std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == suffix; });
    if (unit == units.end()) throw refuse(suffix.empty() ? ", which has no unit" : "");

    std::int64_t femtoseconds = 0;
    if (__builtin_mul_overflow(whole, unit->femtoseconds, &femtoseconds)) throw too_long();
    // Each digit after the point is a tenth of the last: exact as long as the place divides the unit.
    std::int64_t place = unit->femtoseconds;
    for (const char digit : fraction) {
        if (digit != '0' && place % 10 != 0) throw refuse(", which is not a whole number of femtoseconds");
        place /= 10;
        if (__builtin_add_overflow(femtoseconds, place * (digit - '0'), &femtoseconds)) throw too_long();
    }
    return Duration(negative ? -femtoseconds : femtoseconds);
}

std::string to_string(Duration duration) {
    if (duration == Duration()) return "0s";
    const bool negative = duration < Duration();
    // Unsigned, so that the most negative duration has a magnitude too.
    const auto bits = static_cast<std::uint64_t>(duration.femtoseconds());
    const std::uint64_t rest = negative ? std::uint64_t{0} - bits : bits;
    const std::string sign = negative ? "-" : "";
    const auto smallest_larger = std::find_if(units.begin(), units.begin() + 6, [&](const Unit& u) {
        return rest / 1000 < static_cast<std::uint64_t>(u.femtoseconds);
    });
    const Unit& unit = smallest_larger == units.begin() + 6 ? units[5] : *smallest_larger;
    const auto unit_size = static_cast<std::uint64_t>(unit.femtoseconds);
    std::string text = sign + std::to_string(rest / unit_size);
    std::string fraction;
    std::uint64_t remainder = rest % unit_size;
    for (std::uint64_t place = unit_size / 10; remainder != 0; place /= 10) {
        fraction += static_cast<char>('0' + remainder / place);
        remainder %= place;
    }
    if (!fraction.empty()) text += "." + fraction;
    return text + std::string(unit.name);
}

}  // namespace saltus
