// What another project does first: reads and writes a file with saltus::io, and meets an error of
// saltus::engine.
#include <saltus/engine/errors.hpp>
#include <saltus/engine/time.hpp>
#include <saltus/io/nir.hpp>
#include <saltus/io/spikes.hpp>

#include <iostream>

int main() {
    const saltus::Time fired(saltus::parse_duration("1.5ms"));
    saltus::io::write_spikes("consumer.h5", {{"lif", {{fired}, {7}}}});
    const auto populations = saltus::io::read_spikes("consumer.h5");
    if (populations.size() != 1 || populations[0].spikes != saltus::SpikeTrain{{fired}, {7}}) {
        std::cerr << "the spike written is not the spike read\n";
        return 1;
    }
    try {
        (void)saltus::io::read_nir("no_such_file.nir");
    } catch (const saltus::FileError& error) {
        std::cout << error.what() << '\n';
        return 0;
    }
    std::cerr << "a file that does not exist was read\n";
    return 1;
}
