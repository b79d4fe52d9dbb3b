#include "hdf5_process.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <memory>

#include "saltus/engine/errors.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io::hdf5;
using test::contains;
using test::message_of;

namespace {

constexpr std::uint64_t file_bytes = 1000;

std::string refusal(Process& process, Process::Task task) {
    return message_of<FileError>([&] { static_cast<void>(process.ask(task, {})); });
}

}  // namespace

TEST_SUITE("io/hdf5_process") {
    TEST_CASE("a question is answered by a copy of the program, in the types that were put") {
        Process process("any.h5", file_bytes);
        Message question;
        question.put(std::string("a\0b", 3));
        question.put(std::vector<std::uint64_t>{1, 2});
        question.put(std::optional<double>(0.5));
        Message answer = process.ask(
            [](Opened&, Message& in, Message& out) {
                out.put(in.take<std::string>());
                out.put(in.take<std::vector<std::uint64_t>>());
                out.put(in.take<std::optional<double>>());
                out.put(std::optional<std::string>());
                out.put(std::vector<Child>{{"child", Kind::dataset, 7}});
            },
            question);
        CHECK(answer.take<std::string>() == std::string("a\0b", 3));
        CHECK(answer.take<std::vector<std::uint64_t>>() == std::vector<std::uint64_t>{1, 2});
        CHECK(answer.take<std::optional<double>>() == 0.5);
        CHECK_FALSE(answer.take<std::optional<std::string>>().has_value());
        const auto children = answer.take<std::vector<Child>>();
        CHECK(children.at(0).name == "child");
        CHECK(children.at(0).kind == Kind::dataset);
        CHECK(children.at(0).address == 7);
        CHECK_THROWS_AS(static_cast<void>(answer.take<bool>()), std::out_of_range);
    }

    TEST_CASE("what the copy does to its memory changes nothing here") {
        static int value = 1;
        Process process("any.h5", file_bytes);
        const auto set = [](Opened&, Message&, Message& out) { out.put(value = 2); };
        CHECK(process.ask(set, {}).take<int>() == 2);
        CHECK(value == 1);
    }

    TEST_CASE("a copy that dies is a file that is refused, and stays so") {
        for (const Process::Task dies : {+[](Opened&, Message&, Message&) { std::raise(SIGSEGV); },
                                         +[](Opened&, Message&, Message&) { std::raise(SIGABRT); }}) {
            Process process("bad.h5", file_bytes);
            CHECK(contains(refusal(process, dies),
                           "bad.h5: is damaged: the HDF5 library cannot bear it (signal"));
            CHECK(contains(refusal(process, dies), "bad.h5: is damaged"));
        }
    }

#ifndef __SANITIZE_ADDRESS__  // memory is not limited there
    TEST_CASE("a copy that wants far more memory than the file can stand for does not get it") {
        Process process("bad.h5", file_bytes);
        const auto greedy = [](Opened&, Message&, Message&) {
            std::vector<std::string> all;
            for (int k = 0; k < 64; ++k) all.emplace_back(std::size_t{1} << 26, 'x');  // 4 GiB
        };
        CHECK(contains(refusal(process, greedy), "bad.h5: is damaged"));
    }
#endif

    TEST_CASE("errors keep path, place and words, and what is no FileError becomes one") {
        Process process("one.h5", file_bytes);
        const auto refuses = [](Opened&, Message&, Message&) {
            throw FileError("other.h5", "node 'a', field 'b'", "expected c: found d.");
        };
        try {
            static_cast<void>(process.ask(refuses, {}));
            FAIL("nothing was thrown");
        } catch (const FileError& error) {
            CHECK(error.path() == "other.h5");
            CHECK(error.where() == "node 'a', field 'b'");
            CHECK(std::string(error.what()) == "other.h5: node 'a', field 'b': expected c: found d.");
        }
        const auto fails = [](Opened&, Message& in, Message&) { static_cast<void>(in.take<double>()); };
        CHECK(contains(refusal(process, fails), "one.h5: is damaged: a message is too short"));
        const auto lives = [](Opened&, Message&, Message& out) { out.put(true); };
        CHECK(process.ask(lives, {}).take<bool>());
    }

    TEST_CASE("an answer goes into a buffer of its size, and into no other") {
        Process process("one.h5", 10'000'000);
        const auto sends = [](Opened&, Message&, Message& out) { out.bytes.assign(5'000'000, 'x'); };
        std::string buffer(5'000'000, '\0');
        process.ask(sends, {}, std::as_writable_bytes(std::span(buffer)));
        CHECK(buffer == std::string(5'000'000, 'x'));
        Process other("one.h5", file_bytes);
        const auto into_less = [&] {
            other.ask(sends, {}, std::as_writable_bytes(std::span(buffer)).first(10));
        };
        CHECK(contains(message_of<FileError>(into_less), "another size"));
    }

    TEST_CASE("copies end in any order") {
        auto first = std::make_unique<Process>("one.h5", file_bytes);
        auto second = std::make_unique<Process>("two.h5", file_bytes);
        first.reset();
        CHECK(second->ask([](Opened&, Message&, Message& out) { out.put(true); }, {}).take<bool>());
    }
}
