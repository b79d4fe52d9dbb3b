// Rules of NIR documents: which are refused and in which words, what is tolerated, and which shapes signals
// have.
#include "nir_check.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "unit/io/nir_documents.hpp"

using namespace saltus::test;
using saltus::io::check_nir;
using saltus::io::check_structure;
using saltus::io::NirNode;
using saltus::io::NirShapes;
using saltus::io::NirType;

namespace {

/// The document after check_nir.
NirDocument checked(NirDocument document, const saltus::io::NirReadOptions& options = {}) {
    check_nir(document, "net.nir", options);
    return document;
}

NirShapes shapes_of(const NirDocument& document, const std::string& name) {
    const auto all = saltus::io::nir_shapes(*document.root.graph);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (document.root.graph->nodes[i].first == name) return all[i];
    }
    FAIL("no node " << name);
    return {};
}

Shape output_of(const NirDocument& document, const std::string& name) {
    return shapes_of(document, name).output;
}

bool noted(const NirDocument& document, const std::string& part) {
    for (const std::string& note : document.notes) {
        if (contains(note, part)) return true;
    }
    return false;
}

const NirNode& node_of(const NirDocument& document, const std::string& name) {
    return *document.root.graph->find(name);
}

NirDocument fc_lif(const NirNode& lif_node) {
    return chain({{"input", input({2})}, {"fc", linear(3, 2)}, {"lif", lif_node}, {"output", output({3})}});
}

NirNode with(NirNode changed, const std::string& field, saltus::io::NirValue value) {
    changed.set(field, std::move(value));
    return changed;
}

NirNode without(NirNode changed, const std::string& field) {
    std::erase_if(changed.fields.entries, [&](const auto& entry) { return entry.first == field; });
    return changed;
}

/// One node, called "node", between an Input and an Output.
NirDocument between(const std::vector<std::int64_t>& in, const NirNode& middle,
                    const std::vector<std::int64_t>& out) {
    return chain({{"input", input(in)}, {"node", middle}, {"output", output(out)}});
}

}  // namespace

