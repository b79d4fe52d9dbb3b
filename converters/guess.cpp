// What a file tells about the tool that it comes from: the names that its exporter gives to nodes, what it
// does to r and w_in, the unit of its time constants, the types of numbers, and what no other tool can read.
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>

#include "own_metadata.hpp"
#include "saltus/converters/nir.hpp"

namespace saltus::converters {

namespace {

constexpr double close = 1e-5;

struct Node {
    std::string name;
    const io::NirNode* node;
};

/// The nodes of all graphs; sub-graphs are not among them.
void collect(const io::NirGraph& graph, std::vector<Node>& nodes) {
    for (const auto& [name, node] : graph.nodes) {
        if (node.graph) {
            collect(*node.graph, nodes);
        } else {
            nodes.push_back({name, &node});
        }
    }
}

bool near(double x, double y) {
    return std::abs(x - y) <= close * std::abs(y);
}

bool ends_with(const std::string& text, std::string_view end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// x to three digits, if it is that but for the rounding of its parts.
std::optional<double> as_any_step(std::optional<double> x) {
    if (!x || !(*x > 0.0) || *x > 1.0) return std::nullopt;
    const double unit = std::pow(10.0, std::floor(std::log10(*x)) - 2.0);
    const double step = std::round(*x / unit) * unit;
    return near(*x, step) ? std::optional(step) : std::nullopt;
}

/// The step of at most 1 ms, 1, 2, 2.5 or 5 times a power of ten, that x is.
std::optional<double> as_step(std::optional<double> x) {
    const std::optional<double> step = as_any_step(x);
    if (!step || *step > 1.0000001e-3) return std::nullopt;
    const double power = std::pow(10.0, std::floor(std::log10(*step * 1.0000001)));
    for (const double digits : {1.0, 2.0, 2.5, 5.0})
        if (near(*step, digits * power)) return step;
    return std::nullopt;
}

class Evidence {
  public:
    explicit Evidence(const io::NirGraph& graph) {
        collect(graph, nodes_);
        for (const Node& n : nodes_) {
            if (n.node->array("v_threshold") || n.node->type == "LI" || n.node->type == "CubaLI")
                neurons_.push_back(n);
        }
    }

    [[nodiscard]] bool has_neurons() const { return !neurons_.empty(); }
    [[nodiscard]] std::size_t layers() const { return neurons_.size(); }

    [[nodiscard]] bool only(std::string_view type) const {
        return has_neurons() && std::all_of(neurons_.begin(), neurons_.end(),
                                            [&](const Node& n) { return n.node->type == type; });
    }
    [[nodiscard]] bool has(std::string_view type) const {
        return std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& n) { return n.node->type == type; });
    }
    /// f(name) for some, or all, nodes but Input and Output.
    template <class F>
    [[nodiscard]] bool any_name(F&& f) const {
        return std::any_of(nodes_.begin(), nodes_.end(),
                           [&](const Node& n) { return !is_port(n) && f(n.name); });
    }
    template <class F>
    [[nodiscard]] bool all_names(F&& f) const {
        return std::all_of(nodes_.begin(), nodes_.end(),
                           [&](const Node& n) { return is_port(n) || f(n.name); });
    }
    [[nodiscard]] bool numbered() const {
        return all_names([](const std::string& name) {
            return std::all_of(name.begin(), name.end(),
                               [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
        });
    }
    [[nodiscard]] const Node* input() const {
        const auto found =
            std::find_if(nodes_.begin(), nodes_.end(), [](const Node& n) { return n.node->type == "Input"; });
        return found == nodes_.end() ? nullptr : &*found;
    }

    /// f(value) holds for every value of the field; nodes without it count as well.
    template <class F>
    [[nodiscard]] bool every(std::string_view field, F&& f) const {
        return std::all_of(neurons_.begin(), neurons_.end(), [&](const Node& n) {
            const io::NirArray* array = n.node->array(field);
            if (!array) return true;
            for (std::uint64_t i = 0; i < array->size(); ++i)
                if (!f(array->real(i))) return false;
            return true;
        });
    }
    [[nodiscard]] bool is_everywhere(std::string_view field, double value) const {
        return every(field, [&](double x) { return near(x, value) || x == value; });
    }
    /// Every field has one value in each population.
    [[nodiscard]] bool uniform() const {
        return std::all_of(neurons_.begin(), neurons_.end(), [&](const Node& n) {
            return std::all_of(n.node->fields.entries.begin(), n.node->fields.entries.end(),
                               [](const auto& entry) {
                                   const auto* array = std::get_if<io::NirArray>(&entry.second);
                                   if (!array) return true;
                                   for (std::uint64_t i = 1; i < array->size(); ++i)
                                       if (array->real(i) != array->real(0)) return false;
                                   return true;
                               });
        });
    }
    [[nodiscard]] bool all_float64() const {
        return std::all_of(neurons_.begin(), neurons_.end(), [](const Node& n) {
            const io::NirArray* array = n.node->array("v_threshold");
            return array && array->type == io::NirType::float64;
        });
    }
    [[nodiscard]] bool has_bias() const {
        return std::any_of(nodes_.begin(), nodes_.end(),
                           [](const Node& n) { return n.node->array("bias") != nullptr; });
    }
    [[nodiscard]] std::optional<double> smallest_tau(std::initializer_list<const char*> fields) const {
        std::optional<double> smallest;
        for (const char* field : fields) {
            static_cast<void>(every(field, [&](double tau) {
                smallest = std::min(smallest.value_or(tau), tau);
                return true;
            }));
        }
        return smallest;
    }
    [[nodiscard]] std::optional<double> start_dim() const {
        for (const Node& n : nodes_) {
            if (n.node->type == "Flatten" && n.node->array("start_dim"))
                return n.node->array("start_dim")->real(0);
        }
        return std::nullopt;
    }

    /// f(tau or tau_mem, r), where all neurons of all populations agree on it.
    template <class F>
    [[nodiscard]] std::optional<double> common(F&& f) const {
        std::optional<double> value;
        for (const Node& n : neurons_) {
            const io::NirArray* tau = n.node->array("tau") ? n.node->array("tau") : n.node->array("tau_mem");
            const io::NirArray* r = n.node->array("r");
            if (!tau || !r) return std::nullopt;
            for (std::uint64_t i = 0; i < std::max(tau->size(), r->size()); ++i) {
                const double x = f(tau->real(tau->size() == 1 ? 0 : i), r->real(r->size() == 1 ? 0 : i));
                if (value && !near(x, *value)) return std::nullopt;
                value = x;
            }
        }
        return value;
    }
    /// The step that r stands for where it is not 1, if all populations agree on one: 1 / dt of an IF, tau /
    /// dt of others; of rockpool's exporter (tau / dt) exp(-dt / tau), of its importer tau / dt - 1.
    [[nodiscard]] std::optional<double> step_of_r() const {
        std::optional<double> step;
        for (const Node& n : neurons_) {
            const io::NirArray* r = n.node->array("r");
            const io::NirArray* tau = n.node->array("tau") ? n.node->array("tau") : n.node->array("tau_mem");
            if (!r) continue;
            for (std::uint64_t i = 0; i < r->size(); ++i) {
                const double x = r->real(i);
                if (x == 1.0 || !(x > 0.0)) continue;
                const double dt = (tau ? tau->real(tau->size() == 1 ? 0 : i) : 1.0) / x;
                if (step && !near(dt, *step)) return std::nullopt;
                step = dt;
            }
        }
        return step;
    }
    /// w_in = tau_syn / dt everywhere.
    [[nodiscard]] bool input_of_step(double dt) const {
        return std::all_of(neurons_.begin(), neurons_.end(), [&](const Node& n) {
            const io::NirArray* tau = n.node->array("tau_syn");
            const io::NirArray* w = n.node->array("w_in");
            if (!tau || !w) return true;
            for (std::uint64_t i = 0; i < w->size(); ++i)
                if (!near(w->real(i), tau->real(tau->size() == 1 ? 0 : i) / dt)) return false;
            return true;
        });
    }

  private:
    static bool is_port(const Node& n) { return n.node->type == "Input" || n.node->type == "Output"; }

    std::vector<Node> nodes_;
    std::vector<Node> neurons_;
};

Guess guessed(const char* convention, double dt, std::string reason) {
    return {convention, duration_from_seconds(dt), std::move(reason), {}, false};
}

/// dt of r = (tau / dt) exp(-dt / tau).
double step_of_exported_r(double tau, double r) {
    double x = 1.0 / (1.0 + r);  // dt / tau; x exp(x) = 1 / r
    for (int k = 0; k < 50; ++k) x -= (x * std::exp(x) - 1.0 / r) / ((1.0 + x) * std::exp(x));
    return x * tau;
}

/// rockpool: tau_mem / (1 + r) is the step, or r = (tau / dt) exp(-dt / tau) as its exporter writes.
std::optional<double> step_of_rockpool(const Evidence& e) {
    const auto plain = e.common([](double tau, double r) { return tau / (1.0 + r); });
    const auto exported = e.common(step_of_exported_r);
    for (const auto& usual : {as_step(plain), as_step(exported)})
        if (usual) return usual;
    return as_any_step(exported) ? as_any_step(exported) : as_any_step(plain);
}

/// Exporters that give nodes names of their own.
std::optional<Guess> by_names(const Evidence& e) {
    if (e.any_name([](const std::string& name) { return ends_with(name, "Torch"); }))
        return guessed("rockpool", step_of_rockpool(e).value_or(1e-3),
                       "nodes are called ...Torch, as its exporter does");
    const bool underscored = e.all_names([](const std::string& name) { return name.front() == '_'; });
    if (e.has_neurons() && (underscored || (e.input() && e.input()->name == "input_1")))
        return guessed("spikingjelly", as_any_step(e.step_of_r()).value_or(1e-4),
                       "names of nodes begin with '_', or the Input is called 'input_1'");
    return std::nullopt;
}

std::optional<Guess> by_unit(const Evidence& e) {
    if (e.smallest_tau({"tau", "tau_mem", "tau_syn"}).value_or(0.0) < 0.5) return std::nullopt;
    if (e.has("CubaLIF") || e.has("CubaLI"))
        return guessed("jaxsnn", 1e-3,
                       "time constants are of the size of milliseconds, with synaptic currents");
    return guessed("sinabs", 1e-3, "time constants are of the size of steps");
}

/// r = tau / dt: the exporters of tools that know no r.
std::optional<Guess> by_step(const Evidence& e) {
    if (e.only("IF")) {
        const auto* const r = "r";
        const bool one = e.is_everywhere(r, 1.0);
        double dt = 0.0;
        const bool same = !one && e.every(r, [&](double x) {
            const bool first = dt == 0.0;
            if (first && x != 0.0) dt = 1.0 / x;
            return dt > 0.0 && near(1.0 / x, dt);
        });
        const auto step = as_step(dt);
        if (same && step) return guessed("spikingjelly", *step, "IF has r = 1 / dt");
        return std::nullopt;
    }
    if (e.is_everywhere("r", 1.0)) return std::nullopt;
    const auto any = as_any_step(e.step_of_r());
    const bool of_input = any && e.only("CubaLIF") && !e.is_everywhere("w_in", 1.0) && e.input_of_step(*any);
    const auto dt = of_input ? any : as_step(any);
    if (!dt) return std::nullopt;
    const bool loops = e.any_name([](const std::string& name) { return ends_with(name, ".w_rec"); });
    if (!e.is_everywhere("v_leak", 0.0) || !e.is_everywhere("v_reset", 0.0))
        return guessed("spikingjelly", *dt, "r = tau / dt, with a v_reset that is not 0");
    if (loops)
        return guessed("snntorch", *dt, "r = tau / dt, and a loop .lif, .w_rec as its exporter writes it");
    const bool step_of_snntorch = near(*dt, 1e-4);  // the only one that it has
    if (!e.input_of_step(*dt)) {
        if (!step_of_snntorch) return std::nullopt;
        return guessed("snntorch", *dt, "r = tau_mem / dt, and w_in is not tau_syn / dt");
    }
    if (e.only("CubaLIF") && !e.has_bias() && !e.numbered())
        return guessed("lava-dl", *dt, "r = tau_mem / dt and w_in = tau_syn / dt, without biases");
    if (e.all_float64()) return guessed("spikingjelly", *dt, "r = tau / dt in float64");
    if (!step_of_snntorch)
        return guessed("spikingjelly", *dt, "r = tau / dt, with a step that snntorch does not have");
    return guessed("snntorch", *dt, "r = tau / dt in float32");
}

/// The same without the names of its exporter.
std::optional<Guess> by_rockpool_step(const Evidence& e) {
    if (!e.only("CubaLIF") || !e.is_everywhere("w_in", 1.0) || e.is_everywhere("r", 1.0)) return std::nullopt;
    const auto dt = as_step(step_of_rockpool(e));
    if (!dt) return std::nullopt;
    return guessed("rockpool", *dt,
                   "w_in is 1, and tau_mem / (1 + r), or r = (tau / dt) exp(-dt / tau), is a step of " +
                       to_string(duration_from_seconds(*dt)));
}

std::optional<Guess> without_leak(const Evidence& e) {
    if (!e.only("IF")) return std::nullopt;
    if (e.start_dim() == 1.0)
        return guessed("norse", 1e-3, "Flatten counts a batch axis, as only this importer takes it");
    if (!e.uniform()) return guessed("norse", 1e-3, "IF with thresholds that differ from neuron to neuron");
    if (e.numbered()) return guessed("sinabs", 1e-3, "IF without unit of time, nodes are numbered");
    if (e.has("Conv2d") || e.has("Conv1d")) return guessed("norse", 1e-3, "convolutions and IF");
    if (e.layers() == 1) return guessed("snntorch", 1e-4, "one layer of IF, the last");
    return guessed("nengo", 1e-3, "several dense layers of IF");
}

/// What is left: r and tau are those of the equations.
Guess physical(const Evidence& e) {
    const double tau = e.smallest_tau({"tau", "tau_mem"}).value_or(1.0);
    const double norse_dt = tau < 3e-3 ? 1e-4 : 1e-3;
    if (!e.is_everywhere("v_leak", 0.0)) return guessed("norse", norse_dt, "v_leak is not 0");
    if (e.only("CubaLIF")) {
        if (e.uniform() && e.is_everywhere("w_in", 1.0) && !e.is_everywhere("r", 1.0))
            return guessed("nengo", 1e-3, "CubaLIF with w_in = 1 and an r that is neither 1 nor tau / dt");
        return guessed("norse", norse_dt, "CubaLIF with r and w_in of the equations");
    }
    if (e.all_float64() && tau < 2e-3)
        return guessed("spikingjelly", 1e-4, "r = 1 in float64, tau below 2 ms");
    if (e.uniform() && !e.numbered() && e.only("LIF")) {
        if (tau < 3e-3) return guessed("snntorch", 1e-4, "r = 1, and tau asks for steps of 0.1 ms");
        if (e.layers() == 1) return guessed("nengo", 1e-3, "one layer of LIF with one tau, named as by hand");
    }
    return guessed("norse", norse_dt, "LIF with r = 1, time constants in seconds");
}

Guess best(const Evidence& e) {
    for (const auto& rule : {by_names, by_unit, by_rockpool_step, by_step, without_leak}) {
        if (std::optional<Guess> guess = rule(e)) return std::move(*guess);
    }
    if (!e.has_neurons()) return guessed("nir", 1e-3, "there are no neurons that spike");
    return physical(e);
}

/// What the document says, or what its graph lets one guess.
Guess said_or_guessed(const io::NirDocument& document) {
    const std::optional<std::string> own = own_convention(document);
    Guess guess = own ? Guess{*own, convention(*own).dt, "the file's own metadata say so", {}, true}
                      : best(Evidence(*document.root.graph));
    guess.dt = own_step(document).value_or(guess.dt);
    return guess;
}

}  // namespace

Guess guess_convention(const io::NirDocument& document) {
    Guess guess = said_or_guessed(document);
    std::vector<Node> nodes;
    collect(*document.root.graph, nodes);
    for (const std::string& name : convention_names()) {
        const Convention other = convention(name);
        const bool is_import = !ends_with(name, "-native") && !ends_with(name, "-norm");
        if (name == guess.convention || !is_import || !other.stepped || other.stepped->nodes.empty())
            continue;
        const auto& known = other.stepped->nodes;
        const bool maps_all = std::all_of(nodes.begin(), nodes.end(), [&](const Node& n) {
            return n.node->type == "Input" || n.node->type == "Output" ||
                   std::find(known.begin(), known.end(), n.node->type) != known.end();
        });
        if (maps_all) guess.also.push_back(name);
    }
    return guess;
}

}  // namespace saltus::converters
