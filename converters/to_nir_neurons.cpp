// NIR has one parameter r (or w_in) for what the engine has two of: the jump J of a spike and the gain R of a
// constant signal x. In the reading "nir" (convention.hpp)
//
//   LIF, LI          J = r / tau          tau V' = (v_leak - V) + r x
//   IF, I            J = r                    V' = r x
//   CubaLIF, CubaLI  J = w_in / tau_syn   tau_syn I' = -I + w_in x
//
// so the jump decides r (w_in), and a bias b, which acts as R b, is written as b R / r. A constant current
// I_e into a leaky membrane is a higher v_leak = E_L + R I_e.
//
// RampIF is, before its ramp, a CubaLIF without leak and decay; that is what is written, and what makes the
// ramp stands in the node's metadata (own_metadata.hpp).
#include "to_nir_neurons.hpp"

#include <algorithm>
#include <cmath>

#include "own_metadata.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::converters {

namespace {

constexpr std::uint64_t most_neurons = std::uint64_t{1} << 28;

template <class P, class... Known>
constexpr bool is_one_of = (std::is_same_v<P, Known> || ...);
template <class P>
constexpr bool in_nir = is_one_of<P, neurons::If, neurons::Lif, neurons::CubaLif, neurons::Integrator,
                                  neurons::Li, neurons::CubaLi, neurons::Threshold, neurons::RampIf>;

bool close(double a, double b) {
    return std::abs(a - b) <= 1e-15 * std::abs(a);
}

/// The r with r / tau = J; R itself where that is one.
double gain_of_jump(double J, double tau, double R) {
    return R / tau == J ? R : J * tau;
}

template <class P, class Value>
bool any_of(const neurons::PerNeuron<P>& model, Value value) {
    return std::any_of(model.begin(), model.end(), value);
}

/// Builds the node of one population.
template <class P>
class Writer {
  public:
    Writer(const Population& population, const neurons::PerNeuron<P>& model, Duration kept_t_ref,
           const Losses& losses)
        : population_(population), model_(model), kept_t_ref_(kept_t_ref), losses_(losses) {
        result_.node.type = std::string(P::name);
    }

    template <class Value>
    void field(const char* name, Value value) {
        std::vector<double> values(population_.size());
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = value(model_[model_.size() == 1 ? 0 : i]);
        result_.node.set(name, real_array(Weights(values), nir_shape(population_.shape)));
    }

    /// `gain` is what the population makes of a constant signal, `written` what the node does.
    template <class Gain, class Written>
    void bias_factor(Gain gain, Written written) {
        std::vector<double>& factor = result_.bias_factor;
        for (const P& p : model_) factor.push_back(close(gain(p), written(p)) ? 1.0 : gain(p) / written(p));
        const double first = factor.front();
        if (!std::all_of(factor.begin(), factor.end(),
                         [&](double f) { return f == first || close(f, first); }))
            return;
        factor.assign(first == 1.0 ? 0 : 1, first);
    }

    void firing() {
        field("v_threshold", [](const P& p) { return p.V_th; });
        field("v_reset", [](const P& p) { return p.V_reset; });
        if (any_of(model_, [](const P& p) { return p.t_ref != Duration(); })) {
            losses_.tell(population_.name, "t_ref",
                         kept_t_ref_ == Duration()
                             ? "NIR has no refractory period, it is left out."
                             : "NIR has no refractory period, only Saltus reads it from the metadata.");
        }
        if (losses_.convention() != "s2net" &&
            any_of(model_, [](const P& p) { return p.reset != neurons::Reset::to_value; })) {
            losses_.tell(population_.name, "reset", "NIR has only a reset to V_reset, which it becomes.");
        }
    }

    /// A node of this type, with metadata of our own.
    void become(const char* type, io::NirGroup own) {
        result_.node.type = type;
        result_.node.metadata.entries = {{"saltus", std::move(own)}};
    }

