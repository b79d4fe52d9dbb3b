#include "surrogate_evaluation.hpp"

#include <utility>

#include "saltus/engine/learning/surrogate.hpp"

namespace saltus::plugins {

std::shared_ptr<const learning::FrameSet> samples_for(const converters::SurrogateModel& model,
                                                      const std::filesystem::path& path,
                                                      const std::string& split, const std::string& left_out,
                                                      unsigned threads) {
    datasets::FrameOptions frames;
    frames.dt = model.dt;
    frames.binary = model.binary;
    frames.derivatives = model.derivatives;
    frames.task = model.task;
    frames.left_out = left_out;
    frames.encoding = datasets::encoding_of(model.encoding, model.slot, model.slots);
    frames.threads = threads;
    // Sound has as many steps as it has; spikes, as many as are asked for.
    if (!datasets::is_sound(path)) frames.steps = model.description.steps;
    return samples_for(model, datasets::open_frames(path, split, frames));
}

std::shared_ptr<const learning::FrameSet> samples_for(const converters::SurrogateModel& model,
                                                      std::shared_ptr<const learning::FrameSet> samples) {
    if (model.divisors.empty()) return samples;
    return learning::scaled_frames(std::move(samples), model.divisors);
}

}  // namespace saltus::plugins
