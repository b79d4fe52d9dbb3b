#include "saltus/engine/neurons/models.hpp"

namespace saltus::neurons {

namespace {

constexpr std::string_view name_of(const Input&) {
    return Input::name;
}
template <class P>
constexpr std::string_view name_of(const PerNeuron<P>&) {
    return P::name;
}

constexpr bool spikes(const Input&) {
    return true;
}
template <class P>
constexpr bool spikes(const PerNeuron<P>&) {
    return Spiking<P>;
}

}  // namespace

std::string_view model_name(const Model& model) {
    return std::visit([](const auto& m) { return name_of(m); }, model);
}

bool is_spiking(const Model& model) {
    return std::visit([](const auto& m) { return spikes(m); }, model);
}

}  // namespace saltus::neurons
