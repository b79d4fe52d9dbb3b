// A work list of nodes whose shapes have changed. A shape that is known is never replaced; contradictions are
// found when everything has settled, so that the message can show what both neighbours need.
#include "nir_infer.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string_view>
#include <utility>

#include "nir_check.hpp"
#include "nir_fields.hpp"
#include "nir_schema.hpp"

namespace saltus::io {

namespace {

struct Dims {
    std::int64_t start;
    std::int64_t end;
};

/// nullopt where the dimensions do not exist.
std::optional<NirShape> flattened(const NirShape& shape, Dims dims) {
    const auto rank = static_cast<std::int64_t>(shape.size());
    const std::int64_t start = dims.start < 0 ? dims.start + rank : dims.start;
    const std::int64_t end = dims.end < 0 ? dims.end + rank : dims.end;
    if (start < 0 || end < start || end >= rank) return std::nullopt;
    NirShape result(shape.begin(), shape.begin() + start);
    result.push_back(element_count(NirShape(shape.begin() + start, shape.begin() + end + 1)));
    result.insert(result.end(), shape.begin() + end + 1, shape.end());
    return result;
}

NirShape without_leading_ones(const NirShape& shape) {
    auto first = std::find_if(shape.begin(), shape.end(), [](std::uint64_t n) { return n != 1; });
    if (first == shape.end() && !shape.empty()) --first;
    return {first, shape.end()};
}

class Inference {
  public:
    Inference(const NirFlat& graph, const std::string& origin, NirNotes& notes)
        : graph_(graph),
          origin_(origin),
          notes_(notes),
          shapes_(size()),
          told_(size()),
          hinted_(size()),
          sources_(size()),
          targets_(size()) {
        for (const NirLeaf& leaf : graph.nodes) types_.push_back(find_nir_node_type(leaf.node->type));
        for (const NirEdge& edge : graph.edges) {
            sources_[edge.target].push_back(edge.source);
            targets_[edge.source].push_back(edge.target);
        }
    }

    std::vector<NirLeafShapes> shapes() {
        each([&](std::size_t i) { start(i); });
        each_of(NirForm::port, [&](std::size_t i) {
            if (sources_[i].empty()) declare(i);
        });
        each_of(NirForm::flatten, [&](std::size_t i) { declare(i); });
        each_of(NirForm::port, [&](std::size_t i) { hint(i); });
        each_of(NirForm::flatten, [&](std::size_t i) { flatten(i, true); });
        each_of(NirForm::port, [&](std::size_t i) { declare(i); });
        each_of(NirForm::flatten, [&](std::size_t i) { flatten(i, true); });
        each_of(NirForm::layer, [&](std::size_t i) { single_neuron(i); });
        for (const NirEdge& edge : graph_.edges) check_edge(edge);
        for (std::size_t i = 0; i < size(); ++i) finish(i);
        check_growth();
        return std::move(shapes_);
    }

  private:
    [[nodiscard]] std::size_t size() const { return graph_.nodes.size(); }
    [[nodiscard]] const NirNode& node(std::size_t i) const { return *graph_.nodes[i].node; }
    [[nodiscard]] NirForm form(std::size_t i) const { return types_[i]->form; }
    [[nodiscard]] NirPlace place(std::size_t i) const { return {origin_, graph_.path(i)}; }

    template <class Visit>
    void each(Visit visit) {
        for (std::size_t i = 0; i < size(); ++i) {
            visit(i);
            spread();
        }
    }

    template <class Visit>
    void each_of(NirForm wanted, Visit visit) {
        each([&](std::size_t i) {
            if (form(i) == wanted) visit(i);
        });
    }

    void spread() {
        while (!changed_.empty()) {
            const std::size_t i = changed_.front();
            changed_.pop_front();
            if (shapes_[i].output) {
                for (const std::size_t target : targets_[i]) take_input(target, *shapes_[i].output);
            }
            if (shapes_[i].input) {
                for (const std::size_t source : sources_[i]) take_output(source, *shapes_[i].input);
            }
        }
    }

