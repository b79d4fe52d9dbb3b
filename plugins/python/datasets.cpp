// Data sets as frames, and sound.
#include <nanobind/ndarray.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "arrays.hpp"
#include "frames.hpp"
#include "saltus/datasets/log_mel.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/wav.hpp"

namespace saltus::python {

namespace {

using learning::FrameSet;
using FloatArray = nb::ndarray<float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

std::shared_ptr<const FrameSet> open_frames(const std::filesystem::path& path, const std::string& split,
                                            const nb::dict& given) {
    const datasets::FrameOptions options = frame_options(given);
    const nb::gil_scoped_release unlocked;
    return datasets::open_frames(path, split, options);
}

/// `values` is [sample][step][shape].
std::shared_ptr<const FrameSet> stored_frames(const FloatArray& values, const nb::object& labels,
                                              std::uint32_t steps, const std::vector<std::uint32_t>& shape,
                                              double dt, const std::vector<std::string>& classes) {
    learning::FrameLayout layout;
    layout.steps = steps;
    layout.shape = shape;
    layout.dt = duration_from_seconds(dt, "dt");
    layout.classes = classes;
    const Column<std::int64_t> column = column_from<std::int64_t>(labels, "labels");
    std::vector<std::uint32_t> classes_of_samples;
    for (std::size_t k = 0; k < column.size(); ++k) {
        const std::int64_t label = column.data()[k];
        if (label < 0 || static_cast<std::uint64_t>(label) >= classes.size()) {
            throw UsageError("labels, sample " + std::to_string(k) + ": expected 0 to " +
                             std::to_string(classes.size() - 1) + ", found " + std::to_string(label) + ".");
        }
        classes_of_samples.push_back(static_cast<std::uint32_t>(label));
    }
    return std::make_shared<learning::StoredFrames>(
        std::move(layout), std::vector<float>(values.data(), values.data() + values.size()),
        std::move(classes_of_samples));
}

/// Fills `values`, which has room for these samples.
void read_frames(const FrameSet& set, const nb::object& samples, std::optional<std::uint64_t> draw,
                 unsigned threads, const FloatArray& values) {
    const Column<std::int64_t> column = column_from<std::int64_t>(samples, "samples");
    std::vector<std::uint64_t> chosen;
    for (std::size_t k = 0; k < column.size(); ++k) {
        const std::int64_t i = column.data()[k];
        if (i < 0 || static_cast<std::uint64_t>(i) >= set.size()) {
            throw UsageError("sample " + std::to_string(i) + ": the data set has " +
                             std::to_string(set.size()) + " samples, counted from 0.");
        }
        chosen.push_back(static_cast<std::uint64_t>(i));
    }
    if (values.size() != chosen.size() * set.layout().values()) {
        throw UsageError("frames: expected room for " +
                         std::to_string(chosen.size() * set.layout().values()) + " numbers, found " +
                         std::to_string(values.size()) + ".");
    }
    const nb::gil_scoped_release unlocked;
    learning::FrameBatch batch;
    learning::read_batch(set, chosen, draw, threads, batch);
    std::copy(batch.values.begin(), batch.values.end(), values.data());
}

nb::tuple read_wav(const std::filesystem::path& path) {
    io::Sound sound = io::read_wav(path);
    const std::size_t frames = sound.frames();
    const std::size_t channels = sound.channels;
    return nb::make_tuple(array_of(std::move(sound.samples), {frames, channels}), sound.rate);
}

/// As [frame][band].
nb::object mel_power(const nb::object& samples, std::uint32_t rate, double dt) {
    const Column<double> column = column_from<double>(samples, "samples");
    datasets::MelOptions options = datasets::MelOptions::at_rate(rate);
    options.hop = datasets::hop_of(duration_from_seconds(dt, "dt"), rate);
    const datasets::MelSpectrogram spectrogram(options);
    std::vector<double> power = spectrogram.power({column.data(), column.size()});
    return array_of(std::move(power), {spectrogram.frames(), options.bands});
}

/// Of mel_power, row by row, into `features`.
void log_mel(const nb::object& power, std::uint32_t bands, bool derivatives, const FloatArray& features) {
    const Column<double> column = column_from<double>(power, "power");
    if (bands == 0 || column.size() == 0 || column.size() % bands != 0 ||
        features.size() != column.size() * (derivatives ? 3 : 1) ||
        (derivatives && column.size() / bands < datasets::fewest_frames)) {
        throw UsageError("power: expected rows of " + std::to_string(bands) +
                         " bands, with derivatives at least " + std::to_string(datasets::fewest_frames) +
                         ", found " + std::to_string(column.size()) + " numbers.");
    }
    datasets::log_mel_features({column.data(), column.size()}, bands, derivatives,
                               {features.data(), features.size()});
}

template <class T>
T item(const nb::dict& options, const char* name) {
    return nb::cast<T>(options[name]);
}

}  // namespace

datasets::FrameOptions frame_options(const nb::dict& given) {
    datasets::FrameOptions options;
    options.dt = duration_from_seconds(item<double>(given, "dt"), "dt");
    options.steps = item<std::uint32_t>(given, "steps");
    options.binary = item<bool>(given, "binary");
    options.derivatives = item<bool>(given, "derivatives");
    options.task = item<std::string>(given, "task");
    options.left_out = item<std::string>(given, "left_out");
    options.threads = item<unsigned>(given, "threads");
    options.augmentation.shift = duration_from_seconds(item<double>(given, "shift"), "shift");
    options.augmentation.noise = item<double>(given, "noise");
    options.augmentation.drop = item<double>(given, "drop");
    options.augmentation.pixels = item<std::uint32_t>(given, "pixels");
    options.augmentation.mask_steps = item<std::uint32_t>(given, "mask_steps");
    options.augmentation.mask_bands = item<std::uint32_t>(given, "mask_bands");
    options.augmentation.seed = item<std::uint64_t>(given, "seed");
    return options;
}

void bind_datasets(nb::module_& module) {
    using namespace nb::literals;
    nb::class_<FrameSet>(module, "FrameSet")
        .def("__len__", &FrameSet::size)
        .def_prop_ro("steps", [](const FrameSet& set) { return set.layout().steps; })
        .def_prop_ro("shape", [](const FrameSet& set) { return tuple_of(set.layout().shape); })
        .def_prop_ro("dt", [](const FrameSet& set) { return set.layout().dt.seconds(); })
        .def_prop_ro("classes", [](const FrameSet& set) { return texts(set.layout().classes); })
        .def_prop_ro("labels", [](const FrameSet& set) { return set.labels(); })
        .def("read", read_frames, "samples"_a, "draw"_a.none(), "threads"_a, "values"_a);
    module.def("open_frames", open_frames, "path"_a, "split"_a, "options"_a);
    module.def("stored_frames", stored_frames, "values"_a, "labels"_a, "steps"_a, "shape"_a, "dt"_a,
               "classes"_a);
    module.def("read_wav", read_wav, "path"_a);
    module.def("mel_power", mel_power, "samples"_a, "rate"_a, "dt"_a);
    module.def("log_mel", log_mel, "power"_a, "bands"_a, "derivatives"_a, "features"_a);
}

}  // namespace saltus::python
