// A training by surrogate gradients, from what is asked to the network that is handed out: the same for the
// command and the package.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "saltus/converters/nir.hpp"
#include "saltus/converters/surrogate_model.hpp"
#include "saltus/datasets/evaluate_surrogate.hpp"
#include "saltus/datasets/learning_frames.hpp"
#include "saltus/engine/learning/gradient_learner.hpp"
#include "saltus/engine/learning/surrogate.hpp"
#include "saltus/engine/learning/training.hpp"

namespace saltus::plugins {

struct SurrogateRequest {
    struct Neurons {
        io::NirDocument document;
        converters::NirReading reading;
    };
    std::optional<converters::SurrogateModel> network = {};  // to go on with
    std::optional<Neurons> neurons = {};                     // to begin with
    std::optional<std::string> layers = {};  // of a new one, in words; none: what the samples suggest
    datasets::FrameOptions frames{};
    std::string encoding = "latency";  // of images as spikes, with slots
    Duration slot{1'000'000'000'000};
    std::uint32_t slots = 256;
    datasets::LearningFramesOptions samples{};
    std::string surrogate = "s2net";  // a preset or a kind
    std::optional<double> slope = {};
    std::optional<double> peak = {};
    std::string precision = "float32";
    learning::SurrogateOptions rule{};  // in which these have not been entered
    bool balanced = false;
    learning::GradientLearnerOptions gradient{};
};

/// Begins with the network that a document holds: one that was trained so, or neurons and synapses, which
/// `reading` says how to read for the stepped clock. Throws UsageError where the document says nonsense.
void begin_with(SurrogateRequest& request, io::NirDocument document, converters::NirReading reading);

class SurrogateTraining {
  public:
    /// On a data set. Throws UsageError for what means nothing, FileError for what cannot be read.
    SurrogateTraining(const std::filesystem::path& dataset, SurrogateRequest request);
    /// On samples that are open, some of which may be given to be held back (else null); how they were made
    /// is not kept.
    SurrogateTraining(std::shared_ptr<const learning::FrameSet> samples,
                      std::shared_ptr<const learning::FrameSet> held_back, SurrogateRequest request);
    SurrogateTraining(const SurrogateTraining&) = delete;
    SurrogateTraining& operator=(const SurrogateTraining&) = delete;

    [[nodiscard]] learning::Learner& learner() { return *learner_; }
    [[nodiscard]] std::size_t parameters() const { return learner_->parameters().size(); }
    /// What the samples decide of a training: how many are held back, and how they are drawn.
    [[nodiscard]] std::uint64_t held_back() const { return data_.held_back; }
    [[nodiscard]] std::vector<std::uint32_t> balance() const;
    [[nodiscard]] learning::Asked asked() const;

    /// As it is handed out now.
    [[nodiscard]] io::NirDocument trained() const;
    /// Of the samples held back; nothing where there are none.
    [[nodiscard]] std::optional<datasets::SurrogateEvaluation> evaluate(unsigned threads) const;

  private:
    void begin(const std::string& default_layers);
    void begin_layers(const std::string& default_layers);
    void begin_neurons();

    SurrogateRequest request_;
    datasets::LearningFrames data_;
    converters::SurrogateModel model_;  // of layers
    std::shared_ptr<learning::FrameRule> rule_;
    std::function<io::NirDocument()> trained_;
    std::unique_ptr<learning::GradientLearner> learner_;
};

}  // namespace saltus::plugins
