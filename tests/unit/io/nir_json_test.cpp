// NIR-style JSON: what is read, which text is refused and in which words, and that nothing is lost on the
// way.
#include "saltus/io/nir_json.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <span>

#include "base64.hpp"
#include "unit/io/nir_documents.hpp"

using namespace saltus::test;
using saltus::FileError;
using saltus::io::JsonArrays;
using saltus::io::NirGroup;
using saltus::io::NirType;
using saltus::io::read_nir_json;
using saltus::io::write_nir_json;

namespace {

NirDocument parsed(const std::string& text) {
    const TemporaryFolder folder;
    write_bytes(folder / "net.nir.json", text);
    return read_nir_json(folder / "net.nir.json");
}

/// What is wrong with the text, without the name of the file.
std::string wrong(const std::string& text) {
    const TemporaryFolder folder;
    write_bytes(folder / "net.nir.json", text);
    std::string message =
        message_of<FileError>([&] { static_cast<void>(read_nir_json(folder / "net.nir.json")); });
    const std::string path = (folder / "net.nir.json").string() + ": ";
    return message.rfind(path, 0) == 0 ? message.substr(path.size()) : message;
}

std::string text_of(const NirDocument& document, JsonArrays arrays = JsonArrays::automatic) {
    const TemporaryFolder folder;
    write_nir_json(document, folder / "net.nir.json", arrays);
    std::ifstream file(folder / "net.nir.json", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

NirDocument again(const NirDocument& document, JsonArrays arrays = JsonArrays::automatic) {
    return parsed(text_of(document, arrays));
}

/// A file whose only node is a layer of one neuron with this text as its field 'scale'.
std::string scale_file(const std::string& value) {
    return R"({"version": "1.0.8", "node": {"type": "Scale", "scale": )" + value + "}}";
}

NirArray scale_of(const NirDocument& document) {
    return *document.root.graph->nodes.front().second.array("scale");
}

NirDocument document_of_scale(const NirArray& scale) {
    return document({{"scale", node("Scale", {{"scale", scale}})}}, {});
}

std::string repeated(const std::string& text, std::size_t count) {
    std::string all;
    all.reserve(text.size() * count);
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

// The example of the description of the format.
constexpr const char* example = R"({"version": "1.0.8",
 "node": {"type": "NIRGraph",
  "nodes": {
   "input":  {"type": "Input", "shape": [2]},
   "fc":     {"type": "Affine", "weight": [[1.0, -0.5], [0.25, 0.75]], "bias": [0.0, 0.125]},
   "lif":    {"type": "LIF", "tau": [0.01, 0.02], "r": [1.0, 1.0], "v_leak": [0.0, 0.0],
              "v_threshold": {"dtype": "float32", "shape": [2], "data": "AACAPwAAgD8="}, "v_reset": [0.0, 0.0],
              "metadata": {"dt": 0.001}},
   "output": {"type": "Output", "shape": [2]}},
  "edges": [["input", "fc"], ["fc", "lif"], ["lif", "output"]]}})";

}  // namespace

TEST_SUITE("io/nir_json: reading") {
    TEST_CASE("the example of the format") {
        const NirDocument document = parsed(example);
        CHECK(document.version == "1.0.8");
        CHECK(document.notes.empty());
        const NirGraph& network = *document.root.graph;
        REQUIRE(network.nodes.size() == 4);
        CHECK(network.nodes[0].first == "input");
        CHECK(*network.find("input")->array("shape") == integers({2}));
        CHECK(*network.find("fc")->array("weight") ==
              NirArray::of(std::vector<double>{1.0, -0.5, 0.25, 0.75}, {2, 2}));
        CHECK(*network.find("fc")->array("bias") == reals({0.0, 0.125}));
        CHECK(*network.find("lif")->array("tau") == reals({0.01, 0.02}));
        CHECK(*network.find("lif")->array("v_threshold") ==
              NirArray::of(std::vector<float>{1.0f, 1.0f}, {2}));
        CHECK(network.find("lif")->metadata == NirGroup{{{"dt", number(0.001)}}});
        CHECK(network.edges == Edges{{"input", "fc"}, {"fc", "lif"}, {"lif", "output"}});
    }

    TEST_CASE(
        "integer literals are reals in a real field, int64 elsewhere, and one fraction makes all of them "
        "reals") {
        CHECK(scale_of(parsed(scale_file("[1, 2]"))) == reals({1, 2}));
        CHECK(scale_of(parsed(scale_file("[1, 2.5, 3]"))) == reals({1, 2.5, 3}));
        CHECK(scale_of(parsed(scale_file("[-9223372036854775808, 18446744073709551615, 1e300]"))) ==
              reals({-9223372036854775808.0, 18446744073709551616.0, 1e300}));
        const NirDocument document = parsed(
            R"({"node": {"type": "Scale", "scale": [1], "metadata": {"i": [[1, -2]], "r": [1, 2.0], "n": 7, "e": []}}})");
        CHECK(document.root.graph->nodes.front().second.metadata ==
              NirGroup{{{"i", NirArray::of(std::vector<std::int64_t>{1, -2}, {1, 2})},
                        {"r", reals({1, 2})},
                        {"n", integer(7)},
                        {"e", integers({})}}});
    }

    TEST_CASE("whole numbers may be written with a point") {
        const NirDocument document = parsed(
            R"({"version": "1", "node": {"type": "NIRGraph", "nodes": {"a": {"type": "Input", "shape": [2.0]}}, "edges": []}})");
        CHECK(*document.root.graph->find("a")->array("shape") == integers({2}));
    }

    TEST_CASE("files without version, with unknown keys or with a top node that is no graph are noted") {
        const NirDocument document = parsed(R"({"$schema": "x", "node": {"type": "Scale", "scale": 2}})");
        CHECK(scale_of(document) == reals({2}));
        CHECK(document.notes.front() == "'$schema': ignored, a file has 'version' and 'node'.");
        CHECK(contains(document.notes[1], "taken as a graph of one node"));
        CHECK(contains(document.notes[2], "version unknown"));
    }

    TEST_CASE("packed arrays hold little-endian bytes in C order") {
        // 1.0f = 00 00 80 3f, 2.0f = 00 00 00 40
        CHECK(scale_of(parsed(scale_file(R"({"dtype": "float32", "shape": [2], "data": "AACAPwAAAEA="})"))) ==
              NirArray::of(std::vector<float>{1.0f, 2.0f}, {2}));
        CHECK(scale_of(parsed(scale_file(R"({"shape": [1, 2], "dtype": "uint8", "data": "AQI="})"))) ==
              NirArray{NirType::uint8, {1, 2}, {std::byte{1}, std::byte{2}}});
    }
}

TEST_SUITE("io/nir_json: refusals") {
    TEST_CASE("what is not JSON is refused with line, column and the place in the tree") {
        CHECK(wrong(scale_file("[0.5, NaN]")) ==
              "node.scale[1] (line 1, column 63): expected a finite number, found 'NaN'. JSON has no NaN and "
              "no Infinity.");
        CHECK(contains(wrong(scale_file("Infinity")),
                       "node.scale (line 1, column 57): expected a finite number, found 'Infinity'."));
        CHECK(contains(wrong(scale_file("[-Infinity]")),
                       "node.scale[0] (line 1, column 59): expected a finite number"));
        CHECK(contains(wrong(scale_file("1e999")), "expected a finite number, found '1e999'"));
        CHECK(contains(wrong("{\n  \"version\": \"1\",\n  \"node\": {]"),
                       "node (line 3, column 12): is not JSON: unexpected ']' behind '  \"node\": {'"));
        CHECK(contains(wrong(scale_file("1") + " x"),
                       "line 1, column 61: is not JSON: unexpected 'x' behind '"));
        CHECK(contains(wrong(scale_file("1") + "{}"), "is not JSON: unexpected '{' behind '"));
        CHECK(contains(wrong(R"({"node": {"type")"), "is not JSON: the file ends too early"));
        CHECK(contains(wrong(""), "is not JSON: the file ends too early"));
        CHECK(contains(wrong(scale_file("1, // comment")), "is not JSON: unexpected"));
        CHECK(contains(wrong(scale_file("01")), "is not JSON: unexpected"));
    }

    TEST_CASE("byte order marks and broken UTF-8 are refused") {
        CHECK(wrong("\xef\xbb\xbf" + scale_file("1")) ==
              "starts with a byte order mark. Save it as UTF-8 without one.");
        CHECK(contains(wrong("{\"node\": \"\xff\"}"), "the text is not valid UTF-8"));
        CHECK(contains(wrong("{\"node\": \"\xc0\xaf\"}"), "the text is not valid UTF-8"));
    }

    TEST_CASE("a key twice in one object is refused") {
        CHECK(wrong(R"({"node": {"type": "Scale", "scale": 1, "scale": 2}})") ==
              "node: the key 'scale' occurs twice");
    }

    TEST_CASE("ragged lists and mixed lists are refused with the place") {
        CHECK(wrong(scale_file("[[1, 2], [3]]")) ==
              "node.scale[1]: expected a list of 2 as the one before, found 1");
        CHECK(wrong(scale_file("[[1, 2], 3]")) ==
              "node.scale[1]: expected a list as before, found a number or a string");
        CHECK(wrong(scale_file("[1, [2]]")) == "node.scale[1]: expected a number, found a list");
        CHECK(wrong(scale_file("[[[1]], []]")) ==
              "node.scale[1]: expected a list of 1 as the one before, found 0");
        CHECK(wrong(scale_file("[[], [1]]")) ==
              "node.scale[1]: expected a list of 0 as the one before, found 1");
        CHECK(wrong(scale_file("[1, \"2\"]")) ==
              "node.scale[1]: expected a number as before, found the string '2'");
        CHECK(wrong(scale_file("[\"1\", 2]")) ==
              "node.scale[1]: expected a string as before, found a number");
        CHECK(contains(wrong(scale_file("[{}]")), "node.scale[0]: expected a number, found an object"));
        CHECK(contains(wrong(scale_file("[true]")),
                       "node.scale[0]: expected a number, a string, a list or an object, found true."));
        CHECK(contains(wrong(scale_file("null")),
                       "node.scale: expected a number, a string, a list or an object, found null."));
    }

    TEST_CASE("numbers as strings are refused") {
        CHECK(contains(wrong(scale_file("\"1.0\"")),
                       "node 'node', field 'scale': expected numbers, found the string '1.0'."));
        CHECK(wrong(scale_file("[\"1\", \"2\"]")) ==
              "node.scale: expected numbers, found a list of strings.");
    }

    TEST_CASE("packed arrays must say exactly what they hold") {
        const auto packed = [](const std::string& dtype, const std::string& shape, const std::string& data) {
            return wrong(scale_file("{\"dtype\": \"" + dtype + "\", \"shape\": " + shape + ", \"data\": \"" +
                                    data + "\"}"));
        };
        CHECK(packed("float32", "[2]", "AACAPw==") ==
              "node.scale.data: expected 12 base64 digits for float32 of shape [2], found 8.");
        CHECK(contains(packed("float32", "[1]", "AACAPwAA"), "is not base64"));
        CHECK(contains(packed("float32", "[1]", "AACA*w=="), "is not base64"));
        CHECK(contains(packed("float32", "[1]", "AACAPx=="), "is not base64"));
        CHECK(packed("float16", "[1]", "AAA=") ==
              "node.scale.dtype: expected one of float32, float64, int32, int64, uint8, bool, found "
              "'float16'.");
        CHECK(contains(packed("float32", "[-1]", ""),
                       "node.scale.shape: expected a list of at most 8 whole numbers >= 0"));
        CHECK(contains(packed("float32", "[1.0]", ""),
                       "node.scale.shape: expected a list of at most 8 whole numbers >= 0"));
        CHECK(contains(packed("float32", "2", ""),
                       "node.scale.shape: expected a list of at most 8 whole numbers >= 0"));
        CHECK(
            contains(packed("bool", "[1]", "Ag=="), "node.scale.data: a byte of a bool is neither 0 nor 1"));
        CHECK(contains(wrong(scale_file(R"({"dtype": "float32", "data": "AACAPw=="})")),
                       "node.scale.shape: is missing"));
        CHECK(contains(wrong(scale_file(R"({"dtype": "float32", "data": "", "shape": [0], "x": 1})")),
                       "node.scale: expected only 'dtype', 'shape' and 'data', found 'x'."));
    }

    TEST_CASE("huge declared shapes with little data are refused before memory is asked for") {
        CHECK(contains(wrong(scale_file(R"({"dtype": "float64", "shape": [1000000, 1000000], "data": ""})")),
                       "node.scale.shape: expected at most 2^31 elements, found [1000000, 1000000]."));
        CHECK(contains(wrong(scale_file(R"({"dtype": "float64", "shape": [2000000000], "data": "AAAA"})")),
                       "node.scale.data: expected 21333333336 base64 digits for float64 of shape "
                       "[2000000000], found 4."));
    }

    TEST_CASE("a million brackets are refused at the limit") {
        constexpr std::size_t million = 1000000;
        CHECK(wrong(repeated("[", million)) == "expected an object, found a list.");
        CHECK(wrong(R"({"node": )" + repeated("[", million)) ==
              "node" + repeated("[0]", 16) + ": lists are nested deeper than 16 levels");
        CHECK(contains(wrong(repeated("{\"a\":", million)), ".a: objects are nested deeper than 64 levels"));
    }

    TEST_CASE("the tree must be a file, nodes and edges") {
        CHECK(contains(wrong("7"), "expected an object, found a number."));
        CHECK(contains(wrong("\"node\""), "expected an object, found the string 'node'."));
        CHECK(wrong("{}") == "node: is missing: a file has 'version' and 'node'.");
        CHECK(
            contains(wrong(R"({"version": 1, "node": {}})"), "version: expected a string, found a number."));
        CHECK(contains(wrong(R"({"node": {}})"), "node.type: is missing"));
        CHECK(contains(wrong(R"({"node": {"type": "NIRGraph", "edges": []}})"), "node.nodes: is missing"));
        CHECK(contains(wrong(R"({"node": {"type": "NIRGraph", "nodes": {}}})"), "node.edges: is missing"));
        CHECK(contains(wrong(R"({"node": {"type": "NIRGraph", "nodes": {"a": 1}, "edges": []}})"),
                       "node.nodes.a: expected an object, found a number."));
        CHECK(contains(
            wrong(R"({"node": {"type": "NIRGraph", "nodes": {}, "edges": [["a"]]}})"),
            "node.edges: expected a list of pairs of strings, found a list of strings of shape [1, 1]."));
        CHECK(contains(
            wrong(R"({"node": {"type": "NIRGraph", "nodes": {}, "edges": [[0, 1]]}})"),
            "node.edges: expected a list of pairs of strings, found a list of numbers of shape [1, 2]."));
    }

    TEST_CASE("the rules of NIR documents hold for JSON too") {
        std::string text = example;
        text.replace(text.find("0.02"), 4, "-0.02");
        CHECK(wrong(text) == "node 'lif', field 'tau'[1]: expected > 0, found -0.02.");
    }

    TEST_CASE("a file that is not there is refused") {
        const TemporaryFolder folder;
        CHECK(contains(
            message_of<FileError>([&] { static_cast<void>(read_nir_json(folder / "none.nir.json")); }),
            "none.nir.json"));
    }
}

TEST_SUITE("io/nir_json: writing") {
    const std::vector<double> awkward = {
        -0.0, 0.1,   1.0 / 3.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 9007199254740993.0,
        1e22, 100.0, 1e-7};

    TEST_CASE("the text is indented, types come first, lists of numbers stand on one line") {
        NirDocument document = chain({{"input", input({2})}, {"fc", linear(2, 2)}});
        document.root.graph->nodes[1].second.metadata = NirGroup{{{"by \"me\"", std::string("a\nb")}}};
        CHECK(text_of(document) == R"({
  "version": "1.0.8",
  "node": {
    "type": "NIRGraph",
    "nodes": {
      "input": {
        "type": "Input",
        "shape": [2]
      },
      "fc": {
        "type": "Linear",
        "weight": [
          [0.5, 0.5],
          [0.5, 0.5]
        ],
        "metadata": {
          "by \"me\"": "a\nb"
        }
      }
    },
    "edges": [
      ["input", "fc"]
    ]
  }
}
)");
    }

