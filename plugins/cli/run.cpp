// saltus run NETWORK -i SPIKES -d DURATION -o OUT.h5: one simulation.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "checkpoints.hpp"
#include "commands.hpp"
#include "console.hpp"
#include "inputs.hpp"
#include "ranks.hpp"
#include "reading.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/simulate.hpp"
#include "saltus/engine/stepped.hpp"
#include "saltus/io/report.hpp"
#include "saltus/io/sonata_network.hpp"
#include "saltus/io/spikes.hpp"

namespace saltus::cli {

namespace {

struct Options {
    std::string network;
    std::vector<std::string> inputs;
    std::string duration;
    std::string out;
    std::vector<std::string> record{"spikes"};
    std::vector<std::string> populations;
    std::string until_first_spike_of;
    std::string report;
    unsigned threads = 1;
    bool mpi = false;
    std::shared_ptr<Communication> ranks = local_communication();
    Checkpoints checkpoints;
    std::uint64_t seed = 0;
    bool json = false;
    bool quiet = false;
    ReadingOptions reading;
};

/// Everything that happened, with the time each part took.
struct Outcome {
    SimulationResult result;
    std::vector<InputSpikes> inputs;
    std::optional<Time> resumed_at;
    double build_s = 0.0;
    double sim_s = 0.0;
};

class Stopwatch {
  public:
    [[nodiscard]] double lap() {
        const auto now = std::chrono::steady_clock::now();
        const double seconds = std::chrono::duration<double>(now - start_).count();
        start_ = now;
        return seconds;
    }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

bool records(const Options& options, const std::string& what) {
    return std::find(options.record.begin(), options.record.end(), what) != options.record.end();
}

void check_choices(const Options& options) {
    const bool steps = options.reading.steps();
    static_cast<void>(options.reading.reading());  // a wrong choice is an error before anything is read
    if (steps && options.mpi) throw LimitError("--mpi: the stepped clock runs in one process.");
    if (steps && options.checkpoints.wanted())
        throw LimitError("--checkpoint: the stepped clock writes none; only the exact clock does.");
    for (const std::string& what : options.record) {
        if (what != "spikes" && what != "potentials" && !(what == "none" && options.record.size() == 1)) {
            throw UsageError("--record: expected spikes, potentials or both, or none, found " + quoted(what) +
                             ".");
        }
    }
    if (!steps && records(options, "potentials") && options.reading.dt().empty()) {
        throw UsageError("--record potentials needs --dt, the time between two samples of the potential.");
    }
}

SimulationOptions simulation_options(const Options& options, Duration duration) {
    SimulationOptions run;
    run.duration = duration;
    run.record_spikes = records(options, "spikes");
    run.recorded = options.populations;
    run.until_first_spike_of = options.until_first_spike_of;
    if (records(options, "potentials")) {
        const Duration dt = parse_duration(options.reading.dt());
        if (dt <= Duration()) throw UsageError("--dt: expected > 0, found " + to_string(dt) + ".");
        constexpr std::int64_t most_samples = 100'000'000;
        if (duration.femtoseconds() / dt.femtoseconds() > most_samples) {
            throw LimitError("--dt " + to_string(dt) + ": more than " + std::to_string(most_samples) +
                             " samples of the potential.");
        }
        for (Duration at; at <= duration; at = at + dt) run.potential_times.push_back(Time(at));
    }
    return run;
}

void write_out(const Options& options, const Network& network, const SimulationResult& result) {
    std::vector<io::PopulationSpikes> spikes;
    for (std::size_t q = 0; q < network.populations().size(); ++q) {
        const Population& population = network.populations()[q];
        if (population.is_input() || !neurons::is_spiking(population.model) || !records(options, "spikes"))
            continue;
        if (!options.populations.empty() && std::find(options.populations.begin(), options.populations.end(),
                                                      population.name) == options.populations.end()) {
            continue;
        }
        spikes.push_back({population.name, result.spikes[q]});
    }
    std::vector<io::PopulationPotentials> potentials;
    for (const PotentialRecord& record : result.potentials) {
        const Population& population = network.populations()[record.population];
        potentials.push_back({population.name, record.times, population.size(), record.values});
    }
    io::write_spikes(options.out, spikes, potentials);
}

std::string hexadecimal(std::uint64_t x) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text(16, '0');
    for (std::size_t i = 16; i-- > 0; x >>= 4) text[i] = digits[x & 15];
    return text;
}

nlohmann::ordered_json as_json(const Options& options, const Network& network, const Outcome& outcome) {
    const SimulationResult& result = outcome.result;
    nlohmann::ordered_json populations;
    for (std::size_t q = 0; q < network.populations().size(); ++q) {
        populations[network.populations()[q].name] = result.spike_counts[q];
    }
    return {{"clock", options.reading.clock()},
            {"duration_s", parse_duration(options.duration).seconds()},
            {"end_s", result.end.seconds()},
            {"spikes", result.neuron_spikes},
            {"synaptic_events", result.synaptic_events},
            {"spikes_by_population", std::move(populations)},
            {"build_s", outcome.build_s},
            {"sim_s", outcome.sim_s},
            {"peak_rss_mib", peak_rss_mib()},
            {"threads", options.threads},
            {"ranks", options.ranks->size()},
            {"windows", result.windows},
            {"resumed_at", outcome.resumed_at ? nlohmann::ordered_json(outcome.resumed_at->seconds())
                                              : nlohmann::ordered_json()},
            {"seed", options.seed},
            {"fingerprint", hexadecimal(fingerprint(result))},
            {"interrupted", result.interrupted}};
}

std::vector<std::vector<std::string>> facts(const Outcome& outcome) {
    const SimulationResult& result = outcome.result;
    return {{"simulated", to_string(result.end.since_start()) + (result.interrupted ? " (interrupted)" : "")},
            {"spikes", with_commas(result.neuron_spikes)},
            {"synaptic events", with_commas(result.synaptic_events)},
            {"time to build", short_number(outcome.build_s) + " s"},
            {"time to simulate", short_number(outcome.sim_s) + " s"},
            {"fingerprint", hexadecimal(fingerprint(result))}};
}

void write_run_report(const Options& options, const Network& network, const Outcome& outcome,
                      const std::vector<std::string>& notes) {
    io::Report report;
    report.title = options.network;
    io::KeyValues summary;
    for (const auto& row : facts(outcome)) summary.rows.emplace_back(row[0], row[1]);
    for (const std::string& note : notes) summary.rows.emplace_back("note", note);
    summary.rows.emplace_back("saltus", SALTUS_VERSION);
    report.sections.push_back({"Run", std::move(summary)});
    io::Raster raster;
    raster.duration = outcome.result.end.since_start();
    for (const InputSpikes& input : outcome.inputs) {
        raster.panels.push_back({input.population,
                                 network.populations()[network.index_of(input.population)].size(),
                                 input.spikes});
    }
    for (std::size_t q = 0; q < network.populations().size(); ++q) {
        const Population& population = network.populations()[q];
        if (population.is_input() || !neurons::is_spiking(population.model)) continue;
        raster.panels.push_back({population.name, population.size(), outcome.result.spikes[q]});
    }
    report.sections.push_back({"Spikes", std::move(raster)});
    io::write_report(options.report, report);
}

/// A run that is ready to start.
struct Job {
    converters::Import import;
    FileInputs inputs;
    SimulationOptions run;
    std::optional<Time> resumed_at;
};

/// The network and what is fed to it; how to run it is left open.
Job read_job(const Options& options) {
    Job job{read_network(options.network, options.reading), {}, {}, {}};
    job.inputs = read_inputs(options.inputs, job.import.network, job.import.notes);
    return job;
}

Job prepared(const Options& options, bool goes_on) {
    Job job = read_job(options);
    job.run = simulation_options(options, parse_duration(options.duration));
    if (options.checkpoints.wanted())
        job.resumed_at = options.checkpoints.apply(job.run, goes_on, job.import.notes);
    if (!options.quiet) print_notes(job.import.notes);
    return job;
}

ExactSimulation simulation_of(const Options& options, const Network& network) {
    try {
        return ExactSimulation(network, {options.threads, options.ranks});
    } catch (const NetworkError& error) {
        throw LimitError(options.network + ": " + error.what());
    }
}

SimulationResult simulated(const Options& options, Job& job, const ExactSimulation& simulation) {
    ProgressLine progress(options.quiet);
    job.run.on_progress = [&](const Progress& p) {
        progress.update(p.fraction,
                        to_string(Duration(p.time.femtoseconds() / 1'000'000'000 * 1'000'000'000)) + ", " +
                            with_commas(p.spikes) + " spikes");
        return !interrupted();
    };
    try {
        return simulation.run(job.inputs.spikes, job.run);
    } catch (const InputError& error) {
        throw job.inputs.error(error);
    } catch (const SnapshotError& error) {
        throw FileError(options.checkpoints.path(), "", error.what());
    }
}

void write_outcome(const Options& options, const Network& network, const Outcome& outcome,
                   const std::vector<std::string>& notes) {
    if (!options.out.empty()) write_out(options, network, outcome.result);
    if (!options.report.empty()) write_run_report(options, network, outcome, notes);
    if (options.json) {
        std::cout << as_json(options, network, outcome).dump() << "\n";
    } else {
        std::cout << table(facts(outcome));
    }
}

void run_stepped(const Options& options) {
    check_choices(options);
    if (!options.until_first_spike_of.empty())
        throw LimitError("--until-first-spike-of: the stepped clock runs all its steps.");
    Stopwatch watch;
    Job job = read_job(options);
    const Duration duration = parse_duration(options.duration);
    SteppedOptions steps;
    const Duration dt = job.import.rules->dt;
    steps.steps = steps_covering(duration, dt);
    steps.record_spikes = records(options, "spikes");
    steps.record_potentials = records(options, "potentials");
    steps.recorded = options.populations;
    const SteppedSimulation simulation = [&] {
        try {
            return SteppedSimulation(job.import.network, *job.import.rules);
        } catch (const NetworkError& error) {
            throw LimitError(options.network + ": " + error.what());
        }
    }();
    job.import.notes.insert(job.import.notes.end(), simulation.notes().begin(), simulation.notes().end());
    if (!options.quiet) print_notes(job.import.notes);
    Outcome outcome;
    outcome.build_s = watch.lap();
    try {
        const SteppedSample sample = sample_of(job.import.network, job.inputs.spikes, dt, steps.steps);
        outcome.result = result_of(std::move(simulation.run({sample}, steps).at(0)), job.import.network,
                                   sample, dt, steps.steps);
    } catch (const InputError& error) {
        throw job.inputs.error(error);
    }
    outcome.sim_s = watch.lap();
    outcome.inputs = std::move(job.inputs.spikes);
    write_outcome(options, job.import.network, outcome, job.import.notes);
}

/// A SONATA simulation says what is fed and for how long, as far as the command line does not.
void apply_simulation(Options& options) {
    const bool may_be = std::filesystem::path(options.network).extension() == ".json";
    if (may_be && io::is_sonata_config(options.network)) {
        if (const auto simulation = io::read_sonata_simulation(options.network)) {
            if (options.duration.empty()) options.duration = shown(simulation->tstop) + "ms";
            if (options.inputs.empty()) {
                for (const auto& input : simulation->inputs) options.inputs.push_back(input.spikes.string());
            }
        }
    }
    if (options.duration.empty())
        throw UsageError("-d,--duration is required: the time to simulate, as in 300ms.");
}

void run(Options& options) {
    apply_simulation(options);
    if (options.reading.steps()) return run_stepped(options);
    if (options.mpi) options.ranks = mpi_communication();
    Communication& ranks = *options.ranks;
    const bool speaks = ranks.rank() == 0;
    if (!speaks) options.quiet = true;
    on_all(ranks, [&] {
        check_choices(options);
        if (options.checkpoints.wanted()) options.checkpoints.settle(options.out);
    });
    const bool goes_on = options.checkpoints.wanted() && options.checkpoints.go_on(ranks);

    Stopwatch watch;
    std::optional<Job> job;
    on_all(ranks, [&] { job.emplace(prepared(options, goes_on)); });
    std::optional<ExactSimulation> simulation;
    on_all(ranks, [&] { simulation.emplace(simulation_of(options, job->import.network)); });
    Outcome outcome;
    outcome.build_s = watch.lap();
    on_all(ranks, [&] { outcome.result = simulated(options, *job, *simulation); });
    outcome.sim_s = watch.lap();
    outcome.inputs = std::move(job->inputs.spikes);
    outcome.resumed_at = job->resumed_at;

    if (speaks) write_outcome(options, job->import.network, outcome, job->import.notes);
    if (outcome.result.interrupted) throw Interrupted{};
    if (speaks && options.checkpoints.wanted()) options.checkpoints.remove();
}

}  // namespace

void add_run(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("run", "simulate a network");
    verb->add_option("NETWORK", options->network, ".nir, .nir.json, or a SONATA configuration")->required();
    verb->add_option("-i,--input", options->inputs,
                     "spikes: SONATA .h5, .nirdata, .npz, .csv, or 40-bit AER .bin");
    verb->add_option("-d,--duration", options->duration,
                     "simulated time, as in 300ms; a SONATA simulation configuration says it, too");
    verb->add_option("-o,--out", options->out, "write what was recorded, SONATA .h5");
    verb->add_option("--record", options->record,
                     "spikes, potentials (after every step; of the exact clock every --dt), or none")
        ->delimiter(',');
    verb->add_option("--populations", options->populations, "record these only")->delimiter(',');
    verb->add_option("--until-first-spike-of", options->until_first_spike_of,
                     "end the run with the first spike of this population");
    verb->add_option("--threads", options->threads, "threads of the run, 1 to 1024 (1)");
    verb->add_flag("--mpi", options->mpi,
                   "one rank of the run that mpirun has started; rank 0 writes the output");
    options->checkpoints.add_to(*verb);
    verb->add_option("--seed", options->seed, "seed of what is drawn at random (nothing yet)");
    verb->add_option("--report", options->report, "write an HTML report");
    verb->add_flag("--json", options->json, "one JSON object on standard output");
    verb->add_flag("-q,--quiet", options->quiet, "no notes, no progress");
    options->reading.add_to(*verb);
    verb->footer("Example: saltus run net.nir -i spikes.h5 -d 300ms -o out.h5");
    verb->callback([options] { run(*options); });
}

}  // namespace saltus::cli
