#include "saltus/converters/surrogate_model.hpp"

#include <doctest/doctest.h>

#include "saltus/converters/nir.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"
#include "saltus/io/nir_json.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::converters;
using namespace saltus::test;

namespace {

SurrogateModel small_model() {
    SurrogateModel model;
    model.description.steps = 7;
    model.description.input = {2, 5};
    model.description.layers = learning::surrogate_layers(
        "conv 4 kernel=3x2 dilation=2x1 groups=2 name=a; dense 3 recurrent no_lateral; readout max", 2);
    model.parameters = learning::SurrogateNetwork(model.description).initial(5);
    model.classes = {"no", "yes"};
    model.dt = Duration(4'000'000'000'000);
    model.divisors = {1.5f, 0.1f, 3.0f, 1.0f, 1.0f, 2.0f, 7.0f, 1e-3f, 1.0f, 1.0f};
    model.task = "7";
    model.derivatives = false;
    model.binary = true;
    return model;
}

void check_same(const SurrogateModel& a, const SurrogateModel& b) {
    CHECK(learning::text_of(a.description.layers) == learning::text_of(b.description.layers));
    CHECK(a.description.steps == b.description.steps);
    CHECK(a.description.input == b.description.input);
    CHECK(a.parameters == b.parameters);
    CHECK(a.classes == b.classes);
    CHECK(a.dt == b.dt);
    CHECK(a.divisors == b.divisors);
    CHECK(a.task == b.task);
    CHECK(a.derivatives == b.derivatives);
    CHECK(a.binary == b.binary);
    CHECK(a.encoding == b.encoding);
    CHECK(a.slot == b.slot);
    CHECK(a.slots == b.slots);
}

/// The document of small_model() with one entry of its own metadata replaced.
io::NirDocument with(const std::string& name, io::NirValue value) {
    io::NirDocument document = nir_from_surrogate(small_model());
    auto& own = std::get<io::NirGroup>(document.root.metadata.entries.at(0).second);
    auto& entries = std::get<io::NirGroup>(own.entries.at(0).second).entries;
    std::erase_if(entries, [&](const auto& entry) { return entry.first == name; });
    entries.emplace_back(name, std::move(value));
    return document;
}

}  // namespace

TEST_SUITE("converters/surrogate_model") {
    TEST_CASE("a network in discrete time comes back from HDF5 and JSON with the same bits") {
        const TemporaryFolder folder;
        const SurrogateModel model = small_model();
        io::write_nir(nir_from_surrogate(model), folder / "a.nir");
        io::write_nir_json(nir_from_surrogate(model), folder / "a.nir.json");
        check_same(model, surrogate_model_of(io::read_nir(folder / "a.nir")).value());
        check_same(model, surrogate_model_of(io::read_nir_json(folder / "a.nir.json")).value());
    }

    TEST_CASE("samples that are not scaled have no divisors in the file") {
        const TemporaryFolder folder;
        SurrogateModel model = small_model();
        model.divisors.clear();
        io::write_nir(nir_from_surrogate(model), folder / "a.nir");
        check_same(model, surrogate_model_of(io::read_nir(folder / "a.nir")).value());
    }

    TEST_CASE("numbers that are no network are refused with the entry's name") {
        const auto refused = [](const std::string& name, io::NirValue value) {
            const io::NirDocument document = with(name, std::move(value));
            return message_of<UsageError>([&] { (void)surrogate_model_of(document); });
        };
        const auto parameters = [](std::size_t at, double value) {
            std::vector<double> values = small_model().parameters;
            values.at(at) = value;
            return io::NirArray::of(values, {values.size()});
        };
        CHECK(contains(refused("parameters", io::NirArray::of(std::vector<double>{1.0}, {1})), "parameters"));
        CHECK(contains(refused("parameters", parameters(0, std::nan(""))), "finite"));
        // The last parameters of the first layer are its leak, then its thresholds.
        const std::size_t leak = learning::SurrogateNetwork(small_model().description).layers()[0].at.beta;
        CHECK(contains(refused("parameters", parameters(leak, 1.5)), "leaks from 0 to 1"));
        CHECK(contains(refused("layers", std::string("konv 4")), "conv"));
        CHECK(contains(refused("layers", io::NirArray::of(std::int64_t{3})), "layers"));
        CHECK(contains(refused("classes", std::string()), "classes"));
        CHECK(contains(refused("steps", io::NirArray::of(std::int64_t{0})), "steps"));
        CHECK(contains(refused("divisors", io::NirArray::of(std::vector<double>(10, 0.0), {10})), "above 0"));
        CHECK(contains(refused("divisors", io::NirArray::of(std::vector<double>{1.0}, {1})), "divisors"));
        CHECK(contains(refused("dt", io::NirArray::of(std::vector<double>{-1.0}, {})), "dt"));
    }

    TEST_CASE("a clock that wants neurons and synapses is told that the file holds layers") {
        CHECK(contains(
            message_of<NetworkError>([] { (void)network_from_nir(nir_from_surrogate(small_model())); }),
            "saltus evaluate"));
    }
}
