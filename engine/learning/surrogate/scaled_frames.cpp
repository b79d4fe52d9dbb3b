#include <utility>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/surrogate.hpp"

namespace saltus::learning {

namespace {

class ScaledFrames final : public FrameSet {
  public:
    ScaledFrames(std::shared_ptr<const FrameSet> set, std::vector<float> divisors)
        : FrameSet(set->layout(), set->labels()), set_(std::move(set)), divisors_(std::move(divisors)) {}

    void read(std::uint64_t i, std::span<float> values) const override {
        set_->read(i, values);
        divide(values);
    }
    void read_altered(std::uint64_t i, std::uint64_t draw, std::span<float> values) const override {
        set_->read_altered(i, draw, values);
        divide(values);
    }

  private:
    void divide(std::span<float> values) const {
        const std::size_t width = divisors_.size();
        for (std::size_t at = 0; at < values.size(); at += width) {
            for (std::size_t k = 0; k < width; ++k) values[at + k] /= divisors_[k];
        }
    }

    std::shared_ptr<const FrameSet> set_;
    std::vector<float> divisors_;
};

}  // namespace

std::shared_ptr<const FrameSet> scaled_frames(std::shared_ptr<const FrameSet> set,
                                              std::vector<float> divisors) {
    if (divisors.size() != set->layout().width()) {
        throw UsageError("divisors of frames: expected " + std::to_string(set->layout().width()) +
                         ", one for each number of a step, found " + std::to_string(divisors.size()) + ".");
    }
    return std::make_shared<ScaledFrames>(std::move(set), std::move(divisors));
}

}  // namespace saltus::learning