    NeuronNode take() {
        if constexpr (std::is_same_v<P, neurons::RampIf>) {
            return std::move(result_);  // its metadata keep V_0
        } else if constexpr (requires(const P& p) { p.V_0; }) {
            if (losses_.convention() != "s2net" && any_of(model_, [](const P& p) { return p.V_0 != 0.0; })) {
                losses_.tell(population_.name, "V_0", "NIR has no initial potential, it becomes 0.");
            }
        }
        return std::move(result_);
    }

  private:
    const Population& population_;
    const neurons::PerNeuron<P>& model_;
    Duration kept_t_ref_;
    const Losses& losses_;
    NeuronNode result_;
};

template <class P>
void write_integration(Writer<P>& node) {
    node.field("r", [](const P& p) { return p.J; });
    node.bias_factor([](const P& p) { return p.R; }, [](const P& p) { return p.J; });
}

/// v_leak with the constant current, where the model has one.
template <class P>
double rest(const P& p) {
    if constexpr (requires { p.I_e; }) {
        return p.E_L + p.R * p.I_e;
    } else {
        return p.E_L;
    }
}

template <class P>
void write_leak(Writer<P>& node) {
    const auto r = [](const P& p) { return gain_of_jump(p.J, p.tau_m, p.R); };
    node.field("tau", [](const P& p) { return p.tau_m; });
    node.field("r", r);
    node.field("v_leak", rest<P>);
    node.bias_factor([](const P& p) { return p.R; }, r);
}

template <class P>
void write_synapse(Writer<P>& node) {
    const auto w_in = [](const P& p) { return gain_of_jump(p.J, p.tau_syn, p.w_in); };
    node.field("tau_syn", [](const P& p) { return p.tau_syn; });
    node.field("tau_mem", [](const P& p) { return p.tau_m; });
    node.field("r", [](const P& p) { return p.R; });
    node.field("v_leak", rest<P>);
    node.field("w_in", w_in);
    node.bias_factor([](const P& p) { return p.w_in; }, w_in);
}

/// The numbers of the metadata stand for all neurons.
void write_ramp(const Population& population, const neurons::PerNeuron<neurons::RampIf>& model,
                Writer<neurons::RampIf>& node, const Losses& losses) {
    using neurons::RampIf;
    const double endless = std::ldexp(1.0, 100);  // beside which a run is nothing in double precision
    node.field("tau_syn", [&](const RampIf&) { return endless; });
    node.field("tau_mem", [&](const RampIf&) { return endless; });
    node.field("r", [&](const RampIf& p) { return p.R * endless; });
    node.field("v_leak", [&](const RampIf& p) { return p.R * p.I_e * endless; });
    node.field("w_in", [&](const RampIf& p) { return p.J * endless; });
    io::NirGroup own;
    for (const RampNumber& number : ramp_numbers) {
        const double value = model[0].*number.member;
        own.entries.emplace_back(std::string(number.name), io::NirArray::of(std::vector<double>{value}, {}));
        if (any_of(model, [&](const RampIf& p) { return p.*number.member != value; })) {
            throw NetworkError(population.name, std::string(number.name),
                               "expected the same for all neurons of the population, found several values: a "
                               "NIR file keeps one.");
        }
    }
    node.become("CubaLIF", std::move(own));
    losses.tell(
        population.name, "t_min",
        "NIR has no neurons that fire on a ramp, it becomes a CubaLIF, and only Saltus reads the ramp "
        "from the metadata.");
}

template <class P>
NeuronNode write(const Population& population, const neurons::PerNeuron<P>& model, Duration kept_t_ref,
                 const Losses& losses) {
    Writer<P> node(population, model, kept_t_ref, losses);
    if constexpr (std::is_same_v<P, neurons::RampIf>) {
        write_ramp(population, model, node, losses);
    } else if constexpr (requires(const P& p) { p.tau_syn; }) {
        write_synapse(node);
    } else if constexpr (requires(const P& p) { p.tau_m; }) {
        write_leak(node);
    } else if constexpr (requires(const P& p) { p.J; }) {
        write_integration(node);
    }
    if constexpr (std::is_same_v<P, neurons::If>) {
        if (any_of(model, [](const P& p) { return p.I_e != 0.0; })) {
            throw NetworkError(
                population.name, "I_e",
                "expected 0, found a constant current: NIR's IF has none. Give an incoming projection a "
                "bias instead.");
        }
    }
    if constexpr (std::is_same_v<P, neurons::Threshold>) {
        node.field("threshold", [](const P& p) { return p.V_th; });
    } else if constexpr (neurons::Spiking<P>) {
        node.firing();
    }
    return node.take();
}

}  // namespace

