// Documents, and networks read from them.
#include "network.hpp"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "arrays.hpp"
#include "nir_tree.hpp"
#include "saltus/converters/sonata.hpp"
#include "saltus/converters/surrogate_delays.hpp"
#include "saltus/converters/surrogate_norse.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/nir_json.hpp"

namespace saltus::python {

namespace {

enum class Form { hdf5, json };

Form form_of(std::string_view name) {
    if (name == "hdf5") return Form::hdf5;
    if (name == "json") return Form::json;
    throw UsageError("form: expected 'hdf5' or 'json', found " + quoted(name) + ".");
}

// HDF5 need not be safe for threads: files are read and written with the GIL held.

io::NirDocument read(const std::filesystem::path& path, std::string_view form, bool sum_duplicate_edges) {
    const io::NirReadOptions options{sum_duplicate_edges};
    return form_of(form) == Form::hdf5 ? io::read_nir(path, options) : io::read_nir_json(path, options);
}

void write(const io::NirDocument& document, const std::filesystem::path& path, std::string_view form) {
    form_of(form) == Form::hdf5 ? io::write_nir(document, path) : io::write_nir_json(document, path);
}

io::NirDocument document_from(const nb::dict& tree, const std::string& version, const std::string& origin,
                              bool sum_duplicate_edges) {
    io::NirDocument document{version, node_from(tree), {}};
    const nb::gil_scoped_release unlocked;
    io::check_nir(document, origin, io::NirReadOptions{sum_duplicate_edges});
    return document;
}

using Name = std::optional<std::string>;
using Seconds = std::optional<double>;

std::optional<Duration> duration_from(Seconds seconds, const char* what) {
    if (!seconds) return std::nullopt;
    return duration_from_seconds(*seconds, what);
}

converters::NirReading reading_from(const Name& convention, const Name& time_unit, const Name& spike_area,
                                    const Name& reset, Seconds dt, Seconds recurrent_delay, double t_ref,
                                    const std::string& clock) {
    converters::NirReading reading;
    if (clock == "stepped") reading.clock = converters::Clock::stepped;
    if (convention) {
        static_cast<void>(converters::convention(*convention));  // an unknown name is an error here
        reading.convention = *convention;
    }
    if (time_unit) reading.time_unit = converters::time_unit_from(*time_unit);
    if (spike_area) reading.spike_area = converters::spike_area_from(*spike_area);
    if (reset) reading.reset = converters::reset_rule_from(*reset);
    reading.dt = duration_from(dt, "dt");
    if (reading.dt && *reading.dt <= Duration()) throw UsageError("dt: expected > 0.");
    reading.recurrent_delay = duration_from(recurrent_delay, "recurrent_delay");
    reading.t_ref = duration_from_seconds(t_ref, "t_ref");
    if (reading.t_ref < Duration()) throw UsageError("t_ref: expected >= 0.");
    return reading;
}

nb::list populations_of(const BuiltNetwork& built) {
    nb::list list;
    for (const Population& population : built.network().populations()) {
        list.append(nb::make_tuple(text(population.name), tuple_of(population.shape),
                                   neurons::model_name(population.model)));
    }
    return list;
}

nb::list projections_of(const BuiltNetwork& built) {
    const auto populations = built.network().populations();
    nb::list list;
    for (const Projection& projection : built.network().projections()) {
        nb::list stages;
        for (const Stage& stage : projection.stages) {
            stages.append(nb::make_tuple(text(stage_name(stage)), stage_kind(stage)));
        }
        list.append(nb::make_tuple(text(populations[projection.source].name),
                                   text(populations[projection.target].name), nb::tuple(stages)));
    }
    return list;
}

nb::dict outputs_of(const BuiltNetwork& built) {
    nb::dict outputs;
    for (const OutputPort& port : built.network().outputs()) {
        outputs[text(port.name)] = text(built.network().populations()[port.population].name);
    }
    return outputs;
}

/// The network as a document, and what of it has no place there.
nb::tuple document_of(const BuiltNetwork& built, const std::string& origin) {
    std::vector<std::string> losses;
    io::NirDocument document;
    {
        const nb::gil_scoped_release unlocked;
        document = converters::nir_from_network(built.network(), &losses);
        io::check_nir(document, origin, {});
    }
    return nb::make_tuple(std::move(document), texts(losses));
}

/// Of a network that learnt in steps of time: neurons, and synapses with delays.
io::NirDocument to_delays(const io::NirDocument& document, const Name& tool) {
    const nb::gil_scoped_release unlocked;
    if (tool && *tool != "norse")
        throw UsageError("tool: expected None or 'norse', found " + quoted(*tool) +
                         ". Other tools have no neuron that does what a layer does.");
    const std::optional<converters::SurrogateModel> model = converters::surrogate_model_of(document);
    if (!model)
        throw UsageError(
            "to_delays: expected a network that was trained in steps of time, found one of neurons. Its "
            "delays "
            "are in it already, if it has any.");
    io::NirDocument made = tool ? converters::nir_for_norse(*model)
                                : converters::nir_with_delays(converters::delayed_network(*model));
    io::check_nir(made, "network", {});
    return made;
}

std::shared_ptr<BuiltNetwork> delayed(const BuiltNetwork& built, double seconds) {
    const Duration delay = duration_from_seconds(seconds, "recurrent_delay");
    std::vector<std::string> names;
    Network network = built.network().with_recurrent_delay(delay, &names);
    std::vector<std::string> notes = built.notes();
    for (const std::string& name : names)
        notes.push_back(name + " closes a cycle without delay: delayed by " + to_string(delay) +
                        " as asked.");
    return std::make_shared<BuiltNetwork>(converters::NirImport{std::move(network), std::move(notes)});
}

}  // namespace

std::shared_ptr<const ExactSimulation> BuiltNetwork::exact(std::uint32_t threads) {
    if (threads == threads_) return exact_;
    std::shared_ptr<const ExactSimulation> made;
    {
        const nb::gil_scoped_release unlocked;
        made = std::make_shared<const ExactSimulation>(network(), Parallelism{threads});
    }
    exact_ = made;
    threads_ = threads;
    return made;
}

std::shared_ptr<const SteppedSimulation> BuiltNetwork::stepped() {
    if (stepped_) return stepped_;
    std::shared_ptr<const SteppedSimulation> made;
    {
        const nb::gil_scoped_release unlocked;
        made = std::make_shared<const SteppedSimulation>(network(), rules());
    }
    import_.notes.insert(import_.notes.end(), made->notes().begin(), made->notes().end());
    stepped_ = made;
    return made;
}

void bind_network(nb::module_& module) {
    using namespace nb::literals;

    nb::class_<converters::NirReading>(module, "Reading", "How the numbers of a document are meant.")
        .def(nb::new_(&reading_from), "convention"_a.none(), "time_unit"_a.none(), "spike_area"_a.none(),
             "reset"_a.none(), "dt"_a.none(), "recurrent_delay"_a.none(), "t_ref"_a, "clock"_a);

    nb::class_<io::NirDocument>(module, "Document", "A checked NIR document.")
        .def_static("read", read, "path"_a, "form"_a, "sum_duplicate_edges"_a)
        .def_static("from_tree", document_from, "tree"_a, "version"_a, "origin"_a, "sum_duplicate_edges"_a)
        .def("write", write, "path"_a, "form"_a)
        .def("to_delays", to_delays, "tool"_a.none())
        .def("tree", [](const io::NirDocument& document) { return tree_from(document.root); })
        .def_prop_ro("notes", [](const io::NirDocument& document) { return texts(document.notes); })
        .def(
            "__eq__",
            [](const io::NirDocument& a, nb::handle other) {
                return nb::isinstance<io::NirDocument>(other) &&
                       a.root == nb::cast<const io::NirDocument&>(other).root;
            },
            nb::sig("def __eq__(self, other: object, /) -> bool"))
        .attr("__hash__") = nb::none();

    module.def("is_sonata_config", io::is_sonata_config, "path"_a,
               "The file looks like the configuration of a SONATA circuit.");

    nb::class_<BuiltNetwork>(module, "BuiltNetwork", "A network, and what the clocks prepare for it.")
        .def(nb::new_([](const io::NirDocument& document, const converters::NirReading& reading) {
                 const nb::gil_scoped_release unlocked;
                 return std::make_shared<BuiltNetwork>(converters::network_from_nir(document, reading));
             }),
             "document"_a, "reading"_a)
        .def_static(
            "from_sonata",
            [](const std::filesystem::path& path) {
                return std::make_shared<BuiltNetwork>(
                    converters::network_from_sonata(io::read_sonata_circuit(path)));
            },
            "path"_a)
        .def("to_document", document_of, "origin"_a)
        .def(
            "write_sonata",
            [](const BuiltNetwork& built, const std::filesystem::path& path) {
                io::write_sonata_circuit(path, converters::sonata_from_network(built.network()));
            },
            "path"_a)
        .def("with_recurrent_delay", delayed, "seconds"_a)
        .def(
            "for_steps",
            [](const BuiltNetwork& built, const converters::NirReading& reading) {
                return std::make_shared<BuiltNetwork>(
                    converters::network_for_steps(built.network(), reading));
            },
            "reading"_a, "The network on the stepped clock, where no document describes it.")
        .def_prop_ro(
            "dt", [](const BuiltNetwork& built) { return built.rules().dt.seconds(); },
            "Seconds: a step of the stepped clock, for which the network must have been read.")
        .def_prop_ro("populations", populations_of)
        .def_prop_ro("projections", projections_of)
        .def_prop_ro("outputs", outputs_of)
        .def_prop_ro("notes", [](const BuiltNetwork& built) { return texts(built.notes()); });
}

}  // namespace saltus::python