    TEST_CASE("real numbers never look like integers, and every bit survives") {
        NirDocument document = document_of_scale(reals(awkward));
        saltus::io::check_nir(document, "made");
        const std::string text = text_of(document);
        CHECK(contains(
            text,
            "[-0.0, 0.1, 0.3333333333333333, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e+308, "
            "9007199254740992.0, 1e+22, 100.0, 1e-07]"));
        CHECK(again(document).root == document.root);
    }

    TEST_CASE("arrays are lists only where the list has the same type and at most 64 elements") {
        const auto packed = [](const saltus::io::NirValue& value) {
            NirDocument document = document_of_scale(reals({1}));
            document.root.graph->nodes[0].second.metadata = NirGroup{{{"x", value}}};
            saltus::io::check_nir(document, "made");
            const bool same = again(document).root == document.root;
            CHECK(same);
            return contains(text_of(document), "dtype");
        };
        const double nan = std::numeric_limits<double>::quiet_NaN();
        CHECK_FALSE(packed(filled(0.5, {64})));
        CHECK(packed(filled(0.5, {65})));
        CHECK_FALSE(packed(filled(0.5, {2, 3, 4})));
        CHECK_FALSE(packed(integers({1, -2})));
        CHECK_FALSE(packed(integer(std::numeric_limits<std::int64_t>::min())));
        CHECK_FALSE(packed(number(2)));
        CHECK_FALSE(packed(integers({})));
        CHECK(packed(reals({})));
        CHECK(packed(NirArray{NirType::int64, {0, 3}, {}}));
        CHECK(packed(NirArray{NirType::int64, {3, 0}, {}}));
        CHECK(packed(reals({1, nan})));
        CHECK(packed(NirArray::of(std::vector<float>{0.1f}, {})));
        CHECK(packed(NirArray{NirType::int32, {1}, std::vector<std::byte>(4, std::byte{0xff})}));
        CHECK(packed(NirArray{NirType::uint8, {}, {std::byte{200}}}));
        CHECK(packed(NirArray{NirType::boolean, {2}, {std::byte{0}, std::byte{1}}}));
        CHECK_FALSE(packed(NirGroup{{{"deep", NirGroup{{{"er", std::string("\xc3\xb6")}}}}}}));
    }