TEST_SUITE("io/nir_check: fields") {
    TEST_CASE("a missing required field is named, with the fields of the type") {
        const std::string text = refusal(fc_lif(without(lif(reals({1, 1, 1})), "tau")));
        CHECK(
            text ==
            "net.nir: node 'lif', field 'tau': required field of LIF is missing. LIF has the fields tau, r, "
            "v_leak, v_threshold, v_reset.");
    }

    TEST_CASE("a missing field beside an unknown one points at the unknown one") {
        NirNode renamed = lif(reals({1, 1, 1}));
        renamed.fields.entries[0].first = "tau_m";
        CHECK(contains(refusal(fc_lif(renamed)),
                       "required field of LIF is missing, and 'tau_m' is none of its fields"));
    }

    TEST_CASE("an unknown type is refused with the nearest name and the list of all") {
        const std::string text = refusal(fc_lif(node("LIFX", {})));
        CHECK(contains(
            text, "net.nir: node 'lif': unknown type 'LIFX'. Did you mean 'LIF'? The types are Affine, "));
        CHECK(contains(text, "SumPool2d, Threshold."));
        CHECK(contains(refusal(fc_lif(node("Identity", {}))), "unknown type 'Identity'"));
    }

    TEST_CASE("a string where numbers are due is refused") {
        CHECK(contains(refusal(fc_lif(with(lif(reals({1, 1, 1})), "tau", std::string("fast")))),
                       "node 'lif', field 'tau': expected numbers, found the string 'fast'."));
    }

    TEST_CASE("booleans and fractions are no whole numbers") {
        const std::string fraction = refusal(
            between({1, 4, 4}, with(conv2d({1, 1, 2, 2}, {4, 4}), "stride", reals({1.5, 1})), {1, 3, 3}));
        CHECK(contains(fraction, "field 'stride': expected whole numbers > 0 below 2^31, found 1.5."));
        NirArray flags{NirType::boolean, {2}, {std::byte{1}, std::byte{1}}};
        CHECK(contains(
            refusal(between({1, 4, 4}, with(conv2d({1, 1, 2, 2}, {4, 4}), "stride", flags), {1, 3, 3})),
            "field 'stride': expected whole numbers > 0, found booleans."));
    }

    TEST_CASE("whole numbers stored as floats are accepted and become int64") {
        const auto done = checked(
            between({1, 4, 4}, with(conv2d({1, 1, 2, 2}, {4, 4}), "stride", reals({1, 2})), {1, 3, 2}));
        CHECK(*node_of(done, "node").array("stride") == integers({1, 2}));
    }

    TEST_CASE("an unknown field of a known node is kept and noted") {
        const auto done = checked(fc_lif(with(lif(reals({1, 1, 1})), "colour", std::string("red"))));
        CHECK(noted(done, "node 'lif', field 'colour': LIF has no such field"));
        CHECK(*node_of(done, "lif").string("colour") == "red");
    }

    TEST_CASE("the parameters of one layer must have one shape") {
        CHECK(refusal(fc_lif(with(lif(reals({1, 1, 1})), "v_threshold", reals({1, 1, 1, 1})))) ==
              "net.nir: node 'lif', field 'v_threshold': expected shape [3] as 'tau', found [4].");
    }

    TEST_CASE("a bias must have one value per row of the weight") {
        const NirNode affine = node("Affine", {{"weight", filled(1, {3, 2})}, {"bias", reals({0, 0})}});
        CHECK(contains(refusal(between({2}, affine, {3})),
                       "node 'node', field 'bias': expected shape [3] as 'weight', found [2]."));
    }

    TEST_CASE("a weight of one dimension is no matrix") {
        CHECK(contains(refusal(between({2}, node("Linear", {{"weight", reals({1, 2})}}), {2})),
                       "field 'weight': expected a matrix of shape [outputs, inputs], found shape [2]."));
    }

    TEST_CASE("rank, number of elements and bytes are bounded") {
        CHECK(contains(
            refusal(between({1}, node("Scale", {{"scale", filled(1, {1, 1, 1, 1, 1, 1, 1, 1, 1})}}), {1})),
            "field 'scale': expected at most 8 dimensions, found 9."));
        NirArray huge{NirType::float32, {1u << 16, 1u << 16}, {}};
        CHECK(contains(refusal(between({1}, node("Linear", {{"weight", huge}}), {1})),
                       "field 'weight': expected at most 2^31 elements, found shape [65536, 65536]."));
        NirArray overflowing{NirType::float32, {std::uint64_t{1} << 33, std::uint64_t{1} << 33}, {}};
        CHECK(contains(refusal(between({1}, node("Linear", {{"weight", overflowing}}), {1})),
                       "at most 2^31 elements"));
        NirArray short_of_data{NirType::float64, {3}, std::vector<std::byte>(16)};
        CHECK(contains(refusal(fc_lif(lif(short_of_data))),
                       "field 'tau': expected 24 bytes for shape [3], found 16."));
        CHECK(contains(refusal(fc_lif(lif(reals({})))), "field 'tau': expected at least one number"));
    }
}

TEST_SUITE("io/nir_check: values") {
    TEST_CASE("what is not finite is refused with its index") {
        const double nan = std::numeric_limits<double>::quiet_NaN();
        const double infinity = std::numeric_limits<double>::infinity();
        CHECK(contains(refusal(fc_lif(with(lif(reals({1, 1, 1})), "tau", reals({1, nan, 1})))),
                       "node 'lif', field 'tau'[1]: expected a finite number, found nan."));
        NirArray weight = filled(1, {3, 2});
        weight = NirArray::of(std::vector<double>{0, 1, 2, infinity, 4, 5}, {3, 2});
        CHECK(contains(refusal(between({2}, node("Linear", {{"weight", weight}}), {3})),
                       "field 'weight'[1, 1]: expected a finite number, found inf."));
    }

    TEST_CASE("time constants are positive, delays are not negative") {
        CHECK(contains(refusal(fc_lif(with(lif(reals({1, 1, 1})), "tau", reals({0.01, -0.01, 1})))),
                       "node 'lif', field 'tau'[1]: expected > 0, found -0.01."));
        const NirArray single = NirArray::of(std::vector<float>{0.1f, 0.0f, 0.1f}, {3});
        CHECK(contains(refusal(fc_lif(with(lif(reals({1, 1, 1})), "tau", single))),
                       "'tau'[1]: expected > 0, found 0."));
        const NirArray negative = NirArray::of(std::vector<float>{-0.1f}, {1});
        CHECK(contains(refusal(between({1}, node("Delay", {{"delay", negative}}), {1})),
                       "field 'delay'[0]: expected >= 0, found -0.1."));
        CHECK(refusal(between({1}, node("Delay", {{"delay", reals({0})}}), {1})).empty());
    }

    TEST_CASE("a threshold that is not above the reset is noted, not refused") {
        const NirNode low =
            with(with(lif(reals({1, 1, 1})), "v_threshold", reals({1, 0, 1})), "tau", reals({1, 1, 1}));
        CHECK(noted(checked(fc_lif(low)), "node 'lif', field 'v_threshold'[1]: 0 is not above v_reset, 0"));
        CHECK_FALSE(noted(checked(fc_lif(lif(reals({1, 1, 1})))), "v_threshold"));
        const NirNode reset =
            with(with(lif(reals({1, 1, 1})), "v_threshold", number(1)), "v_reset", reals({0, 0, 2}));
        CHECK(noted(checked(fc_lif(reset)), "'v_threshold'[2]: 1 is not above v_reset, 2"));
    }
}

