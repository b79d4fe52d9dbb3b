// Reading and writing whole `.nir` files.
#include <doctest/doctest.h>

#include <chrono>
#include <iterator>

#include "nir_fixture.hpp"
#include "saltus/engine/errors.hpp"
#include "temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io;
using saltus::test::contains;
using saltus::test::nir_file;
using saltus::test::TemporaryFolder;

namespace {

std::string refusal(const std::filesystem::path& path) {
    return test::message_of<FileError>([&] { static_cast<void>(read_nir(path)); });
}

std::vector<std::string> nodes_written(const std::string& file, const TemporaryFolder& folder) {
    write_nir(read_nir(nir_file(file)), folder / "written.nir");
    return test::names_of(*read_nir(folder / "written.nir").root.graph);
}

std::size_t files_in(const TemporaryFolder& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder.path()),
                                                  std::filesystem::directory_iterator()));
}

std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_SUITE("io/nir") {
    TEST_CASE("metadata are read and written back as they are") {
        const TemporaryFolder folder;
        NirGroup expected;
        expected.entries = {{"author", std::string("conformance")},
                            {"dt", NirArray::of(std::vector<double>{1e-4}, {})},
                            {"vector", NirArray::of(std::vector<double>{0, 1, 2}, {3})},
                            {"year", NirArray::of(2026)}};
        NirDocument document = read_nir(nir_file("package/all_nodes.nir"));
        CHECK(document.root.metadata == expected);

        NirGroup nested;
        nested.entries = {{"saltus", NirGroup{{{"convention", std::string("norse")}, {"more", expected}}}},
                          {"before", std::string("b\xc3\xbc")}};
        document.root.graph->nodes[0].second.metadata = nested;
        write_nir(document, folder / "nested.nir");
        CHECK(test::sorted(read_nir(folder / "nested.nir").root) == test::sorted(document.root));
    }

    TEST_CASE("values are those that the package wrote") {
        const NirDocument document = read_nir(nir_file("paper/lif_norse.nir"));
        const NirNode* lif = document.root.graph->find("1");
        REQUIRE(lif != nullptr);
        CHECK(lif->type == "LIF");
        REQUIRE(lif->array("tau") != nullptr);
        CHECK(lif->array("tau")->type == NirType::float32);
        CHECK(lif->array("tau")->reals() == std::vector<double>{static_cast<double>(0.0025f)});
        CHECK(lif->array("v_threshold")->reals() == std::vector<double>{static_cast<double>(0.1f)});
        CHECK(document.version == "0.1.1");
    }

    TEST_CASE("nodes are written in the order in which they run: Inputs first, Outputs last") {
        using Names = std::vector<std::string>;
        const TemporaryFolder folder;
        CHECK(nodes_written("paper/two_lif_neurons.nir", folder) ==
              Names{"in", "linear1", "lif1", "linear2", "lif2", "out"});
        CHECK(nodes_written("package/cycle_with_delay.nir", folder) ==
              Names{"input", "lif", "w", "d", "output"});
        CHECK(nodes_written("paper/braille_noDelay_bias_zero.nir", folder) ==
              Names{"input", "fc1", "lif1.lif", "fc2", "lif1.w_rec", "lif2", "output"});
        const Names two = nodes_written("package/two_inputs_two_outputs.nir", folder);
        CHECK(Names(two.begin(), two.begin() + 2) == Names{"in_a", "in_b"});
        CHECK(Names(two.end() - 2, two.end()) == Names{"out_spikes", "out_sum"});
    }

    TEST_CASE("a file without version is read, with a note") {
        const NirDocument document = read_nir(nir_file("package/old_no_version.nir"));
        CHECK(!document.version);
        CHECK(std::any_of(document.notes.begin(), document.notes.end(),
                          [](const std::string& note) { return contains(note, "version unknown"); }));
    }

    TEST_CASE("a top node that is no graph is read as a graph of one node") {
        const NirDocument document = read_nir(nir_file("package/single_node.nir"));
        CHECK(document.root.type == "NIRGraph");
        CHECK(test::names_of(*document.root.graph) == std::vector<std::string>{"node"});
        CHECK(document.root.graph->nodes.front().second.type == "LIF");
        CHECK(!document.notes.empty());
    }

    TEST_CASE("hostile files are refused at once, by file, node and field") {
        struct Case {
            const char* file;
            std::vector<const char*> words;
        };
        const std::vector<Case> cases{
            {"01_truncated", {"truncated", "17888", "11925"}},
            {"02_missing_field", {"node 'lif'", "'tau'", "LIF", "missing"}},
            {"03_wrong_shape", {"node 'lif'", "field 'v_threshold'", "[4]", "[3]", "'tau'"}},
            {"04_dangling_edge", {"edge 2", "'lif' -> 'ghost'", "no node"}},
            {"05_unknown_type", {"node 'lif'", "'LIFX'", "CubaLIF", "SumPool2d"}},
            {"06_nan_tau", {"node 'lif'", "field 'tau'[1]", "finite"}},
            {"07_negative_tau", {"node 'lif'", "field 'tau'[1]", "-0.0", "> 0"}},
            {"08_huge_declared",
             {"node 'fc'", "field 'weight'", "1000000000000 elements", "4.0 TB", "0 bytes"}},
            {"09_external_link", {"node 'fc'", "field 'weight'", "link to another file"}},
            {"10_soft_link_cycle", {"node 'a'", "soft link"}},
            {"11_hard_link_cycle", {"node 'sub'", "'/node'", "cycle"}},
            {"12_compressed_bomb", {"node 'fc'", "[16384"}},
            {"13_duplicate_edge", {"'fc' -> 'lif'", "duplicate edge"}},
            {"14_wrong_dtype", {"node 'lif'", "field 'tau'", "string", "number"}},
            {"15_slash_in_edge", {"'sub", "type"}},
        };
        for (const Case& hostile : cases) {
            CAPTURE(hostile.file);
            const auto path = nir_file(std::string("hostile/") + hostile.file + ".nir");
            const auto start = std::chrono::steady_clock::now();
            const std::string text = refusal(path);
            const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
            CAPTURE(text);
            CHECK(contains(text, path.string()));
            for (const char* word : hostile.words) CHECK_MESSAGE(contains(text, word), word);
            CHECK(elapsed.count() < 1.0);
        }
    }

    TEST_CASE(
        "the published network whose inner edge names a missing node is refused, with the name that is "
        "near") {
        const std::string text = refusal(nir_file("paper/braille_noDelay_bias_zero_subgraph.nir"));
        CAPTURE(text);
        CHECK(contains(text, "node 'lif1'"));
        CHECK(contains(text, "'input' -> 'lif'"));
        CHECK(contains(text, "Did you mean 'lif1'?"));
    }

    TEST_CASE("what is no NIR file is refused by what it is") {
        const TemporaryFolder folder;
        test::write_bytes(folder / "empty.nir", "");
        test::write_bytes(folder / "text.nir", "{\"version\": \"1.0.8\"}");
        test::write_bytes(folder / "head.nir", "\x89HDF\r\n\x1a\n and no more");
        CHECK(contains(refusal(folder.path()), "found a folder"));
        CHECK(contains(refusal(folder / "missing.nir"), "missing.nir: no such file"));
        CHECK(contains(refusal(folder / "empty.nir"), "empty"));
        CHECK(contains(refusal(folder / "text.nir"), "expected an HDF5 file"));
        CHECK(contains(refusal(folder / "head.nir"), "truncated"));
        CHECK(contains(refusal("/dev/null"), "expected a regular file"));
        CHECK(contains(refusal(nir_file("package/observables.nirdata.h5")), "recordings"));
    }

    TEST_CASE("a write that fails leaves no file, and leaves an older one as it was") {
        const TemporaryFolder folder;
        NirDocument broken = test::lif_chain();
        broken.root.graph->nodes[1].second.set("tau", NirArray{NirType::float64, {3}, {}});
        const auto write = [](const NirDocument& document, const std::filesystem::path& path) {
            return test::message_of<FileError>([&] { write_nir(document, path); });
        };
        CHECK(contains(write(broken, folder / "new.nir"), "tau': expected 3 elements"));
        CHECK(files_in(folder) == 0);

        write_nir(test::lif_chain(), folder / "old.nir");
        const std::string before = bytes_of(folder / "old.nir");
        CHECK(!write(broken, folder / "old.nir").empty());
        CHECK(files_in(folder) == 1);
        CHECK(bytes_of(folder / "old.nir") == before);

        CHECK(contains(write(test::lif_chain(), folder / "missing" / "a.nir"), "there is no folder"));
        CHECK(contains(write(test::lif_chain(), folder.path()), "found a folder"));
        CHECK(contains(write(test::lif_chain(), "/dev/null"), "regular file"));
        CHECK(files_in(folder) == 1);
    }

    TEST_CASE("names that HDF5 cannot hold are refused when writing") {
        const TemporaryFolder folder;
        for (const std::string name : {"", ".", "a/b"}) {
            CAPTURE(name);
            NirDocument document = test::lif_chain();
            document.root.graph->nodes[1].first = name;
            CHECK(contains(test::message_of<FileError>([&] { write_nir(document, folder / "a.nir"); }),
                           "no such name"));
        }
        CHECK(files_in(folder) == 0);
    }

    TEST_CASE("a link is followed when writing: the file that it names is replaced") {
        const TemporaryFolder folder;
        write_nir(test::lif_chain(), folder / "real.nir");
        std::filesystem::create_symlink("real.nir", folder / "link.nir");
        NirDocument other = test::lif_chain();
        other.root.graph->nodes[1].second.set("tau", NirArray::of(std::vector<double>{1, 2, 3}, {3}));
        write_nir(other, folder / "link.nir");
        CHECK(std::filesystem::is_symlink(folder / "link.nir"));
        CHECK(read_nir(folder / "real.nir").root == other.root);
    }

    TEST_CASE("large arrays survive compression, in pieces") {
        const TemporaryFolder folder;
        NirDocument document = test::lif_chain();
        constexpr std::size_t n = 300'000;  // more than one chunk of a megabyte
        std::vector<double> values(n);
        for (std::size_t i = 0; i < n; ++i) values[i] = 1.0 / static_cast<double>(i + 1);
        NirNode& lif = document.root.graph->nodes[1].second;
        for (auto& [name, value] : lif.fields.entries) value = NirArray::of(values, {3, n / 3});
        for (const std::size_t port : {0, 2}) {
            document.root.graph->nodes[port].second.set(
                "shape", NirArray::of(std::vector<std::int64_t>{3, n / 3}, {2}));
        }
        write_nir(document, folder / "large.nir");
        CHECK(read_nir(folder / "large.nir").root == document.root);
    }
}