    void settle(std::size_t i, NirShape input, NirShape output) {
        shapes_[i].input = std::move(input);
        shapes_[i].output = std::move(output);
        changed_.push_back(i);
    }

    /// What the node's own fields say.
    void start(std::size_t i) {
        if (form(i) == NirForm::matrix) {
            const NirShape& weight = node(i).array("weight")->shape;
            NirShape output(weight.begin(), weight.end() - 1);
            NirShape input = output;
            input.back() = weight.back();
            settle(i, std::move(input), std::move(output));
        } else if (form(i) == NirForm::layer) {
            const NirArray& shaping = *node(i).array(shaping_field(node(i), *types_[i]));
            if (!is_single(shaping)) settle(i, shaping.shape, shaping.shape);
        } else if (form(i) == NirForm::conv && node(i).array("input_shape") != nullptr) {
            NirShape input{channels(i)};
            for (const std::int64_t n : integers(node(i), "input_shape")) {
                input.push_back(static_cast<std::uint64_t>(n));
            }
            convolve(i, input);
        }
    }

    /// The declared shape of an Input, Output or Flatten that has heard nothing from its neighbours.
    void declare(std::size_t i) {
        if (shapes_[i].input) return;
        const std::string_view field = form(i) == NirForm::port ? "shape" : "input_type";
        if (node(i).array(field) == nullptr) return;
        NirShape shape = stored_shape(node(i), field);
        for (const std::size_t target : targets_[i]) {
            if (form(target) != NirForm::conv && form(target) != NirForm::pool) continue;
            const std::size_t rank = types_[target]->axes + 1;
            while (shape.size() > rank && shape.front() == 1) shape.erase(shape.begin());
        }
        take_input(i, shape);
    }

    /// Tells each Flatten before port `i`, with nothing but nodes of unknown shape between, which shape `i`
    /// declares.
    void hint(std::size_t i) {
        if (shapes_[i].input) return;
        const NirShape declared = stored_shape(node(i), "shape");
        std::vector<std::size_t> open{i};
        while (!open.empty()) {
            const std::size_t at = open.back();
            open.pop_back();
            for (const std::size_t source : sources_[at]) {
                if (shapes_[source].output || hinted_[source]) continue;
                hinted_[source] = true;
                if (form(source) == NirForm::flatten) take_output(source, declared);
                if (form(source) == NirForm::layer || form(source) == NirForm::port) open.push_back(source);
            }
        }
    }

    /// A declared shape gives way to another with as many elements.
    NirShape yielded(std::size_t i, std::string_view field, const NirShape& told) const {
        if (node(i).array(field) == nullptr) return told;
        NirShape declared = stored_shape(node(i), field);
        return element_count(declared) == element_count(told) ? told : declared;
    }

    void take_input(std::size_t i, const NirShape& shape) {
        if (shapes_[i].input) return;
        switch (form(i)) {
            case NirForm::port: {
                const NirShape own = yielded(i, "shape", shape);
                return settle(i, own, own);
            }
            case NirForm::layer:
                return settle(i, shape, shape);
            case NirForm::conv:
                return convolve(i, shape);
            case NirForm::pool:
                return pool(i, shape);
            case NirForm::flatten:
                shapes_[i].input = yielded(i, "input_type", shape);
                changed_.push_back(i);
                return flatten(i, false);
            default:
                return;
        }
    }

    void take_output(std::size_t i, const NirShape& shape) {
        if (shapes_[i].output) return;
        if (form(i) == NirForm::port || form(i) == NirForm::layer) return take_input(i, shape);
        if (form(i) != NirForm::flatten || told_[i]) return;
        told_[i] = shape;
        flatten(i, false);
    }

    [[nodiscard]] std::uint64_t channels(std::size_t i) const {
        return node(i).array("weight")->shape[1] *
               static_cast<std::uint64_t>(integers(node(i), "groups").front());
    }

