// Error texts: where, field, expected, found, cure; and names shown so that a hostile one cannot break the
// line.
#include "saltus/engine/errors.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

using namespace saltus;

TEST_SUITE("engine/errors") {
    TEST_CASE("a file error says path, place, expected, found and cure") {
        const FileError error = FileError::unexpected("net.nir", "node 'lif', field 'tau'", "38 values", "1",
                                                      "Use a scalar dataset or 38 values.");
        CHECK(error.path() == "net.nir");
        CHECK(error.where() == "node 'lif', field 'tau'");
        CHECK(std::string(error.what()) ==
              "net.nir: node 'lif', field 'tau': expected 38 values, found 1. Use a scalar dataset or 38 "
              "values.");
    }

    TEST_CASE("a file error without a place or a cure leaves no stray separators") {
        CHECK(std::string(FileError("net.nir", "", "no such file").what()) == "net.nir: no such file");
        CHECK(std::string(FileError::unexpected("net.nir", "", "an HDF5 file", "text").what()) ==
              "net.nir: expected an HDF5 file, found text.");
    }

    TEST_CASE("a network error quotes a population and its field, and shows a projection as it is") {
        const NetworkError population("lif", "V_th", "expected a finite number, found nan");
        CHECK(population.node() == "lif");
        CHECK(population.field() == "V_th");
        CHECK(std::string(population.what()) == "'lif', field 'V_th': expected a finite number, found nan");
        CHECK(std::string(NetworkError("a -> b -> a", "", "has no delay").what()) ==
              "a -> b -> a: has no delay");
    }

    TEST_CASE("an input error names the population") {
        const InputError error("input", "expected neurons below 10, found 12");
        CHECK(error.population() == "input");
        CHECK(std::string(error.what()) == "spikes for 'input': expected neurons below 10, found 12");
    }

    TEST_CASE("every kind of error is an Error and carries its text unchanged") {
        const auto caught = [](const auto& error) {
            try {
                throw error;
            } catch (const Error& e) {
                return std::string(e.what());
            }
        };
        CHECK(caught(UsageError("unknown clock")) == "unknown clock");
        CHECK(caught(LimitError("too long")) == "too long");
        CHECK(caught(FileError("f", "", "t")) == "f: t");
        CHECK(caught(NetworkError("n", "", "t")) == "'n': t");
        CHECK(caught(InputError("p", "t")) == "spikes for 'p': t");
    }

    TEST_CASE("quoted shows printable text as it is, UTF-8 included") {
        CHECK(quoted("") == "''");
        CHECK(quoted("lif_2.v") == "'lif_2.v'");
        for (const std::string_view text : {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xef\xbf\xbd",
                                            "\xf0\x9f\xa7\xa0", "\xf4\x8f\xbf\xbf"}) {
            CHECK(quoted(text) == "'" + std::string(text) + "'");
        }
    }

    TEST_CASE("quoted keeps a name on one line: control characters are shown in hexadecimal") {
        CHECK(quoted("a\nb") == "'a\\x0ab'");
        CHECK(quoted("\x1b[31m") == "'\\x1b[31m'");
        CHECK(quoted("\x7f") == "'\\x7f'");
        CHECK(quoted(std::string_view("a\0b", 3)) == "'a\\x00b'");
    }

    TEST_CASE("quoted shows broken UTF-8 byte by byte") {
        CHECK(quoted("\xff") == "'\\xff'");
        CHECK(quoted("\x80") == "'\\x80'");                             // continuation without a lead
        CHECK(quoted("\xc3") == "'\\xc3'");                             // cut off at the end
        CHECK(quoted("\xe2\x82") == "'\\xe2\\x82'");                    // one byte short
        CHECK(quoted("\xc3(") == "'\\xc3('");                           // continuation missing
        CHECK(quoted("\xc0\xaf") == "'\\xc0\\xaf'");                    // overlong '/'
        CHECK(quoted("\xf5\x80\x80\x80") == "'\\xf5\\x80\\x80\\x80'");  // beyond U+10FFFF
    }

    TEST_CASE("edit distance is the one of Levenshtein") {
        CHECK(detail::edit_distance("", "") == 0);
        CHECK(detail::edit_distance("", "abc") == 3);
        CHECK(detail::edit_distance("abc", "") == 3);
        CHECK(detail::edit_distance("kitten", "sitting") == 3);  // k->s, e->i, +g
        CHECK(detail::edit_distance("tau_m", "tau_mem") == 2);
        CHECK(detail::edit_distance("flaw", "lawn") == detail::edit_distance("lawn", "flaw"));
    }

    TEST_CASE("did_you_mean offers the nearest name and stays silent when none is near") {
        const std::vector<std::string> fields{"tau_syn", "tau_mem", "r"};
        CHECK(did_you_mean("tau_m", fields) == " Did you mean 'tau_mem'?");
        CHECK(did_you_mean("tau_sin", fields) == " Did you mean 'tau_syn'?");
        CHECK(did_you_mean("threshold", fields).empty());
        CHECK(did_you_mean("x", std::array<std::string_view, 0>{}).empty());
    }
}
