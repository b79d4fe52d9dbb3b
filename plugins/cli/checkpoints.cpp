#include "checkpoints.hpp"

#include <chrono>
#include <filesystem>
#include <memory>

#include "console.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/checkpoint.hpp"

namespace saltus::cli {

namespace fs = std::filesystem;

void Checkpoints::add_to(CLI::App& app) {
    app.add_option(
        "--checkpoint", path_,
        "file from which the run can go on if it is ended (default: OUT with .checkpoint.h5); removed "
        "when the run is done");
    app.add_option("--checkpoint-every", every_,
                   "how often it is written, in wall-clock time, as in 10s or 5min (default: 60s, with "
                   "--checkpoint or --resume); Ctrl-C writes it too");
    app.add_flag("--resume", resume_, "go on from the checkpoint if it is there, else begin at 0");
}

void Checkpoints::settle(const std::string& out) {
    if (path_.empty()) {
        if (out.empty()) {
            throw UsageError(
                "--checkpoint: expected the name of a file, as there is no --out to name it after.");
        }
        path_ = fs::path(out).replace_extension(".checkpoint.h5").string();
    }
    if (!out.empty() && fs::path(path_).lexically_normal() == fs::path(out).lexically_normal()) {
        throw UsageError("--checkpoint: expected another file than --out, found " + quoted(path_) +
                         " for both.");
    }
    if (every_.empty()) every_ = "60s";
    if (parse_duration(every_) <= Duration()) {
        throw UsageError("--checkpoint-every: expected > 0, found " + every_ + ".");
    }
}

bool Checkpoints::go_on(Communication& ranks) const {
    std::error_code unreadable;  // is told when it is read
    const bool missing = ranks.rank() == 0 && resume_ && !fs::exists(path_, unreadable) && !unreadable;
    return ranks.smallest(missing ? 0 : 1) == 1 && resume_;
}

std::optional<Time> Checkpoints::apply(SimulationOptions& run, bool goes_on,
                                       std::vector<std::string>& notes) const {
    const std::chrono::duration<double> every(parse_duration(every_).seconds());
    io::write_checkpoints(run, path_, every, interrupted);
    if (!goes_on) {
        if (resume_) notes.push_back("no checkpoint " + path_ + " to go on from: the run begins at 0.");
        return std::nullopt;
    }
    run.resume_from = std::make_shared<const Snapshot>(io::read_checkpoint(path_));
    const Time begin = run.resume_from->time;
    notes.push_back("the run goes on from " + path_ + " at " + to_string(begin.since_start()) + ".");
    return begin;
}

void Checkpoints::remove() const {
    fs::remove(path_);
}

}  // namespace saltus::cli