TEST_SUITE("io/nir document") {
    TEST_CASE("elements are given as double and as integer, whatever their type") {
        CHECK(NirArray::of(std::vector<float>{0.5f, -1.5f}, {2}).real(1) == -1.5);
        CHECK(NirArray::of(std::vector<double>{-2.9}, {1}).integer(0) == -2);
        CHECK(NirArray::of(std::vector<double>{1e30, -1e30}, {2}).integer(0) == INT64_MAX);
        CHECK(NirArray::of(std::vector<double>{1e30, -1e30}, {2}).integer(1) == INT64_MIN);
        CHECK(NirArray::of(std::int64_t{1} << 62).integer(0) == std::int64_t{1} << 62);
        CHECK(NirArray::of(7).size() == 1);
        const NirArray flags{NirType::boolean, {2}, {std::byte{0}, std::byte{1}}};
        CHECK(flags.reals() == std::vector<double>{0.0, 1.0});
    }

    TEST_CASE("nodes are equal by value, sub-graphs included") {
        NirDocument a = test::lif_chain();
        const NirDocument b = test::lif_chain();
        CHECK(a.root.graph != b.root.graph);
        CHECK(a.root == b.root);
        a.root.graph->nodes[1].second.metadata.entries.emplace_back(
            "dt", NirArray::of(std::vector<double>{1e-3}, {}));
        CHECK(a.root != b.root);
        a = test::lif_chain();
        a.root.graph.reset();
        CHECK(a.root != b.root);
    }

    TEST_CASE("set replaces a field or appends it, find tells arrays from strings") {
        NirNode node;
        node.set("padding", NirArray::of(1));
        node.set("stride", NirArray::of(2));
        node.set("padding", std::string("same"));
        REQUIRE(node.fields.entries.size() == 2);
        CHECK(node.fields.entries[0].first == "padding");
        CHECK(node.array("padding") == nullptr);
        CHECK(*node.string("padding") == "same");
        CHECK(node.array("stride")->integer(0) == 2);
        CHECK(node.array("dilation") == nullptr);
    }
}