TEST_SUITE("io/nir_check: edges") {
    const Nodes two = {
        {"input", input({2})}, {"scale", node("Scale", {{"scale", reals({1, 2})}})}, {"output", output({2})}};

    NirNode inner(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
        Nodes nodes{{"lif1", lif(reals({1, 1}))}};
        Edges edges;
        for (const auto& name : inputs)
            nodes.emplace_back(name, input({2})), edges.emplace_back(name, "lif1");
        for (const auto& name : outputs)
            nodes.emplace_back(name, output({2})), edges.emplace_back("lif1", name);
        return graph(nodes, edges);
    }

    NirDocument around(const NirNode& sub, const std::string& to, const std::string& from) {
        return document({{"input", input({2})}, {"sub", sub}, {"output", output({2})}},
                        {{"input", to}, {from, "output"}});
    }

    TEST_CASE("an edge to nothing is refused with its number and the nearest name") {
        CHECK(refusal(document(two, {{"input", "scale"}, {"scale", "outptu"}})) ==
              "net.nir: edge 1 'scale' -> 'outptu': names no node: there is no 'outptu' in the graph. Did "
              "you mean 'output'?");
        CHECK(contains(
            refusal(around(graph({{"i", input({2})}, {"o", output({2})}}, {{"i", "lif"}}), "sub", "sub")),
            "node 'sub', edge 0 'i' -> 'lif': names no node: there is no 'lif' in node 'sub'."));
    }

    TEST_CASE("names cannot hold a slash") {
        CHECK(contains(refusal(document(two, {{"input", "sub/lif"}})),
                       "edge 0 'input' -> 'sub/lif': names no node: 'sub/lif' holds '/'"));
        CHECK(contains(refusal(document({{"a/b", input({2})}}, {})),
                       "the graph: expected names of nodes that HDF5 can hold"));
        CHECK(contains(refusal(document({{"", input({2})}}, {})), "found ''"));
        CHECK(contains(refusal(document({{"a", input({2})}, {"a", input({2})}}, {})),
                       "two nodes are called 'a'"));
    }

    TEST_CASE("duplicate edges are refused, or kept and noted when they are to be summed") {
        const NirDocument twice =
            document(two, {{"input", "scale"}, {"scale", "output"}, {"input", "scale"}});
        CHECK(contains(refusal(twice), "edge 2 'input' -> 'scale': duplicate edge."));
        const NirDocument kept = checked(twice, {.sum_duplicate_edges = true});
        CHECK(kept.root.graph->edges.size() == 3);
        CHECK(noted(kept, "edge 2 'input' -> 'scale': duplicate edge, its signal is added once more"));
    }

    TEST_CASE("a plain edge leads to the only port of a sub-graph") {
        const NirDocument done = checked(around(inner({"in"}, {"out"}), "sub", "sub"));
        CHECK(shapes_of(done, "sub").input == Shape{2});
        CHECK(shapes_of(done, "sub").output == Shape{2});
    }

    TEST_CASE("sub.port names a port, an inner node, or loses to a node of exactly that name") {
        const NirDocument port = checked(around(inner({"a", "b"}, {"out"}), "sub.b", "sub.out"));
        CHECK(port.root.graph->edges == Edges{{"input", "sub.b"}, {"sub", "output"}});
        CHECK(shapes_of(port, "sub").input.empty());
        const NirDocument any = checked(around(inner({"a", "b"}, {"out"}), "sub.lif1", "sub.lif1"));
        CHECK(any.root.graph->edges == Edges{{"input", "sub.lif1"}, {"sub.lif1", "output"}});
        NirDocument flattened = around(inner({"a"}, {"out"}), "sub.b", "sub");
        flattened.root.graph->nodes.emplace_back("sub.b", node("Scale", {{"scale", reals({1, 2})}}));
        flattened.root.graph->edges.emplace_back("sub.b", "sub.a");
        CHECK(checked(flattened).root.graph->edges ==
              Edges{{"input", "sub.b"}, {"sub", "output"}, {"sub.b", "sub"}});
    }

    TEST_CASE("the same port under two names is a duplicate") {
        NirDocument twice = around(inner({"in"}, {"out"}), "sub", "sub");
        twice.root.graph->edges.emplace_back("input", "sub.in");
        CHECK(contains(refusal(twice), "edge 2 'input' -> 'sub.in': duplicate edge"));
    }

    TEST_CASE("sub-graphs with dots in their names are split at the last dot that leaves one") {
        NirDocument dotted = around(inner({"x.y", "z"}, {"out"}), "my.sub.x.y", "my.sub");
        dotted.root.graph->nodes[1].first = "my.sub";
        CHECK(checked(dotted).root.graph->edges[0].second == "my.sub.x.y");
        dotted.root.graph->edges[0].second = "my.sub.w";
        CHECK(contains(refusal(dotted), "there is no 'w' in node 'my.sub'"));
    }

    TEST_CASE("a plain edge to a sub-graph with several ports lists them") {
        CHECK(contains(refusal(around(inner({"a", "b"}, {"out"}), "sub", "sub")),
                       "edge 0 'input' -> 'sub': sub-graph 'sub' has 2 Inputs: 'a', 'b'. Name one of them, "
                       "as 'sub.a'."));
        CHECK(contains(refusal(around(inner({"a"}, {}), "sub", "sub")),
                       "edge 1 'sub' -> 'output': sub-graph 'sub' has no Output"));
    }

    TEST_CASE("cycles and self loops are legal") {
        const NirDocument loop = document(
            {{"input", input({2})}, {"lif", lif(number(1))}, {"w", linear(2, 2)}, {"output", output({2})}},
            {{"input", "lif"}, {"lif", "w"}, {"w", "lif"}, {"lif", "lif"}, {"lif", "output"}});
        CHECK(output_of(checked(loop), "lif") == Shape{2});
    }

    TEST_CASE("nodes without edges, and graphs without ports, are noted") {
        const NirDocument lonely = checked(document({{"lif", lif(reals({1, 1}))}}, {}));
        CHECK(noted(lonely, "the graph has no Input."));
        CHECK(noted(lonely, "the graph has no Output."));
        CHECK(noted(lonely, "node 'lif': no edge leads to it or from it."));
    }

    TEST_CASE("sub-graphs nested too deep are refused") {
        NirNode deep = inner({"in"}, {"out"});
        for (std::size_t i = 0; i < saltus::io::max_graph_depth; ++i) deep = graph({{"g", deep}}, {});
        CHECK(contains(refusal({"1.0.8", deep, {}}), "sub-graphs are nested deeper than 24 levels"));
    }
}

