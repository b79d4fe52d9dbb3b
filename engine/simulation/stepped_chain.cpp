#include "stepped_chain.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

#include "kernels.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus {

namespace stepped {

namespace {

template <class T>
std::vector<T> as(const Weights& weights) {
    return weights.visit([](auto w) {
        std::vector<T> values(w.size());
        std::transform(w.begin(), w.end(), values.begin(), [](auto x) { return static_cast<T>(x); });
        return values;
    });
}

template <class T>
[[gnu::always_inline]] inline void add_row(T* __restrict sum, const T* __restrict row, std::size_t n,
                                           T amplitude) {
    for (std::size_t k = 0; k < n; ++k) sum[k] += amplitude * row[k];
}

template <class T>
[[gnu::always_inline]] inline std::uint64_t add(const Rows<T>& part, std::span<const StepEntry<T>> entries,
                                                T* x) {
    for (const StepEntry<T>& e : entries) {
        const std::size_t first = std::size_t{e.index} / part.inputs_of_block * part.outputs;
        add_row(x + first, part.weights.data() + std::size_t{e.index} * part.outputs, part.outputs,
                e.amplitude);
    }
    return entries.size() * std::uint64_t{part.outputs};
}

template <class T>
[[gnu::always_inline]] inline std::uint64_t add(const Kernel<T>& part, std::span<const StepEntry<T>> entries,
                                                T* x) {
    const Convolution& c = part.shape;
    const std::uint32_t per_group = c.out_channels / c.groups;
    std::uint64_t events = 0;
    for (const StepEntry<T>& e : entries) {
        const typename Kernel<T>::Place from = part.places[e.index];
        const std::uint32_t first_channel = from.channel / (c.in_channels / c.groups) * per_group;
        const T* const kernel =
            part.weights.data() + std::size_t{from.channel} * c.kernel[0] * c.kernel[1] * per_group;
        const auto columns = part.columns.runs(from.x);
        for (const AxisMap::Run& rows : part.rows.runs(from.y)) {
            for (std::uint32_t y = 0; y < rows.count; ++y) {
                const T* const row = kernel + std::size_t{rows.place + y} * c.kernel[1] * per_group;
                for (const AxisMap::Run& run : columns) {
                    const std::size_t pixel = std::size_t{rows.out + y} * c.out_size[1] + run.out;
                    const T* w = row + std::size_t{run.place} * per_group;
                    T* const to = x + pixel * c.out_channels + first_channel;
                    events += std::uint64_t{run.count} * per_group;
                    if (c.groups == 1) {
                        add_row(to, w, std::size_t{run.count} * per_group, e.amplitude);
                        continue;
                    }
                    for (std::uint32_t p = 0; p < run.count; ++p)
                        add_row(to + std::size_t{p} * c.out_channels, w + std::size_t{p} * per_group,
                                per_group, e.amplitude);
                }
            }
        }
    }
    return events;
}

template <class T>
std::uint64_t add_one_by_one(const Synapses<T>& part, std::span<const StepEntry<T>> entries, T* x) {
    std::uint64_t events = 0;
    for (const StepEntry<T>& e : entries) {
        for (std::uint64_t k = part.rows[e.index]; k < part.rows[e.index + 1]; ++k)
            x[part.targets[k]] += e.amplitude * part.weights[k];
        events += part.rows[e.index + 1] - part.rows[e.index];
    }
    return events;
}

template <class T>
std::uint64_t add_one_by_one(const Table<T>& part, std::span<const StepEntry<T>> entries, T* x) {
    std::uint64_t events = 0;
    for (const StepEntry<T>& e : entries) {
        const NeuronIndex to = part.to[e.index];
        if (to == nowhere) continue;
        x[to] += part.factors.empty() ? e.amplitude : e.amplitude * part.factors[e.index];
        ++events;
    }
    return events;
}

// Functions that exist in several versions cannot be templates.
using Entries = std::span<const StepEntry<float>>;
using DoubleEntries = std::span<const StepEntry<double>>;
SALTUS_VECTOR_VERSIONS std::uint64_t into(const Rows<float>& part, Entries entries, float* x) {
    return add(part, entries, x);
}
SALTUS_VECTOR_VERSIONS std::uint64_t into(const Rows<double>& part, DoubleEntries entries, double* x) {
    return add(part, entries, x);
}
SALTUS_VECTOR_VERSIONS std::uint64_t into(const Kernel<float>& part, Entries entries, float* x) {
    return add(part, entries, x);
}
SALTUS_VECTOR_VERSIONS std::uint64_t into(const Kernel<double>& part, DoubleEntries entries, double* x) {
    return add(part, entries, x);
}
template <class T, template <class> class P>
std::uint64_t into(const P<T>& part, std::span<const StepEntry<T>> entries, T* x) {
    return add_one_by_one(part, entries, x);
}

/// The entries that a table turns these into, in place.
template <class T>
void send_on(const Table<T>& table, std::vector<StepEntry<T>>& entries) {
    std::size_t kept = 0;
    for (const StepEntry<T>& e : entries) {
        const NeuronIndex to = table.to[e.index];
        if (to == nowhere) continue;
        entries[kept++] = {to, table.factors.empty() ? e.amplitude : e.amplitude * table.factors[e.index]};
    }
    entries.resize(kept);
}

std::uint32_t windows_at(const AxisMap& axis, std::uint32_t in) {
    std::uint32_t n = 0;
    for (const AxisMap::Run& run : axis.runs(in)) n += run.count;
    return n;
}

/// Elements that a stage sends on to one other each, as indices and factors; false where it does more.
template <class T>
bool as_table(const Stage& stage, Table<T>& table) {
    if (const auto* scale = std::get_if<Scale>(&stage)) {
        table.factors = as<T>(scale->factors);
        table.to.resize(scale->factors.size());
        for (std::size_t i = 0; i < table.to.size(); ++i) table.to[i] = static_cast<NeuronIndex>(i);
        return true;
    }
    const auto* pooling = std::get_if<Pooling>(&stage);
    if (!pooling) return false;
    const Pooling& p = *pooling;
    const PoolingStep step(p);
    for (std::uint32_t y = 0; y < p.in_size[0]; ++y)
        if (windows_at(step.rows, y) > 1) return false;
    for (std::uint32_t x = 0; x < p.in_size[1]; ++x)
        if (windows_at(step.columns, x) > 1) return false;
    for (std::uint32_t c = 0; c < p.channels; ++c) {
        for (std::uint32_t y = 0; y < p.in_size[0]; ++y) {
            const auto rows = step.rows.runs(y);
            for (std::uint32_t x = 0; x < p.in_size[1]; ++x) {
                const auto columns = step.columns.runs(x);
                table.to.push_back(rows.empty() || columns.empty()
                                       ? nowhere
                                       : (c * p.out_size[0] + rows[0].out) * p.out_size[1] + columns[0].out);
            }
        }
    }
    if (step.weight != 1.0) table.factors.assign(table.to.size(), static_cast<T>(step.weight));
    return true;
}

/// An identity over n elements.
template <class T>
Table<T> identity(std::uint32_t n) {
    Table<T> table;
    table.to.resize(n);
    for (NeuronIndex i = 0; i < n; ++i) table.to[i] = i;
    return table;
}

/// First `a`, then `b`.
template <class T>
Table<T> joined(const Table<T>& a, const Table<T>& b) {
    Table<T> both;
    const bool factors = !a.factors.empty() || !b.factors.empty();
    for (std::size_t i = 0; i < a.to.size(); ++i) {
        const NeuronIndex middle = a.to[i];
        both.to.push_back(middle == nowhere ? nowhere : b.to[middle]);
        if (!factors) continue;
        T f = a.factors.empty() ? T{1} : a.factors[i];
        if (middle != nowhere && !b.factors.empty()) f *= b.factors[middle];
        both.factors.push_back(f);
    }
    return both;
}

template <class T>
bool is_identity(const Table<T>& table) {
    for (std::size_t i = 0; i < table.to.size(); ++i)
        if (table.to[i] != i) return false;
    return table.factors.empty();
}

template <class T>
Synapses<T> synapses_of(const Sparse& sparse, const Layout& source, const Layout& target) {
    Synapses<T> s;
    s.rows.push_back(0);
    const std::vector<T> weights = as<T>(sparse.weights);
    const Sparse::Table& table = *sparse.table;
    for (NeuronIndex inside = 0; inside < sparse.inputs; ++inside) {
        const NeuronIndex i = source.outside(inside);
        for (std::uint64_t k = table.rows[i]; k < table.rows[std::size_t{i} + 1]; ++k) {
            for (std::uint64_t n = table.segments[k].begin; n < table.segments[k].end; ++n) {
                s.targets.push_back(target.inside(table.targets[n]));
                s.weights.push_back(weights[n]);
            }
        }
        s.rows.push_back(s.targets.size());
    }
    return s;
}

/// Windows that overlap, as synapses.
template <class T>
Synapses<T> synapses_of(const Pooling& p, const Layout& target) {
    const PoolingStep step(p);
    Synapses<T> s;
    s.rows.push_back(0);
    for (std::uint32_t c = 0; c < p.channels; ++c) {
        for (std::uint32_t y = 0; y < p.in_size[0]; ++y) {
            for (std::uint32_t x = 0; x < p.in_size[1]; ++x) {
                for (const AxisMap::Run& rows : step.rows.runs(y)) {
                    for (std::uint32_t oy = rows.out; oy < rows.out + rows.count; ++oy) {
                        for (const AxisMap::Run& columns : step.columns.runs(x)) {
                            for (std::uint32_t ox = columns.out; ox < columns.out + columns.count; ++ox) {
                                s.targets.push_back(
                                    target.inside((c * p.out_size[0] + oy) * p.out_size[1] + ox));
                                s.weights.push_back(static_cast<T>(step.weight));
                            }
                        }
                    }
                }
                s.rows.push_back(s.targets.size());
            }
        }
    }
    return s;
}

/// A dense stage whose columns are in the order of `target`.
template <class T>
Rows<T> rows_of(const Dense& d, const Layout& target) {
    Rows<T> rows{d.inputs, d.outputs, as<T>(d.weights)};
    if (target.block() == 1) return rows;
    std::vector<T> sorted(rows.weights.size());
    for (std::size_t i = 0; i < sorted.size(); i += d.outputs)
        for (NeuronIndex j = 0; j < d.outputs; ++j) sorted[i + target.inside(j)] = rows.weights[i + j];
    rows.weights = std::move(sorted);
    return rows;
}

Stage without_bias(Stage stage) {
    if (auto* dense = std::get_if<Dense>(&stage)) dense->bias = Weights();
    if (auto* convolution = std::get_if<Convolution>(&stage)) convolution->bias = Weights();
    return stage;
}

}  // namespace

template <class T>
Kernel<T>::Kernel(const Convolution& c)
    : shape(c),
      rows(c.in_size[0], c.out_size[0], c.kernel[0], c.stride[0], c.padding[0], c.dilation[0]),
      columns(c.in_size[1], c.out_size[1], c.kernel[1], c.stride[1], c.padding[1], c.dilation[1]) {
    weights = as<T>(ConvolutionStep(c).by_source);
    shape.weights = Weights();
    for (std::uint32_t channel = 0; channel < c.in_channels; ++channel)
        for (std::uint32_t y = 0; y < c.in_size[0]; ++y)
            for (std::uint32_t x = 0; x < c.in_size[1]; ++x) places.push_back({channel, y, x});
}

}  // namespace stepped

