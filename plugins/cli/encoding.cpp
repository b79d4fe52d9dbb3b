#include "encoding.hpp"

#include "saltus/engine/errors.hpp"

namespace saltus::cli {

void EncodingOptions::add_to(CLI::App& app) {
    app.add_option("--encoding", encoding_,
                   "images as spikes: latency (default), continuous, rank, charging");
    app.add_option("--slot", slot_, "length of one slot of time (default: 1ms)");
    app.add_option("--slots", slots_, "slots of a sample; what fires later is silent (default: 256)");
}

converters::FirstSpikeReading EncodingOptions::reading(
    const std::optional<converters::FirstSpikeReading>& of_file) const {
    converters::FirstSpikeReading reading = of_file.value_or(converters::FirstSpikeReading{});
    if (!encoding_.empty()) reading.encoding = encoding_;
    if (!slot_.empty()) reading.slot = parse_duration(slot_);
    if (slots_) reading.slots = *slots_;
    const datasets::Encoding encoding = encoding_of(reading);
    if (!slot_.empty() || slots_ || !of_file) {
        reading.t_max = encoding.t_max();
        reading.silence_decides_at = encoding.silence_decides_at();
    }
    return reading;
}

datasets::Encoding encoding_of(const converters::FirstSpikeReading& reading) {
    return datasets::encoding_of(reading.encoding, reading.slot, reading.slots);
}

}  // namespace saltus::cli