TEST_SUITE("io/nir_check: shapes") {
    TEST_CASE("matrices map the last dimension, every leading dimension for itself") {
        const NirDocument flat_matrix = checked(between({2}, linear(3, 2), {3}));
        CHECK(shapes_of(flat_matrix, "node").input == Shape{2});
        CHECK(shapes_of(flat_matrix, "node").output == Shape{3});
        const NirNode batch = node("Affine", {{"weight", filled(1, {5, 3, 2})}, {"bias", reals({0, 0, 0})}});
        CHECK(output_of(checked(between({5, 2}, batch, {5, 3})), "node") == Shape{5, 3});
    }

    TEST_CASE("layers keep the shape of their parameters") {
        for (const char* type : {"Scale", "Delay", "Threshold", "I"}) {
            const std::string field = std::string(type) == "Scale"   ? "scale"
                                      : std::string(type) == "Delay" ? "delay"
                                      : std::string(type) == "I"     ? "r"
                                                                     : "threshold";
            CAPTURE(type);
            CHECK(output_of(checked(between({2, 3}, node(type, {{field, filled(1, {2, 3})}}), {2, 3})),
                            "node") == Shape{2, 3});
        }
    }

    TEST_CASE("convolution: floor((n + 2p - d (k - 1) - 1) / s) + 1 for each axis") {
        // n = (5, 6), k = (3, 2), s = (2, 1), p = (1, 0), d = (1, 2): floor(4 / 2) + 1 = 3, floor(3 / 1) + 1
        // = 4
        NirNode conv = conv2d({2, 1, 3, 2}, {5, 6});
        conv.set("stride", integers({2, 1}));
        conv.set("padding", integers({1, 0}));
        conv.set("dilation", integers({1, 2}));
        CHECK(output_of(checked(between({1, 5, 6}, conv, {2, 3, 4})), "node") == Shape{2, 3, 4});
    }

    TEST_CASE("convolution: valid pads nothing, same keeps the size") {
        const NirNode valid = with(conv2d({4, 2, 3, 3}, {8, 7}), "padding", std::string("valid"));
        CHECK(output_of(checked(between({2, 8, 7}, valid, {4, 6, 5})), "node") == Shape{4, 6, 5});
        const NirNode same = with(conv2d({4, 2, 3, 2}, {8, 7}), "padding", std::string("same"));
        CHECK(output_of(checked(between({2, 8, 7}, same, {4, 8, 7})), "node") == Shape{4, 8, 7});
        CHECK(contains(refusal(between({2, 8, 7}, with(same, "stride", integer(2)), {4, 8, 7})),
                       "field 'stride': expected 1 with padding 'same', found 2."));
        CHECK(contains(
            refusal(between({2, 8, 7}, with(same, "padding", std::string("full")), {4, 8, 7})),
            "field 'padding': expected whole numbers >= 0, 'same' or 'valid', found the string 'full'."));
    }

    TEST_CASE("convolution: the input has weight.shape[1] * groups channels") {
        const NirNode grouped = with(conv2d({4, 1, 3, 3}, {6, 6}), "groups", integer(2));
        const NirDocument done = checked(between({2, 6, 6}, grouped, {4, 4, 4}));
        CHECK(shapes_of(done, "node").input == Shape{2, 6, 6});
        CHECK(contains(refusal(between({3, 6, 6}, with(grouped, "groups", integer(3)), {4, 4, 4})),
                       "field 'groups': expected a divisor of the 4 output channels, found 3."));
    }

    TEST_CASE("convolution: what cannot be slid is refused") {
        const NirNode conv = conv2d({1, 1, 3, 3}, {4, 4});
        const auto text = [&](const std::string& field, const NirArray& value) {
            return refusal(between({1, 4, 4}, with(conv, field, value), {1, 2, 2}));
        };
        CHECK(contains(text("stride", integers({1, 0})),
                       "field 'stride': expected whole numbers > 0 below 2^31, found 0."));
        CHECK(contains(text("dilation", integer(0)), "field 'dilation': expected whole numbers > 0"));
        CHECK(contains(text("padding", integer(-1)),
                       "field 'padding': expected whole numbers >= 0 below 2^31, found -1."));
        CHECK(contains(text("stride", integers({1, 1, 1})),
                       "field 'stride': expected 1 or 2 values, found int64 of shape [3]."));
        CHECK(contains(text("dilation", integers({2, 2})),
                       "field 'weight': expected a kernel that fits into 4 values with padding, found 5 with "
                       "dilation."));
        CHECK(contains(text("input_shape", integers({4})),
                       "field 'input_shape': expected 2 values, found int64 of shape [1]."));
        CHECK(contains(text("weight", filled(1, {1, 3, 3})), "field 'weight': expected 4 dimensions"));
    }

    TEST_CASE("convolution: a missing input_shape comes from the neighbour, channels must fit") {
        const NirNode open = without(conv2d({1, 2, 3, 3}, {4, 4}), "input_shape");
        const NirDocument done = checked(between({2, 5, 4}, open, {1, 3, 2}));
        CHECK(*node_of(done, "node").array("input_shape") == integers({5, 4}));
        CHECK(contains(refusal(between({3, 5, 4}, open, {1, 3, 2})),
                       "field 'weight': expected weights for an input of shape [3, 5, 4]"));
        CHECK(contains(refusal(document({{"conv", open}}, {})),
                       "node 'conv', field 'input_shape': the shape of its input is not known"));
    }

    TEST_CASE("one-dimensional convolution") {
        // n = 16, k = 4, s = 2, p = 1: floor((16 + 2 - 3 - 1) / 2) + 1 = 8
        const NirNode conv = node("Conv1d", {{"input_shape", integer(16)},
                                             {"weight", filled(1, {3, 2, 4})},
                                             {"stride", integers({2})},
                                             {"padding", integers({1})},
                                             {"dilation", integer(1)},
                                             {"groups", integer(1)},
                                             {"bias", number(0.5)}});
        const NirDocument done = checked(between({2, 16}, conv, {3, 8}));
        CHECK(output_of(done, "node") == Shape{3, 8});
        CHECK(*node_of(done, "node").array("stride") == integer(2));
        CHECK(*node_of(done, "node").array("bias") == reals({0.5, 0.5, 0.5}));
    }

    TEST_CASE("pooling") {
        for (const char* type : {"SumPool2d", "AvgPool2d"}) {
            CAPTURE(type);
            // (7 + 0 - 2) / 2 + 1 = 3, (6 + 2 - 3) / 1 + 1 = 6
            CHECK(output_of(checked(between({2, 7, 6}, pool(type, {2, 3}, {2, 1}, {0, 1}), {2, 3, 6})),
                            "node") == Shape{2, 3, 6});
        }
        const NirDocument done = checked(between({2, 4, 4}, pool("SumPool2d", {2}, {2}, {0}), {2, 2, 2}));
        CHECK(*node_of(done, "node").array("stride") == integers({2, 2}));
        CHECK(
            contains(refusal(between({2, 2, 2}, pool("SumPool2d", {3, 3}, {1, 1}, {0, 0}), {2, 1, 1})),
                     "field 'kernel_size': expected a kernel that fits into 2 values with padding, found 3"));
        CHECK(contains(refusal(between({4}, pool("SumPool2d", {1, 1}, {1, 1}, {0, 0}), {4})),
                       "expected an input of shape [channels, height, width], found [4]."));
    }

    TEST_CASE("flatten merges start_dim to end_dim") {
        CHECK(output_of(checked(between({2, 3, 4}, flat(0, -1), {24})), "node") == Shape{24});
        CHECK(output_of(checked(between({2, 3, 4}, flat(0, 1), {6, 4})), "node") == Shape{6, 4});
        CHECK(output_of(checked(between({2, 3, 4}, flat(-2, -1), {2, 12})), "node") == Shape{2, 12});
        const NirDocument done = checked(between({2, 3, 4}, flat(1, 2), {2, 12}));
        CHECK(output_of(done, "node") == Shape{2, 12});
        CHECK(*node_of(done, "node").array("input_type") == integers({2, 3, 4}));
        CHECK(done.notes.empty());
        CHECK(contains(refusal(between({2, 3}, flat(0, 2), {6})),
                       "field 'start_dim': expected dimensions of an input of shape [2, 3], found 0 to 2."));
    }

    TEST_CASE("flatten: start_dim 1 that counts a batch axis is taken as 0 where only that fits") {
        const NirDocument done = checked(chain({{"input", input({2, 3, 4})},
                                                {"flat", flat(1, -1)},
                                                {"fc", linear(5, 24)},
                                                {"output", output({5})}}));
        CHECK(output_of(done, "flat") == Shape{24});
        CHECK(*node_of(done, "flat").array("start_dim") == integer(0));
        CHECK(noted(done, "node 'flat', field 'start_dim': 1 counts a batch axis; taken as 0."));
        CHECK(output_of(checked(between({4}, flat(1, -1), {4})), "node") == Shape{4});
        const NirDocument batched = checked(between({2, 3, 4}, flat(1, -1), {1, 24}));
        CHECK(output_of(batched, "node") == Shape{24});
        CHECK(*node_of(batched, "output").array("shape") == integers({24}));
        const NirDocument through = checked(chain({{"input", input({2, 3, 4})},
                                                   {"flat", flat(1, -1)},
                                                   {"lif", lif(number(1))},
                                                   {"output", output({1, 24})}}));
        CHECK(output_of(through, "lif") == Shape{24});
        const NirDocument positive = checked(between({2, 3, 4}, flat(1, 3), {24}));
        CHECK(*node_of(positive, "node").array("end_dim") == integer(2));
    }

    TEST_CASE("declared shapes give way to a neighbour with as many elements, with a note") {
        const NirDocument done =
            checked(chain({{"input", input({1, 2})}, {"fc", linear(3, 2)}, {"output", output({1, 1, 3})}}));
        CHECK(*node_of(done, "input").array("shape") == integers({2}));
        CHECK(*node_of(done, "output").array("shape") == integers({3}));
        CHECK(noted(done, "node 'input', field 'shape': [1, 2] taken as [2], which fits its neighbours."));
        CHECK(noted(done, "node 'output', field 'shape': [1, 1, 3] taken as [3]"));
        const NirDocument image =
            checked(between({1, 2, 4, 4}, pool("SumPool2d", {2, 2}, {2, 2}, {0, 0}), {2, 2, 2}));
        CHECK(*node_of(image, "input").array("shape") == integers({2, 4, 4}));
    }

    TEST_CASE("declared shapes with another number of elements are refused") {
        CHECK(contains(
            refusal(chain({{"input", input({2})}, {"lif", lif(reals({1, 1}))}, {"output", output({3})}})),
            "node 'lif', field 'tau': expected what fits shape [3] ('output' takes [3]), found shape [2]."));
    }

    TEST_CASE("a weight is compared with both neighbours before its data are there") {
        NirDocument bomb =
            chain({{"input", input({2})},
                   {"fc", node("Affine", {{"weight", NirArray{NirType::float32, {16384, 16384}, {}}},
                                          {"bias", reals({0, 0, 0})}})},
                   {"lif", lif(reals({1, 1, 1}))},
                   {"output", output({3})}});
        CHECK(message_of<saltus::FileError>([&] { check_structure(bomb, "net.nir", {}); }) ==
              "net.nir: node 'fc', field 'weight': expected shape [3, 2] ('lif' takes [3], 'input' gives "
              "[2]), found "
              "shape [16384, 16384].");
    }

    TEST_CASE("a missing Flatten is suggested where only the shape is wrong") {
        const std::string text = refusal(chain({{"input", input({1, 4, 4})},
                                                {"conv", conv2d({2, 1, 3, 3}, {4, 4})},
                                                {"fc", linear(5, 8)},
                                                {"output", output({5})}}));
        CHECK(contains(text,
                       "node 'fc', field 'weight': expected a matrix that fits its neighbours ('conv' gives "
                       "[2, 2, 2]), found shape [5, 8]."));
        CHECK(contains(text, "is a Flatten missing?"));
    }

    TEST_CASE("a conflict between nodes without own shapes names the edge") {
        const NirDocument wrong = document({{"input", input({2, 4, 4})},
                                            {"pool", pool("SumPool2d", {2, 2}, {2, 2}, {0, 0})},
                                            {"pool2", pool("SumPool2d", {1, 1}, {1, 1}, {0, 0})}},
                                           {{"input", "pool"}, {"input", "pool2"}, {"pool", "pool2"}});
        CHECK(contains(refusal(wrong),
                       "edge 'pool' -> 'pool2': expected the same shape at both ends, found 'pool' gives [2, "
                       "2, 2], 'pool2' takes [2, 4, 4]."));
    }

    TEST_CASE("shapes pass through sub-graphs and their messages name the path") {
        const NirNode sub = graph({{"in", input({3})}, {"lif", lif(number(1))}, {"out", output({3})}},
                                  {{"in", "lif"}, {"lif", "out"}});
        const Nodes nodes{{"input", input({2})}, {"fc", linear(3, 2)}, {"sub", sub}, {"output", output({3})}};
        const NirDocument done = checked(chain(nodes));
        CHECK(*done.root.graph->find("sub")->graph->find("lif")->array("tau") == reals({1, 1, 1}));
        CHECK(shapes_of(done, "sub").output == Shape{3});
        CHECK(saltus::io::nir_shapes(*done.root.graph->find("sub")->graph)[1].input == Shape{3});
        Nodes wrong = nodes;
        wrong[2].second = graph({{"lif", with(lif(number(1)), "tau", reals({1, -1, 1}))}}, {});
        CHECK(contains(refusal(document(wrong, {})), "node 'sub/lif', field 'tau'[1]: expected > 0"));
    }
}

