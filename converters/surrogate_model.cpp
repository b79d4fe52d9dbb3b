#include "saltus/converters/surrogate_model.hpp"

#include <cmath>
#include <utility>

#include "own_metadata.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"

namespace saltus::converters {

namespace {

constexpr const char* subject = "surrogate";

io::NirArray whole(std::int64_t value) {
    return io::NirArray::of(value);
}

io::NirNode port(const char* type, const char* field, const std::vector<std::int64_t>& shape) {
    io::NirNode node;
    node.type = type;
    node.set(field, io::NirArray::of(shape, {shape.size()}));
    return node;
}

std::uint32_t count(const OwnFields& fields, const char* name, double largest) {
    const double value = fields.number(name);
    if (!(value >= 1.0 && value <= largest && value == std::floor(value)))
        throw fields.wrong(name, "a whole number above 0 that is not too large");
    return static_cast<std::uint32_t>(value);
}

std::vector<double> finite(const OwnFields& fields, const io::NirGroup& group, const char* name) {
    const io::NirValue* value = group.find(name);
    const auto* array = value ? std::get_if<io::NirArray>(value) : nullptr;
    if (!array) throw fields.wrong(name, "an array of numbers");
    std::vector<double> values = array->reals();
    for (const double x : values) {
        if (!std::isfinite(x)) throw fields.wrong(name, "finite numbers");
    }
    return values;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

}  // namespace

io::NirDocument nir_from_surrogate(const SurrogateModel& model) {
    const std::vector<std::int64_t> input(model.description.input.begin(), model.description.input.end());
    const auto classes = static_cast<std::int64_t>(model.classes.size());
    auto graph = std::make_shared<io::NirGraph>();
    graph->nodes.emplace_back("input", port("Input", "shape", input));
    graph->nodes.emplace_back("output", port("Output", "shape", {classes}));
    io::NirDocument document;
    document.root.type = "NIRGraph";
    document.root.graph = std::move(graph);

    std::string names;
    for (const std::string& name : model.classes) names += name + "\n";
    const std::vector<double> divisors(model.divisors.begin(), model.divisors.end());
    io::NirGroup own{{{"layers", learning::text_of(model.description.layers)},
                      {"parameters", io::NirArray::of(model.parameters, {model.parameters.size()})},
                      {"steps", whole(model.description.steps)},
                      {"input", io::NirArray::of(input, {input.size()})},
                      {"dt", seconds_of(model.dt)},
                      {"classes", names},
                      {"task", model.task},
                      {"derivatives", whole(model.derivatives ? 1 : 0)},
                      {"binary", whole(model.binary ? 1 : 0)},
                      {"encoding", model.encoding},
                      {"slot", seconds_of(model.slot)},
                      {"slots", whole(model.slots)}}};
    if (!divisors.empty())
        own.entries.emplace_back("divisors", io::NirArray::of(divisors, {divisors.size()}));
    set_own_group(document, subject, std::move(own));
    return document;
}

std::optional<SurrogateModel> surrogate_model_of(const io::NirDocument& document) {
    const io::NirGroup* group = own_group(document, subject);
    if (!group) return std::nullopt;
    constexpr double most = 268435456.0;
    const OwnFields fields(*group, subject);
    SurrogateModel model;
    model.classes = lines_of(fields.text("classes"));
    if (model.classes.empty()) throw fields.wrong("classes", "one name a line");
    model.description.steps = count(fields, "steps", most);
    for (const double n : finite(fields, *group, "input")) {
        if (!(n >= 1.0 && n <= most)) throw fields.wrong("input", "sizes of axes");
        model.description.input.push_back(static_cast<std::uint32_t>(n));
    }
    model.description.layers =
        learning::surrogate_layers(fields.text("layers"), static_cast<std::uint32_t>(model.classes.size()));
    const learning::SurrogateNetwork network(model.description);  // checks them all
    model.parameters = finite(fields, *group, "parameters");
    if (model.parameters.size() != network.parameters())
        throw fields.wrong("parameters", "as many numbers as the layers have");
    std::size_t begin = 0;
    for (const learning::ParameterGroup& of : network.groups()) {
        for (std::size_t k = begin; k < begin + of.size; ++k) {
            if (!(model.parameters[k] >= of.lower && model.parameters[k] <= of.upper))
                throw fields.wrong("parameters", "leaks from 0 to 1 and thresholds >= 0");
        }
        begin += of.size;
    }
    const bool scales = group->find("divisors") != nullptr;
    for (const double x : scales ? finite(fields, *group, "divisors") : std::vector<double>{}) {
        const auto divisor = static_cast<float>(x);
        if (!(divisor > 0.0f && std::isfinite(divisor))) throw fields.wrong("divisors", "numbers above 0");
        model.divisors.push_back(divisor);
    }
    if (scales && model.divisors.size() != element_count(model.description.input))
        throw fields.wrong("divisors", "one for each number of a step, or none");
    model.dt = fields.duration("dt");
    model.task = fields.text("task");
    model.derivatives = fields.number("derivatives") != 0.0;
    model.binary = fields.number("binary") != 0.0;
    model.encoding = fields.text("encoding");
    model.slot = fields.duration("slot");
    model.slots = count(fields, "slots", 1048576.0);
    return model;
}

void check_no_surrogate(const io::NirDocument& document) {
    if (!own_group(document, subject)) return;
    throw NetworkError(
        "network", "",
        "the file holds layers that were trained in steps of time. `saltus convert IN OUT --to-delays` (in "
        "Python to_delays) makes neurons and synapses of them; `saltus evaluate` and `saltus train surrogate "
        "--network` take it as it is.");
}

}  // namespace saltus::converters