using namespace stepped;

template <class T>
SteppedChain<T>::SteppedChain(const Projection& projection, std::uint32_t source_size, const Layout& source,
                              const Layout& target, std::uint32_t target_size, Duration dt,
                              const std::string& name)
    : source_(projection.source), target_(projection.target) {
    if (projection.min_delay() == projection.max_delay()) {
        delay_ = static_cast<std::uint32_t>(projection.min_delay().femtoseconds() / dt.femtoseconds());
        compile(projection, source_size, source, target);
    } else {
        expand(projection, source_size, source, target, dt, name);
    }
    add_constants(projection, target, target_size, dt);
}

template <class T>
void SteppedChain<T>::compile(const Projection& projection, std::uint32_t source_size, const Layout& source,
                              const Layout& target) {
    std::size_t last = projection.stages.size();  // the last stage that is not a table
    for (std::size_t k = projection.stages.size(); k-- > 0 && last == projection.stages.size();) {
        const Stage& stage = projection.stages[k];
        if (std::holds_alternative<Flatten>(stage) || std::holds_alternative<Delay>(stage)) continue;
        Table<T> table;
        if (as_table(stage, table)) break;
        last = k;
    }

    Table<T> table = identity<T>(source_size);  // from where the entries are to the input of the next part
    for (NeuronIndex i = 0; i < source_size; ++i) table.to[i] = source.outside(i);
    bool at_target = false;  // the entries are in the layout of the target
    for (std::size_t k = 0; k < projection.stages.size(); ++k) {
        const Stage& stage = projection.stages[k];
        if (std::holds_alternative<Flatten>(stage) || std::holds_alternative<Delay>(stage)) continue;
        Table<T> next;
        if (as_table(stage, next)) {
            table = joined(table, next);
            continue;
        }
        if (!is_identity(table)) append(std::move(table), stage_size(stage).input);
        const auto outputs = static_cast<std::uint32_t>(stage_size(stage).output);
        table = identity<T>(outputs);
        at_target = k == last;
        const Layout layout = at_target ? target : Layout();
        if (const auto* dense = std::get_if<Dense>(&stage)) {
            at_target = at_target && (dense->blocks == 1 || target.block() == 1);
            append(rows_of<T>(*dense, at_target ? target : Layout()), outputs);
        } else if (const auto* sparse = std::get_if<Sparse>(&stage)) {
            append(synapses_of<T>(*sparse, Layout(), layout), outputs);
        } else if (const auto* pooling = std::get_if<Pooling>(&stage)) {
            append(synapses_of<T>(*pooling, layout), outputs);
        } else if (const auto* c = std::get_if<Convolution>(&stage)) {
            append(Kernel<T>(*c), outputs);
            const Layout pixels = Layout::channels_last(c->out_channels, c->out_size[0] * c->out_size[1]);
            at_target = at_target && target.block() == c->out_channels;
            if (!at_target)
                for (NeuronIndex i = 0; i < outputs; ++i) table.to[i] = pixels.outside(i);
        }
    }
    if (at_target) return;
    for (NeuronIndex& to : table.to)
        if (to != nowhere) to = target.inside(to);
    if (links_.empty() || !is_identity(table)) append(std::move(table), 0);
}