std::string convention_of(const Network& network) {
    bool needed = false;
    const bool said = std::all_of(
        network.populations().begin(), network.populations().end(), [&](const Population& population) {
            return std::visit(
                [&]<class M>(const M& model) {
                    if constexpr (std::is_same_v<M, neurons::PerNeuron<neurons::Lif>> ||
                                  std::is_same_v<M, neurons::PerNeuron<neurons::Li>>) {
                        return std::all_of(model.begin(), model.end(), [&](const auto& p) {
                            bool same = p.J == 1.0 && p.V_0 == p.E_L;
                            needed = needed || p.V_0 != 0.0;
                            if constexpr (requires { p.reset; }) {
                                needed = needed || p.reset == neurons::Reset::none;
                                same = same && p.reset == neurons::Reset::none && p.I_e == 0.0 &&
                                       p.t_ref == Duration();
                            }
                            return same;
                        });
                    }
                    return std::is_same_v<M, neurons::Input> ||
                           std::is_same_v<M, neurons::PerNeuron<neurons::Threshold>>;
                },
                population.model);
        });
    const bool biased = std::any_of(network.projections().begin(), network.projections().end(),
                                    [](const Projection& projection) { return projection.has_bias(); });
    return said && needed && !biased ? "s2net" : "nir";
}

void Losses::tell(const std::string& population, const std::string& field, const std::string& text) const {
    if (!notes_) throw NetworkError(population, field, text + " Ask for notes to accept the loss.");
    notes_->push_back("population " + quoted(population) + ", " + field + ": " + text);
}

std::vector<std::uint64_t> nir_shape(const Shape& shape) {
    if (shape.empty()) return {1};
    return {shape.begin(), shape.end()};
}

io::NirArray real_array(const Weights& values, std::vector<std::uint64_t> shape) {
    return values.visit(
        [&](auto v) { return io::NirArray::of(std::vector(v.begin(), v.end()), std::move(shape)); });
}

io::NirArray integer_array(const std::vector<std::uint64_t>& values) {
    return io::NirArray::of(std::vector<std::int64_t>(values.begin(), values.end()), {values.size()});
}

NeuronNode node_from_population(const Population& population, Duration kept_t_ref, const Losses& losses) {
    if (population.is_input()) {
        NeuronNode result;
        result.node.type = "Input";
        result.node.set("shape", integer_array(nir_shape(population.shape)));
        return result;
    }
    if (population.size() > most_neurons) {
        throw LimitError("population " + quoted(population.name) + ": " + std::to_string(population.size()) +
                         " neurons; NIR holds every parameter of every neuron, and more than " +
                         std::to_string(most_neurons) + " neurons are not written.");
    }
    return std::visit(
        [&](const auto& model) -> NeuronNode {
            using M = std::decay_t<decltype(model)>;
            if constexpr (!neurons::HasNeurons<M>) {
                throw NetworkError(
                    population.name, "",
                    std::string(neurons::model_name(population.model)) +
                        " has no counterpart in NIR: make it an input and give its spikes to the run.");
            } else if constexpr (!in_nir<typename M::value_type>) {
                throw NetworkError(
                    population.name, "",
                    std::string(neurons::model_name(population.model)) +
                        " has no counterpart in NIR, whose spiking neurons are IF, LIF and CubaLIF: make it "
                        "one of these, or keep the network as the program or the files that it was built "
                        "from.");
            } else {
                return write(population, model, kept_t_ref, losses);
            }
        },
        population.model);
}

}  // namespace saltus::converters
