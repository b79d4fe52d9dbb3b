#include "saltus/engine/learning/surrogate_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "saltus/engine/errors.hpp"

namespace saltus::learning {

namespace {

using Layer = SurrogateLayer;
using Kind = Layer::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 4> kinds{{{"dense", Kind::dense},
                                                                  {"conv", Kind::convolution},
                                                                  {"pool", Kind::pooling},
                                                                  {"readout", Kind::readout}}};
constexpr std::array<std::pair<std::string_view, Layer::Pool>, 3> pools{
    {{"max", Layer::Pool::max}, {"sum", Layer::Pool::sum}, {"average", Layer::Pool::average}}};
constexpr std::array<std::pair<std::string_view, Layer::Reduction>, 4> reductions{
    {{"mean", Layer::Reduction::mean},
     {"max", Layer::Reduction::max},
     {"last", Layer::Reduction::last},
     {"count", Layer::Reduction::count}}};
constexpr std::array<std::pair<std::string_view, Layer::Join>, 2> joins{
    {{"concatenate", Layer::Join::concatenate}, {"add", Layer::Join::add}}};
constexpr std::array<std::pair<std::string_view, Layer::Axes Layer::*>, 4> axes_fields{
    {{"kernel", &Layer::kernel},
     {"stride", &Layer::stride},
     {"dilation", &Layer::dilation},
     {"padding", &Layer::padding}}};

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
        if (end > begin) parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

UsageError wrong(std::string_view layer, const std::string& expected, std::string_view found) {
    return UsageError("layer " + quoted(layer) + ": expected " + expected + ", found " + quoted(found) + ".");
}

std::uint32_t number(std::string_view layer, std::string_view word) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) throw wrong(layer, "a whole number", word);
    return value;
}

template <class Names>
auto choice(std::string_view layer, std::string_view word, const Names& names) {
    std::string expected;
    for (const auto& [name, value] : names) {
        if (name == word) return value;
        expected += (expected.empty() ? "" : ", ") + std::string(name);
    }
    throw wrong(layer, "one of " + expected, word);
}

template <class Names, class Value>
std::string name_of(const Names& names, Value value) {
    for (const auto& [name, known] : names) {
        if (known == value) return std::string(name);
    }
    return "";
}

void set(Layer& layer, std::string_view text, std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string_view key = word.substr(0, equals);
    if (equals == std::string_view::npos) {
        if (key == "recurrent") {
            layer.recurrent = true;
        } else if (key == "no_lateral") {
            layer.lateral = false;
        } else {
            throw wrong(text, "recurrent, no_lateral, or KEY=VALUE", word);
        }
        return;
    }
    const std::string_view value = word.substr(equals + 1);
    for (const auto& [name, field] : axes_fields) {
        if (name != key) continue;
        for (const std::string_view part : split(value, "x")) (layer.*field).push_back(number(text, part));
        return;
    }
    if (key == "groups") {
        layer.groups = number(text, value);
    } else if (key == "name") {
        layer.name = value;
    } else if (key == "join") {
        layer.join = choice(text, value, joins);
    } else if (key == "from") {
        for (const std::string_view part : split(value, "+")) layer.from.emplace_back(part);
    } else {
        constexpr std::array<std::string_view, 8> keys{"kernel", "stride", "dilation", "padding",
                                                       "groups", "name",   "join",     "from"};
        throw UsageError("layer " + quoted(text) + ": unknown key " + quoted(key) + "." +
                         did_you_mean(key, keys));
    }
}

Layer layer_of(std::string_view text, std::size_t position, std::uint32_t classes) {
    const std::vector<std::string_view> words = split(text, " \t\r");
    Layer layer;
    layer.name = "layer" + std::to_string(position + 1);
    layer.kind = choice(text, words[0], kinds);
    std::size_t next = 1;
    if (layer.kind == Kind::readout) {
        layer.name = "readout";
        layer.channels = classes;
        if (next < words.size() && words[next].find('=') == std::string_view::npos)
            layer.reduction = choice(text, words[next++], reductions);
    } else {
        if (next == words.size()) throw wrong(text, "more after the kind of the layer", words[0]);
        if (layer.kind == Kind::pooling) {
            layer.pool = choice(text, words[next++], pools);
        } else {
            layer.channels = number(text, words[next++]);
        }
    }
    for (; next < words.size(); ++next) set(layer, text, words[next]);
    return layer;
}

}  // namespace

std::vector<SurrogateLayer> surrogate_layers(std::string_view text, std::uint32_t classes) {
    std::vector<Layer> layers;
    for (const std::string_view line : split(text, ";\n")) {
        if (split(line, " \t\r").empty()) continue;
        layers.push_back(layer_of(line, layers.size(), classes));
    }
    if (layers.empty() || layers.back().kind != Kind::readout)
        layers.push_back(layer_of("readout", layers.size(), classes));
    return layers;
}

std::string text_of(const std::vector<SurrogateLayer>& layers) {
    std::string text;
    for (const Layer& layer : layers) {
        text += (text.empty() ? "" : "; ") + name_of(kinds, layer.kind) + " ";
        switch (layer.kind) {
            case Kind::dense:
            case Kind::convolution:
                text += std::to_string(layer.channels);
                break;
            case Kind::pooling:
                text += name_of(pools, layer.pool);
                break;
            case Kind::readout:
                text += name_of(reductions, layer.reduction);
                break;
        }
        text += " name=" + layer.name;
        for (const auto& [name, field] : axes_fields) {
            const Layer::Axes& axes = layer.*field;
            for (std::size_t k = 0; k < axes.size(); ++k)
                text += (k == 0 ? " " + std::string(name) + "=" : std::string("x")) + std::to_string(axes[k]);
        }
        if (layer.groups != 1) text += " groups=" + std::to_string(layer.groups);
        for (std::size_t k = 0; k < layer.from.size(); ++k) text += (k == 0 ? " from=" : "+") + layer.from[k];
        if (layer.join == Layer::Join::add) text += " join=add";
        if (layer.recurrent) text += " recurrent";
        if (!layer.lateral) text += " no_lateral";
    }
    return text;
}

}  // namespace saltus::learning