template <class T>
void SteppedChain<T>::append(Part<T> part, std::uint64_t outputs) {
    links_.push_back({std::move(part), static_cast<std::size_t>(outputs)});
}

template <class T>
void SteppedChain<T>::expand(const Projection& projection, std::uint32_t source_size, const Layout& source,
                             const Layout& target, Duration dt, const std::string& name) {
    const Sparse sparse = expanded(projection, source_size, name);
    Synapses<T> synapses = synapses_of<T>(sparse, source, target);
    for (NeuronIndex inside = 0; inside < source_size; ++inside) {
        const NeuronIndex i = source.outside(inside);
        for (std::uint64_t k = sparse.table->rows[i]; k < sparse.table->rows[std::size_t{i} + 1]; ++k) {
            const Sparse::Segment& segment = sparse.table->segments[k];
            const auto steps = static_cast<std::uint32_t>(segment.delay.femtoseconds() / dt.femtoseconds());
            synapses.delays.insert(synapses.delays.end(), segment.end - segment.begin, steps);
            synapses.longest = std::max(synapses.longest, steps);
        }
    }
    append(std::move(synapses), 0);
}

template <class T>
const Synapses<T>* SteppedChain<T>::delayed_synapses() const {
    if (links_.size() != 1) return nullptr;
    const auto* synapses = std::get_if<Synapses<T>>(&links_.front().part);
    return synapses && !synapses->delays.empty() ? synapses : nullptr;
}