    TEST_CASE("integers in a real field are packed, as a list would be read as reals") {
        NirDocument document = document_of_scale(integers({1, 2}));
        saltus::io::check_nir(document, "made");
        CHECK(scale_of(again(document)) == integers({1, 2}));
    }

    TEST_CASE("packed: everything but numbers is packed, list: nothing is, and values stay") {
        NirDocument document = document_of_scale(NirArray::of(std::vector<float>(100, 0.1f), {100}));
        saltus::io::check_nir(document, "made");
        document.root.graph->nodes[0].second.metadata = NirGroup{{{"x", number(2)}, {"y", reals({1})}}};
        const std::string text = text_of(document, JsonArrays::packed);
        CHECK(contains(text, "\"x\": 2.0"));
        CHECK(contains(text, "\"y\": {\"dtype\": \"float64\", \"shape\": [1], \"data\": \"AAAAAAAA8D8=\"}"));
        CHECK(again(document, JsonArrays::packed).root == document.root);
        CHECK_FALSE(contains(text_of(document, JsonArrays::list), "dtype"));
        const NirArray listed = scale_of(again(document, JsonArrays::list));
        CHECK(listed.type == NirType::float64);
        CHECK(listed.reals() == std::vector<double>(100, static_cast<double>(0.1f)));
    }

