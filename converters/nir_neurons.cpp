#include "nir_neurons.hpp"

#include <algorithm>
#include <array>

#include "own_metadata.hpp"

namespace saltus::converters {

namespace {

/// Field of a node, neuron by neuron.
class Column {
  public:
    Column(const io::NirNode& node, std::string_view field) : array_(node.array(field)) {}
    [[nodiscard]] double operator[](std::uint64_t i) const {
        return array_->real(array_->size() == 1 ? 0 : i);
    }

  private:
    const io::NirArray* array_;
};

neurons::Reset engine_reset(ResetRule rule) {
    switch (rule) {
        case ResetRule::subtract:
            return neurons::Reset::subtract;
        case ResetRule::subtract_repeated:
            return neurons::Reset::subtract_repeated;
        case ResetRule::none:
            return neurons::Reset::none;
        case ResetRule::v_reset:
        case ResetRule::zero:
            break;
    }
    return neurons::Reset::to_value;
}

/// One parameter set if all neurons share it, else one per neuron.
template <class P, class Make>
neurons::PerNeuron<P> per_neuron(const io::NirNode& node, std::uint64_t size, Make make) {
    const bool uniform =
        std::all_of(node.fields.entries.begin(), node.fields.entries.end(), [](const auto& entry) {
            const auto* array = std::get_if<io::NirArray>(&entry.second);
            if (!array) return true;
            for (std::uint64_t i = 1; i < array->size(); ++i) {
                if (array->real(i) != array->real(0)) return false;
            }
            return true;
        });
    neurons::PerNeuron<P> model;
    model.reserve(uniform ? 1 : size);
    for (std::uint64_t i = 0; i < (uniform ? 1 : size); ++i) model.push_back(make(i));
    return model;
}

template <class P>
void set_firing(P& p, ResetRule rule, double V_th, double V_reset, const Meaning& m) {
    p.V_th = V_th;
    p.V_reset = rule == ResetRule::v_reset ? V_reset : 0.0;
    p.reset = engine_reset(rule);
    p.t_ref = m.t_ref;
}

double start_potential(const Meaning& m, double v_leak, double v_reset) {
    switch (m.convention.start) {
        case Convention::Start::v_leak:
            return v_leak;
        case Convention::Start::v_reset:
            return v_reset;
        case Convention::Start::zero:
            break;
    }
    return 0.0;
}

/// IF and I: slope R per unit of constant signal, jump J per weight.
template <class P>
void set_integration(P& p, double r, const Meaning& m) {
    if (m.convention.if_jumps_by_w || m.convention.spike_area == SpikeArea::jump) {
        p.R = 1.0 / m.dt;
        p.J = 1.0;
    } else if (m.convention.spike_area == SpikeArea::step) {
        p.R = r / m.unit;
        p.J = r * (m.dt / m.unit);
    } else {
        p.R = r / m.unit;
        p.J = r;
    }
}

/// LIF and LI.
template <class P>
void set_leak(P& p, double tau, double r, double v_leak, const Meaning& m) {
    const double R = m.convention.lif_ignores_r ? 1.0 : r;
    p.tau_m = m.seconds(tau);
    p.E_L = m.convention.ignores_v_leak ? 0.0 : v_leak;
    switch (m.convention.spike_area) {
        case SpikeArea::unit:
            p.R = R;
            p.J = R / tau;
            break;
        case SpikeArea::step:
            p.R = R;
            p.J = R * m.dt / p.tau_m;
            break;
        case SpikeArea::jump:
            p.R = p.tau_m / m.dt;
            p.J = 1.0;
            break;
    }
}

/// CubaLIF and CubaLI.
template <class P>
void set_synapse(P& p, double tau_syn, double tau_mem, double r, double w_in, double v_leak,
                 const Meaning& m) {
    p.tau_m = m.seconds(tau_mem);
    p.tau_syn = m.seconds(tau_syn);
    p.R = m.convention.cuba_current_adds_to_v ? p.tau_m / m.dt : m.convention.cuba_ignores_r ? 1.0 : r;
    p.E_L = m.convention.ignores_v_leak ? 0.0 : v_leak;
    if (m.convention.current_rests_at_v_leak) p.E_L += p.R * v_leak;
    if (m.convention.cuba_current_adds_to_v) p.E_L = v_leak * p.tau_m / m.dt;
    switch (m.convention.spike_area) {
        case SpikeArea::unit:
            p.w_in = w_in;
            p.J = w_in / tau_syn;
            break;
        case SpikeArea::step:
            p.w_in = w_in;
            p.J = w_in * m.dt / p.tau_syn;
            break;
        case SpikeArea::jump:
            p.w_in = p.tau_syn / m.dt;
            p.J = 1.0;
            break;
    }
}

neurons::Model if_model(const io::NirNode& node, std::uint64_t size, const Meaning& m) {
    const Column r(node, "r");
    const Column v_threshold(node, "v_threshold");
    const Column v_reset(node, "v_reset");
    return per_neuron<neurons::If>(node, size, [&](std::uint64_t i) {
        neurons::If p;
        set_integration(p, r[i], m);
        set_firing(p, m.convention.if_reset.value_or(m.convention.reset), v_threshold[i], v_reset[i], m);
        p.V_0 = start_potential(m, 0.0, v_reset[i]);
        return p;
    });
}

neurons::Model integrator_model(const io::NirNode& node, std::uint64_t size, const Meaning& m) {
    const Column r(node, "r");
    return per_neuron<neurons::Integrator>(node, size, [&](std::uint64_t i) {
        neurons::Integrator p;
        set_integration(p, r[i], m);
        return p;
    });
}

neurons::Model lif_model(const io::NirNode& node, std::uint64_t size, const Meaning& m) {
    const Column tau(node, "tau");
    const Column r(node, "r");
    const Column v_leak(node, "v_leak");
    const Column v_threshold(node, "v_threshold");
    const Column v_reset(node, "v_reset");
    return per_neuron<neurons::Lif>(node, size, [&](std::uint64_t i) {
        neurons::Lif p;
        set_leak(p, tau[i], r[i], v_leak[i], m);
        set_firing(p, m.convention.reset, v_threshold[i], v_reset[i], m);
        p.V_0 = start_potential(m, v_leak[i], v_reset[i]);
        return p;
    });
}

neurons::Model li_model(const io::NirNode& node, std::uint64_t size, const Meaning& m) {
    const Column tau(node, "tau");
    const Column r(node, "r");
    const Column v_leak(node, "v_leak");
    return per_neuron<neurons::Li>(node, size, [&](std::uint64_t i) {
        neurons::Li p;
        set_leak(p, tau[i], r[i], v_leak[i], m);
        p.V_0 = start_potential(m, v_leak[i], 0.0);
        return p;
    });
}

/// rockpool takes the step of a node from its own parameters: the smallest tau_mem / (1 + r).
Meaning with_step_of(const io::NirNode& node, std::uint64_t size, Meaning m) {
    if (!m.convention.cuba_current_adds_to_v) return m;
    const Column tau_mem(node, "tau_mem");
    const Column r(node, "r");
    m.dt = m.seconds(tau_mem[0]) / (1.0 + r[0]);
    for (std::uint64_t i = 1; i < size; ++i) m.dt = std::min(m.dt, m.seconds(tau_mem[i]) / (1.0 + r[i]));
    return m;
}

/// What says that a CubaLIF is one for other tools only, or null.
const io::NirGroup* ramp_of(const io::NirNode& node, const Meaning& m) {
    const io::NirGroup* own = m.convention.name == "nir" ? group_in(node.metadata, "saltus") : nullptr;
    return own && own->find("t_min") ? own : nullptr;
}

neurons::Model ramp_model(const io::NirNode& node, std::uint64_t size, const io::NirGroup& own,
                          const Meaning& m) {
    const OwnFields numbers(own, "ramp of a node");
    const Column v_threshold(node, "v_threshold");
    const Column v_reset(node, "v_reset");
    return per_neuron<neurons::RampIf>(node, size, [&](std::uint64_t i) {
        neurons::RampIf p;
        for (const RampNumber& number : ramp_numbers) p.*number.member = numbers.number(number.name.data());
        p.V_th = v_threshold[i];
        p.V_reset = v_reset[i];
        p.t_ref = m.t_ref;
        return p;
    });
}

neurons::Model cuba_lif_model(const io::NirNode& node, std::uint64_t size, const Meaning& meaning) {
    if (const io::NirGroup* ramp = ramp_of(node, meaning)) return ramp_model(node, size, *ramp, meaning);
    const Meaning m = with_step_of(node, size, meaning);
    const Column tau_syn(node, "tau_syn");
    const Column tau_mem(node, "tau_mem");
    const Column r(node, "r");
    const Column w_in(node, "w_in");
    const Column v_leak(node, "v_leak");
    const Column v_threshold(node, "v_threshold");
    const Column v_reset(node, "v_reset");
    return per_neuron<neurons::CubaLif>(node, size, [&](std::uint64_t i) {
        neurons::CubaLif p;
        set_synapse(p, tau_syn[i], tau_mem[i], r[i], w_in[i], v_leak[i], m);
        set_firing(p, m.convention.reset, v_threshold[i], v_reset[i], m);
        p.V_0 = start_potential(m, v_leak[i], v_reset[i]);
        return p;
    });
}

neurons::Model cuba_li_model(const io::NirNode& node, std::uint64_t size, const Meaning& m) {
    const Column tau_syn(node, "tau_syn");
    const Column tau_mem(node, "tau_mem");
    const Column r(node, "r");
    const Column w_in(node, "w_in");
    const Column v_leak(node, "v_leak");
    return per_neuron<neurons::CubaLi>(node, size, [&](std::uint64_t i) {
        neurons::CubaLi p;
        set_synapse(p, tau_syn[i], tau_mem[i], r[i], w_in[i], v_leak[i], m);
        p.V_0 = start_potential(m, v_leak[i], 0.0);
        return p;
    });
}

neurons::Model threshold_model(const io::NirNode& node, std::uint64_t size, const Meaning&) {
    const Column threshold(node, "threshold");
    return per_neuron<neurons::Threshold>(node, size,
                                          [&](std::uint64_t i) { return neurons::Threshold{threshold[i]}; });
}

struct NeuronType {
    std::string_view name;
    neurons::Model (*model)(const io::NirNode&, std::uint64_t, const Meaning&);
};
constexpr std::array<NeuronType, 7> neuron_types{{{"IF", if_model},
                                                  {"LIF", lif_model},
                                                  {"CubaLIF", cuba_lif_model},
                                                  {"I", integrator_model},
                                                  {"LI", li_model},
                                                  {"CubaLI", cuba_li_model},
                                                  {"Threshold", threshold_model}}};

const NeuronType* find_type(std::string_view name) {
    for (const NeuronType& type : neuron_types) {
        if (type.name == name) return &type;
    }
    return nullptr;
}

}  // namespace

bool is_neuron(const std::string& type) {
    return find_type(type) != nullptr;
}

neurons::Model model_from_nir(const io::NirNode& node, std::uint64_t size, const Meaning& meaning) {
    return find_type(node.type)->model(node, size, meaning);
}

}  // namespace saltus::converters