template <class T>
std::uint64_t SteppedChain<T>::deliver(std::span<const StepEntry<T>> entries, T* x,
                                       Scratch<T>& scratch) const {
    if (entries.empty()) return 0;
    std::uint64_t events = 0;
    for (std::size_t k = 0; k + 1 < links_.size(); ++k) {
        if (const auto* table = std::get_if<Table<T>>(&links_[k].part)) {
            if (entries.data() != scratch.entries.data())
                scratch.entries.assign(entries.begin(), entries.end());
            send_on(*table, scratch.entries);
        } else {
            scratch.sums.assign(links_[k].outputs, T{0});
            events += std::visit([&](const auto& part) { return into(part, entries, scratch.sums.data()); },
                                 links_[k].part);
            scratch.entries.clear();
            for (std::size_t j = 0; j < scratch.sums.size(); ++j) {
                if (scratch.sums[j] != T{0})
                    scratch.entries.push_back({static_cast<NeuronIndex>(j), scratch.sums[j]});
            }
        }
        entries = scratch.entries;
    }
    return events + std::visit([&](const auto& part) { return into(part, entries, x); }, links_.back().part);
}

template <class T>
void SteppedChain<T>::add_constants(const Projection& projection, const Layout& target,
                                    std::uint32_t target_size, Duration dt) {
    for (std::size_t k = 0; k < projection.stages.size(); ++k) {
        const std::vector<double> bias = bias_of(projection.stages[k]);
        if (bias.empty()) continue;
        std::vector<StepEntry<T>> entries;
        for (std::size_t j = 0; j < bias.size(); ++j)
            if (bias[j] != 0.0) entries.push_back({static_cast<NeuronIndex>(j), static_cast<T>(bias[j])});
        Projection rest{projection.source, projection.target, {}};
        for (std::size_t later = k + 1; later < projection.stages.size(); ++later)
            rest.stages.push_back(without_bias(projection.stages[later]));
        const SteppedChain chain(rest, static_cast<std::uint32_t>(bias.size()), Layout(), target, target_size,
                                 dt, "bias");
        const auto from_step = [&](std::uint32_t step) -> std::vector<T>& {
            std::vector<T>& x = constants_[step];
            x.resize(target_size);
            return x;
        };
        if (const Synapses<T>* synapses = chain.delayed_synapses()) {
            for (const StepEntry<T>& e : entries)
                for (std::uint64_t s = synapses->rows[e.index]; s < synapses->rows[e.index + 1]; ++s)
                    from_step(synapses->delays[s])[synapses->targets[s]] +=
                        e.amplitude * synapses->weights[s];
        } else {
            Scratch<T> scratch;
            chain.deliver(entries, from_step(chain.delay()).data(), scratch);
        }
    }
}

template class SteppedChain<float>;
template class SteppedChain<double>;

}  // namespace saltus