    [[nodiscard]] std::uint64_t slid(std::size_t i, std::string_view field, std::uint64_t n,
                                     std::uint64_t kernel, std::int64_t stride, std::int64_t dilation,
                                     std::int64_t padding) const {
        const std::uint64_t width = static_cast<std::uint64_t>(dilation) * (kernel - 1) + 1;
        const std::uint64_t room = n + 2 * static_cast<std::uint64_t>(padding);
        if (width > room) {
            throw place(i).unexpected(
                field, "a kernel that fits into " + std::to_string(room) + " values with padding",
                std::to_string(width) + " with dilation");
        }
        return (room - width) / static_cast<std::uint64_t>(stride) + 1;
    }

    void convolve(std::size_t i, const NirShape& input) {
        const NirShape& weight = node(i).array("weight")->shape;
        const std::size_t axes = types_[i]->axes;
        if (input.size() != axes + 1 || input.front() != channels(i)) {
            throw place(i).unexpected("weight", "weights for an input of shape " + to_text(input),
                                      "shape " + to_text(weight) + ", which needs " +
                                          std::to_string(axes + 1) + " dimensions, the first of " +
                                          std::to_string(channels(i)) + " channels");
        }
        const std::string* word = node(i).string("padding");
        NirShape output{weight[0]};
        if (word != nullptr && *word == "same") {
            output.insert(output.end(), input.begin() + 1, input.end());
            return settle(i, input, output);
        }
        const auto stride = integers(node(i), "stride", axes);
        const auto dilation = integers(node(i), "dilation", axes);
        const auto padding =
            word != nullptr ? std::vector<std::int64_t>(axes, 0) : integers(node(i), "padding", axes);
        for (std::size_t k = 0; k < axes; ++k) {
            output.push_back(
                slid(i, "weight", input[k + 1], weight[k + 2], stride[k], dilation[k], padding[k]));
        }
        settle(i, input, output);
    }

    void pool(std::size_t i, const NirShape& input) {
        const std::size_t axes = types_[i]->axes;
        if (input.size() != axes + 1) {
            throw place(i).unexpected("kernel_size", "an input of shape [channels, height, width]",
                                      to_text(input));
        }
        const auto kernel = integers(node(i), "kernel_size", axes);
        const auto stride = integers(node(i), "stride", axes);
        const auto padding = integers(node(i), "padding", axes);
        NirShape output{input.front()};
        for (std::size_t k = 0; k < axes; ++k) {
            output.push_back(slid(i, "kernel_size", input[k + 1], static_cast<std::uint64_t>(kernel[k]),
                                  stride[k], 1, padding[k]));
        }
        settle(i, input, output);
    }

    /// start_dim may count a batch axis, as in torch. That is so if only then the result fits the next node,
    /// or exists.
    void flatten(std::size_t i, bool decide) {
        NirLeafShapes& shapes = shapes_[i];
        if (!shapes.input || shapes.output) return;
        const Dims stored{integers(node(i), "start_dim").front(), integers(node(i), "end_dim").front()};
        const Dims shifted{stored.start - 1, stored.end > 0 ? stored.end - 1 : stored.end};
        const auto plain = flattened(*shapes.input, stored);
        const auto batched = stored.start > 0 ? flattened(*shapes.input, shifted) : std::nullopt;
        if (!plain && !batched) {
            throw place(i).unexpected("start_dim",
                                      "dimensions of an input of shape " + to_text(*shapes.input),
                                      std::to_string(stored.start) + " to " + std::to_string(stored.end));
        }
        const auto fits = [&](const std::optional<NirShape>& shape) {
            return shape && told_[i] && (*shape == *told_[i] || *shape == without_leading_ones(*told_[i]));
        };
        if (plain && batched && !fits(plain) && !fits(batched) && !decide) return;
        const bool shift = batched && !fits(plain) && (fits(batched) || !plain);
        const Dims used = shift ? shifted : stored;
        shapes.start_dim = used.start;
        shapes.end_dim = used.end;
        shapes.output = shift ? *batched : *plain;
        changed_.push_back(i);
    }

