// saltus VERB ...: one sub-command per verb.
//
// Exit codes: 0 done; 1 the run failed; 2 the command line is wrong; 3 an input file is wrong; 4 what is
// asked is not possible; 130 interrupted, what was recorded until then is kept.
#include <array>
#include <exception>
#include <iostream>
#include <new>

#include "commands.hpp"
#include "console.hpp"
#include "saltus/engine/errors.hpp"

namespace {

enum ExitCode {
    done = 0,
    failed = 1,
    wrong_usage = 2,
    wrong_file = 3,
    not_possible = 4,
    was_interrupted = 130
};

struct Planned {
    const char* verb;
    const char* what;
};
constexpr std::array<Planned, 4> planned{{{"export", "export to hardware toolchains"},
                                          {"quantize", "quantise a network"},
                                          {"sweep", "batch runs on a cluster"},
                                          {"bench", "benchmarks"}}};

/// Verbs of the design that are not built: known, so that they are refused by name.
void add_planned(CLI::App& app) {
    for (const Planned& plan : planned) {
        CLI::App* verb = app.add_subcommand(plan.verb, std::string(plan.what) + " (not built yet)");
        verb->allow_extras();
        const std::string name = plan.verb;
        verb->callback([name] { throw saltus::LimitError("saltus " + name + " is not built yet."); });
    }
}

int report(const char* text, ExitCode code) {
    std::cerr << "saltus: " << text << "\n";
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Event-driven simulator and trainer for spiking neural networks", "saltus");
    app.set_version_flag("--version", SALTUS_VERSION);
    app.require_subcommand(1);
    saltus::cli::add_run(app);
    saltus::cli::add_inspect(app);
    saltus::cli::add_convert(app);
    saltus::cli::add_evaluate(app);
    saltus::cli::add_compare(app);
    saltus::cli::add_train(app);
    add_planned(app);

    saltus::cli::catch_interrupt();
    try {
        app.parse(argc, argv);
        return done;
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? done : wrong_usage;
    } catch (const saltus::cli::Interrupted&) {
        return was_interrupted;
    } catch (const saltus::cli::FailedElsewhere&) {
        return done;
    } catch (const saltus::FileError& error) {
        return report(error.what(), wrong_file);
    } catch (const saltus::UsageError& error) {
        return report(error.what(), wrong_usage);
    } catch (const saltus::LimitError& error) {
        return report(error.what(), not_possible);
    } catch (const saltus::NetworkError& error) {
        return report(error.what(), not_possible);
    } catch (const std::bad_alloc&) {
        return report("out of memory.", failed);
    } catch (const std::exception& error) {
        return report(error.what(), failed);
    }
}
