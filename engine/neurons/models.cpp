#include "saltus/engine/neurons/models.hpp"

namespace saltus::neurons {

namespace {

template <class M>
constexpr std::string_view name_of(const M&) {
    return M::name;
}
template <class P>
constexpr std::string_view name_of(const PerNeuron<P>&) {
    return P::name;
}

template <class M>
constexpr bool spikes(const M&) {
    return true;
}
template <class P>
constexpr bool spikes(const PerNeuron<P>&) {
    return Spiking<P>;
}

template <class M>
constexpr bool signs_apart(const M&) {
    return false;
}
template <class P>
constexpr bool signs_apart(const PerNeuron<P>&) {
    return separates_signs<P>;
}

}  // namespace

std::string_view model_name(const Model& model) {
    return std::visit([](const auto& m) { return name_of(m); }, model);
}

bool is_spiking(const Model& model) {
    return std::visit([](const auto& m) { return spikes(m); }, model);
}

bool is_source(const Model& model) {
    return std::visit([]<class M>(const M&) { return !HasNeurons<M>; }, model);
}

bool keeps_signs_apart(const Model& model) {
    return std::visit([](const auto& m) { return signs_apart(m); }, model);
}

}  // namespace saltus::neurons