    void single_neuron(std::size_t i) {
        if (shapes_[i].input) return;
        const NirArray& shaping = *node(i).array(shaping_field(node(i), *types_[i]));
        if (shaping.shape.empty()) {
            notes_.add(place(i).where() +
                       ": parameters are single numbers and no neighbour gives a shape; taken as "
                       "a layer of one neuron.");
        }
        settle(i, {1}, {1});
    }

    /// Fields of `i` that could be wrong about a shape, the most telling node first.
    [[nodiscard]] int blame(std::size_t i) const {
        if (form(i) == NirForm::matrix || form(i) == NirForm::conv) return 3;
        if (form(i) == NirForm::port) return 1;
        return form(i) == NirForm::layer && !is_single(*node(i).array(shaping_field(node(i), *types_[i])))
                   ? 2
                   : 0;
    }

    void check_edge(const NirEdge& edge) const {
        const auto& [source, target] = edge;
        if (!shapes_[source].output || !shapes_[target].input) return;
        const NirShape& given = *shapes_[source].output;
        const NirShape& taken = *shapes_[target].input;
        if (given == taken) return;
        const std::string gives = saltus::quoted(graph_.path(source)) + " gives " + to_text(given);
        const std::string takes = saltus::quoted(graph_.path(target)) + " takes " + to_text(taken);
        const bool flat = element_count(given) == element_count(taken);
        const std::string cure = flat ? "The number of elements is the same: is a Flatten missing?" : "";
        if (blame(source) == 0 && blame(target) == 0) {
            throw FileError::unexpected(
                origin_,
                "edge " + saltus::quoted(graph_.path(source)) + " -> " + saltus::quoted(graph_.path(target)),
                "the same shape at both ends", gives + ", " + takes, cure);
        }
        const bool at_target = blame(target) >= blame(source);
        const std::size_t wrong = at_target ? target : source;
        const std::string reason = " (" + (at_target ? gives : takes) + ")";
        const NirShape& expected = at_target ? given : taken;
        if (form(wrong) == NirForm::matrix) {
            const NirShape& weight = node(wrong).array("weight")->shape;
            throw place(wrong).unexpected("weight", expected_weight(wrong), "shape " + to_text(weight), cure);
        }
        std::string_view field = "shape";
        if (form(wrong) == NirForm::layer) field = shaping_field(node(wrong), *types_[wrong]);
        if (form(wrong) == NirForm::conv) {
            const bool sizes = at_target && given.size() == taken.size() && given.front() == taken.front();
            field = sizes ? "input_shape" : "weight";
        }
        throw place(wrong).unexpected(field, "what fits shape " + to_text(expected) + reason,
                                      "shape " + to_text(at_target ? taken : given), cure);
    }

    /// "shape [3, 2] ('lif' takes [3], 'input' gives [2])": what all neighbours of a matrix together need.
    [[nodiscard]] std::string expected_weight(std::size_t i) const {
        NirShape weight = node(i).array("weight")->shape;
        const std::size_t rank = weight.size();
        std::string reasons;
        bool possible = true;
        const auto need = [&](std::size_t neighbour, const NirShape& shape, std::size_t axis,
                              const char* verb) {
            reasons += (reasons.empty() ? "" : ", ") + saltus::quoted(graph_.path(neighbour)) + verb +
                       to_text(shape);
            possible = possible && shape.size() == rank - 1;
            if (!possible) return;
            std::copy(shape.begin(), shape.end() - 1, weight.begin());
            weight[axis] = shape.back();
        };
        for (const std::size_t target : targets_[i]) {
            if (!shapes_[target].input || *shapes_[target].input == *shapes_[i].output) continue;
            need(target, *shapes_[target].input, rank - 2, " takes ");
            break;
        }
        for (const std::size_t source : sources_[i]) {
            if (!shapes_[source].output || *shapes_[source].output == *shapes_[i].input) continue;
            need(source, *shapes_[source].output, rank - 1, " gives ");
            break;
        }
        return (possible ? "shape " + to_text(weight) : "a matrix that fits its neighbours") + " (" +
               reasons + ")";
    }