TEST_SUITE("io/nir_check: completing") {
    TEST_CASE("scalars and [1] take the shape of the layer, from either side") {
        const NirDocument done = checked(document(
            {{"input", input({2})}, {"fc", linear(3, 2)}, {"a", lif(number(1))}, {"b", lif(reals({0.5}))}},
            {{"input", "fc"}, {"fc", "a"}, {"a", "b"}}));
        CHECK(*node_of(done, "b").array("tau") == reals({0.5, 0.5, 0.5}));
        const NirDocument backward =
            checked(document({{"lif", lif(number(2))}, {"fc", linear(1, 3)}}, {{"lif", "fc"}}));
        CHECK(*node_of(backward, "lif").array("v_threshold") == reals({2, 2, 2}));
    }

    TEST_CASE("v_reset is 0 and w_in is 1 where absent, in shape and float type of the layer") {
        const NirArray floats = NirArray::of(std::vector<float>{1, 2}, {2});
        const NirNode cuba = node("CubaLIF", {{"tau_syn", floats},
                                              {"tau_mem", floats},
                                              {"r", floats},
                                              {"v_leak", floats},
                                              {"v_threshold", floats}});
        const NirDocument done = checked(between({2}, cuba, {2}));
        CHECK(*node_of(done, "node").array("v_reset") == NirArray::of(std::vector<float>{0, 0}, {2}));
        CHECK(*node_of(done, "node").array("w_in") == NirArray::of(std::vector<float>{1, 1}, {2}));
    }

    TEST_CASE("a scalar layer that nothing gives a shape is one neuron, with a note") {
        const NirDocument done = checked(document({{"lif", lif(number(1))}}, {}));
        CHECK(*node_of(done, "lif").array("tau") == reals({1}));
        CHECK(noted(done,
                    "node 'lif': parameters are single numbers and no neighbour gives a shape; taken as a "
                    "layer of one neuron."));
        CHECK_FALSE(noted(checked(document({{"lif", lif(reals({1}))}}, {})), "one neuron"));
    }

    TEST_CASE("conv scalars become pairs") {
        NirNode conv = conv2d({1, 1, 3, 3}, {4, 4});
        for (const char* field : {"stride", "dilation"}) conv.set(field, integer(1));
        conv.set("padding", integers({1}));
        const NirDocument done = checked(between({1, 4, 4}, conv, {1, 4, 4}));
        CHECK(*node_of(done, "node").array("stride") == integers({1, 1}));
        CHECK(*node_of(done, "node").array("padding") == integers({1, 1}));
        CHECK(*node_of(done, "node").array("groups") == integer(1));
    }

    TEST_CASE("single numbers cannot stand for more than memory should hold") {
        CHECK(contains(refusal(between({30000000}, lif(number(1)), {30000000})),
                       "node 'node', field 'tau': expected at most 2^27 values that single numbers stand "
                       "for, found a layer of shape [30000000]."));
    }

    TEST_CASE("a top node that is no graph becomes a graph of one node") {
        NirDocument single{std::nullopt, lif(reals({1, 1})), {}};
        check_nir(single, "net.nir");
        CHECK(single.root.type == "NIRGraph");
        CHECK(*node_of(single, "node").array("v_reset") == reals({0, 0}));
        CHECK(noted(single, "version unknown"));
    }

    TEST_CASE("completing a complete document changes nothing") {
        const NirDocument once =
            checked(chain({{"input", input({1, 2, 4, 4})},
                           {"conv", without(conv2d({2, 2, 3, 3}, {4, 4}), "input_shape")},
                           {"if", node("IF", {{"r", number(1)}, {"v_threshold", number(1)}})},
                           {"flat", flat(1, -1)},
                           {"fc", linear(3, 8)},
                           {"output", output({1, 3})}}));
        NirDocument twice = once;
        check_nir(twice, "net.nir");
        CHECK(twice.root == once.root);
        CHECK(twice.notes == once.notes);
        CHECK(once.notes.size() == 3);
    }
}
