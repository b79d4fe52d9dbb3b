// Building networks in code: what saltus/_builder.py calls.
#include "saltus/engine/network_builder.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "arrays.hpp"
#include "network.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::python {

namespace {

/// Each value is a float, an array of one dimension, or a distribution.
Parameters parameters_from(const nb::dict& values) {
    Parameters parameters;
    for (const auto& [key, value] : values) {
        const auto name = nb::cast<std::string>(key);
        if (nb::isinstance<Distribution>(value)) {
            parameters.emplace_back(name, nb::cast<Distribution>(value));
        } else if (nb::isinstance<nb::float_>(value)) {
            parameters.emplace_back(name, nb::cast<double>(value));
        } else {
            const Column<double> column = column_from<double>(value, name.c_str());
            parameters.emplace_back(name, std::vector<double>(column.data(), column.data() + column.size()));
        }
    }
    return parameters;
}

Shape shape_from(const nb::list& sizes) {
    Shape shape;
    for (const nb::handle size : sizes) shape.push_back(nb::cast<std::uint32_t>(size));
    return shape;
}

std::vector<double> doubles_from(nb::handle value, const char* what) {
    const Column<double> column = column_from<double>(value, what);
    return {column.data(), column.data() + column.size()};
}

std::vector<NeuronIndex> neurons_from(const std::string& edge, nb::handle value, const char* what) {
    const Column<std::int64_t> column = column_from<std::int64_t>(value, what);
    std::vector<NeuronIndex> neurons(column.size());
    for (std::size_t s = 0; s < neurons.size(); ++s) {
        const std::int64_t neuron = column.data()[s];
        if (neuron < 0 || neuron > std::int64_t{0xffffffff}) {
            throw NetworkError(edge, std::string(what) + "[" + std::to_string(s) + "]",
                               "expected a neuron, 0 to 2^32 - 1, found " + std::to_string(neuron) + ".");
        }
        neurons[s] = static_cast<NeuronIndex>(neuron);
    }
    return neurons;
}

void connect(NetworkBuilder& builder, const std::string& pre, const std::string& post,
             const std::string& rule, std::optional<std::uint64_t> k, std::optional<std::uint64_t> N,
             std::optional<double> p, bool autapses, bool multapses, bool procedural,
             std::optional<std::uint64_t> seed, const Distribution& weight, const Distribution& delay) {
    builder.connect(pre, post,
                    Connection{rule, k, N, p, autapses, multapses, procedural, seed, weight, delay});
}

void connect_list(NetworkBuilder& builder, const std::string& pre, const std::string& post,
                  nb::handle sources, nb::handle targets, nb::handle weight, nb::handle delay) {
    const std::string edge = pre + " -> " + post;
    const ConnectionList list{neurons_from(edge, sources, "pre"), neurons_from(edge, targets, "post"),
                              doubles_from(weight, "weight"), doubles_from(delay, "delay")};
    const nb::gil_scoped_release unlocked;
    builder.connect(pre, post, list);
}

void connect_matrix(NetworkBuilder& builder, const std::string& pre, const std::string& post,
                    const nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>& weight,
                    double delay) {
    const ConnectionMatrix matrix{
        weight.shape(0), weight.shape(1), {weight.data(), weight.data() + weight.size()}, delay};
    const nb::gil_scoped_release unlocked;
    builder.connect(pre, post, matrix);
}

std::string text_of(const Distribution& d) {
    const std::string step = d.step > 0.0 ? ", step=" + shown(d.step) : "";
    switch (d.kind) {
        case Distribution::Kind::constant:
            return shown(d.value);
        case Distribution::Kind::uniform:
        case Distribution::Kind::uniform_grid:
            return "uniform(" + shown(d.low) + ", " + shown(d.high) + step + ")";
        case Distribution::Kind::normal:
            return "normal(" + shown(d.value) + ", " + shown(d.sd) + ", low=" + shown(d.low) +
                   ", high=" + shown(d.high) + step + ")";
    }
    return "";
}

}  // namespace

void bind_builder(nb::module_& module) {
    using namespace nb::literals;

    nb::class_<Distribution>(module, "Distribution", "How weights, delays or parameters are drawn.")
        .def_static("constant", &Distribution::constant, "value"_a)
        .def_static("uniform", &Distribution::uniform, "low"_a, "high"_a, "step"_a)
        .def_static("normal", &Distribution::normal, "mean"_a, "sd"_a, "low"_a, "high"_a, "step"_a)
        .def("__repr__", text_of);

    nb::class_<NetworkBuilder>(module, "NetworkBuilder", "A network that is being built.")
        .def(nb::init<std::uint64_t>(), "seed"_a)
        .def(
            "input",
            [](NetworkBuilder& builder, const std::string& name, const nb::list& shape) {
                builder.input(name, shape_from(shape));
            },
            "name"_a, "shape"_a)
        .def(
            "source",
            [](NetworkBuilder& builder, const std::string& name, const nb::list& shape,
               const std::string& kind, const nb::dict& parameters, std::optional<std::uint64_t> seed) {
                builder.source(name, shape_from(shape), kind, parameters_from(parameters), seed);
            },
            "name"_a, "shape"_a, "kind"_a, "parameters"_a, "seed"_a.none())
        .def(
            "spike_source",
            [](NetworkBuilder& builder, const std::string& name, const nb::list& shape,
               const Spikes& spikes) { builder.source(name, shape_from(shape), spikes.train); },
            "name"_a, "shape"_a, "spikes"_a)
        .def(
            "population",
            [](NetworkBuilder& builder, const std::string& name, const nb::list& shape,
               const std::string& model, const nb::dict& parameters) {
                builder.population(name, shape_from(shape), model, parameters_from(parameters));
            },
            "name"_a, "shape"_a, "model"_a, "parameters"_a)
        .def("connect", connect, "pre"_a, "post"_a, "rule"_a, "k"_a.none(), "N"_a.none(), "p"_a.none(),
             "autapses"_a, "multapses"_a, "procedural"_a, "seed"_a.none(), "weight"_a, "delay"_a)
        .def("connect_list", connect_list, "pre"_a, "post"_a, "sources"_a, "targets"_a, "weight"_a, "delay"_a)
        .def("connect_matrix", connect_matrix, "pre"_a, "post"_a, "weight"_a, "delay"_a)
        .def("network", [](const NetworkBuilder& builder) {
            return std::make_shared<BuiltNetwork>(converters::NirImport{builder.network(), {}});
        });
}

}  // namespace saltus::python