    void finish(std::size_t i) {
        const NirLeafShapes& shapes = shapes_[i];
        if (!shapes.input || !shapes.output) return unknown(i);
        for (const NirShape& shape : {*shapes.input, *shapes.output}) {
            if (shape.size() <= max_rank && element_count(shape) <= max_elements) continue;
            throw place(i).unexpected("", "signals of at most 2^31 elements", "shape " + to_text(shape));
        }
        check_bias(i);
        if (form(i) == NirForm::port) note_repair(i, "shape", *shapes.input);
        if (form(i) != NirForm::flatten) return;
        if (node(i).array("input_type") != nullptr) note_repair(i, "input_type", *shapes.input);
        const std::int64_t stored = integers(node(i), "start_dim").front();
        if (shapes.start_dim != stored) {
            notes_.add(place(i).where("start_dim") + ": " + std::to_string(stored) +
                       " counts a batch axis; taken as " + std::to_string(shapes.start_dim) + ".");
        }
    }

    /// Comes after the edges: where weight and bias disagree, they tell which of them is wrong.
    void check_bias(std::size_t i) const {
        if (types_[i]->find("bias") == nullptr) return;
        const NirArray& bias = *node(i).array("bias");
        const NirShape& output = *shapes_[i].output;
        const NirShape rows{form(i) == NirForm::conv ? output.front() : output.back()};
        if (is_single(bias) || bias.shape == rows || (form(i) == NirForm::matrix && bias.shape == output))
            return;
        throw place(i).unexpected("bias", "shape " + to_text(rows) + " as 'weight'", to_text(bias.shape));
    }

    void note_repair(std::size_t i, std::string_view field, const NirShape& used) {
        const NirShape stored = stored_shape(node(i), field);
        if (stored == used) return;
        notes_.add(place(i).where(field) + ": " + to_text(stored) + " taken as " + to_text(used) +
                   ", which fits its neighbours.");
    }

    void unknown(std::size_t i) {
        const std::string text = "the shape of its input is not known: no edge gives it";
        if (form(i) == NirForm::conv) throw place(i).error("input_shape", text + ". Give input_shape.");
        if (!sources_[i].empty() || !targets_[i].empty()) throw place(i).error("", text + ".");
        notes_.add(place(i).where() + ": " + text + ".");
    }

    /// Single numbers that stand for whole layers make a small file large: how large, has a limit.
    void check_growth() const {
        std::uint64_t grown = 0;
        for (std::size_t i = 0; i < size(); ++i) {
            if (form(i) != NirForm::layer) continue;
            const std::string_view field = shaping_field(node(i), *types_[i]);
            if (!is_single(*node(i).array(field))) continue;
            grown += element_count(*shapes_[i].input) * types_[i]->fields.size();
            if (grown <= max_grown) continue;
            throw place(i).unexpected(field, "at most 2^27 values that single numbers stand for",
                                      "a layer of shape " + to_text(*shapes_[i].input),
                                      "Store the parameters in the shape of the layer.");
        }
    }

    const NirFlat& graph_;
    const std::string& origin_;
    NirNotes& notes_;
    std::vector<const NirNodeType*> types_;
    std::vector<NirLeafShapes> shapes_;
    std::vector<std::optional<NirShape>> told_;  // output of a Flatten that its targets want
    std::vector<bool> hinted_;
    std::vector<std::vector<std::size_t>> sources_;
    std::vector<std::vector<std::size_t>> targets_;
    std::deque<std::size_t> changed_;
};

}  // namespace

std::vector<NirLeafShapes> infer_shapes(const NirFlat& graph, const std::string& origin, NirNotes& notes) {
    return Inference(graph, origin, notes).shapes();
}

}  // namespace saltus::io