    TEST_CASE("what cannot be written is refused and leaves no file") {
        const TemporaryFolder folder;
        const auto refused = [&](const NirGroup& metadata) {
            NirDocument document = document_of_scale(reals({1}));
            document.root.graph->nodes[0].second.metadata = metadata;
            std::string text =
                message_of<FileError>([&] { write_nir_json(document, folder / "net.nir.json"); });
            CHECK(std::filesystem::is_empty(folder.path()));
            return text;
        };
        CHECK(contains(refused({{{"x", std::string("\xff")}}}), "'\\xff': is not valid UTF-8"));
        CHECK(contains(refused({{{"x", NirArray{NirType::float64, {2}, {}}}}}),
                       "field 'x': expected 2 elements of float64, found 0 bytes."));
        CHECK(contains(refused({{{"x", NirGroup{{{"dtype", number(1)}, {"data", number(1)}}}}}}),
                       "would be read as a packed array"));
        NirGroup deep;
        for (int i = 0; i < 70; ++i) deep = NirGroup{{{"x", deep}}};
        CHECK(contains(refused(deep), "nested deeper than 64 levels"));
    }
}

TEST_SUITE("io/nir_json: base64") {
    TEST_CASE("base64 of RFC 4648, section 10") {
        const auto encoded = [](const std::string& text) {
            std::string digits;
            saltus::io::append_base64(digits, std::as_bytes(std::span(text)));
            const auto decoded = saltus::io::from_base64(digits);
            REQUIRE(decoded);
            CHECK(std::string(reinterpret_cast<const char*>(decoded->data()), decoded->size()) == text);
            return digits;
        };
        CHECK(encoded("") == "");
        CHECK(encoded("f") == "Zg==");
        CHECK(encoded("fo") == "Zm8=");
        CHECK(encoded("foo") == "Zm9v");
        CHECK(encoded("foobar") == "Zm9vYmFy");
        CHECK(encoded(std::string("\xfb\xff\xbf")) == "+/+/");
        for (const char* bad : {"Zg", "Zg=", "Zh==", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9\n"}) {
            CAPTURE(bad);
            CHECK_FALSE(saltus::io::from_base64(bad));
        }
    }
}
