#include "frame_arguments.hpp"

namespace saltus::cli {

void FrameArguments::add_to(CLI::App& app) {
    app.add_option("--frame", dt_, "length of a step of the samples")->capture_default_str();
    app.add_option("--frames", options_.steps, "spikes: steps of a sample (default: to the last spike)");
    app.add_flag("--binary", options_.binary, "spikes: one or none in a step");
    app.add_flag("--no-derivatives", no_derivatives_, "sound: the spectrogram alone, no change over time");
    app.add_option("--task", options_.task, "speech commands: 12w (default) or 7");
    app.add_option("--left-out", options_.left_out, "spoken digits: the speaker to test on");
}

void FrameArguments::add_augmentation_to(CLI::App& app) {
    datasets::Augmentation& a = options_.augmentation;
    app.add_option("--shift", shift_, "samples are moved in time by up to so much")->capture_default_str();
    app.add_option(
           "--noise", a.noise,
           "sound: power of noise beside the recording's, at most; spikes: added ones beside those that "
           "are there")
        ->capture_default_str();
    app.add_option("--drop", a.drop, "spikes: share that is left out")->capture_default_str();
    app.add_option("--pixels", a.pixels, "spikes: moved in space by up to so much")->capture_default_str();
    app.add_option("--mask-steps", a.mask_steps, "sound: up to so many steps in a row are silent")
        ->capture_default_str();
    app.add_option("--mask-bands", a.mask_bands, "sound: up to so many bands in a row are silent")
        ->capture_default_str();
}

datasets::FrameOptions FrameArguments::options(std::uint64_t seed) const {
    datasets::FrameOptions options = options_;
    options.dt = parse_duration(dt_);
    options.derivatives = !no_derivatives_;
    options.augmentation.shift = parse_duration(shift_);
    options.augmentation.seed = seed;
    return options;
}

}  // namespace saltus::cli
