// What may stand in a `.nir` file at the level of HDF5: number types, strings, storage, links.
#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <functional>

#include "hdf5_fixture.hpp"
#include "nir_fixture.hpp"
#include "saltus/engine/errors.hpp"
#include "temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io;
using saltus::test::contains;
using saltus::test::Hid;
using saltus::test::TemporaryFolder;

namespace {

constexpr const char* tau = "/node/nodes/lif/tau";

/// input -> lif -> output in a file that each test changes through the C API.
class Chain {
  public:
    Chain() { write_nir(test::lif_chain(), path()); }

    [[nodiscard]] std::filesystem::path path() const { return folder_ / "chain.nir"; }
    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }

    void edit(const std::function<void(hid_t)>& change) const {
        const Hid file(H5Fopen(path().c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
        change(file);
    }
    void remove(const char* object) const {
        edit([&](hid_t file) { H5Ldelete(file, object, H5P_DEFAULT); });
    }
    /// Puts a dataset in the place of what is there.
    void put(const char* object, hid_t file_type, hid_t memory_type, const std::vector<hsize_t>& shape,
             const void* data, hid_t storage = H5P_DEFAULT) const {
        edit([&](hid_t file) {
            if (H5Lexists(file, object, H5P_DEFAULT) > 0) H5Ldelete(file, object, H5P_DEFAULT);
            const Hid space(shape.empty()
                                ? H5Screate(H5S_SCALAR)
                                : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
            const Hid made(H5Dcreate2(file, object, file_type, space, H5P_DEFAULT, storage, H5P_DEFAULT));
            if (data != nullptr) H5Dwrite(made, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
        });
    }

    [[nodiscard]] NirDocument read() const { return read_nir(path()); }
    [[nodiscard]] std::string refusal() const {
        return test::message_of<FileError>([&] { static_cast<void>(read()); });
    }
    [[nodiscard]] NirArray array(const char* field) const {
        const NirDocument document = read();
        return *document.root.graph->find("lif")->array(field);
    }

  private:
    TemporaryFolder folder_;
};

hid_t float16() {
    const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, 15);
    return type;
}

hid_t fixed_string(std::size_t size, H5T_str_t padding, H5T_cset_t characters) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_strpad(type, padding);
    H5Tset_cset(type, characters);
    return type;
}

}  // namespace

TEST_SUITE("io/nir types") {
    TEST_CASE("float16 becomes float32, exactly") {
        const Chain chain;
        const std::array<std::uint16_t, 3> halves{0x3c00, 0x2e66, 0x0001};  // 1, 0.0999755859375, 2^-24
        const Hid type(float16());
        chain.put(tau, type, type, {3}, halves.data());
        CHECK(chain.array("tau").type == NirType::float32);
        CHECK(chain.array("tau").reals() == std::vector<double>{1.0, 0.0999755859375, 0x1p-24});
    }

    TEST_CASE("big-endian numbers are the same numbers") {
        const Chain chain;
        const std::vector<double> values{0.1, 1e-300, 3.0};
        chain.put(tau, H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, {3}, values.data());
        CHECK(chain.array("tau") == NirArray::of(values, {3}));
    }

    TEST_CASE("integers keep their value: int32 and uint8 as they are, others as int64") {
        const Chain chain;
        const std::array<std::int64_t, 3> values{1, 100, 127};
        const auto type_of = [&](hid_t file_type) {
            chain.put(tau, file_type, H5T_NATIVE_INT64, {3}, values.data());
            CHECK(chain.array("tau").reals() == std::vector<double>{1, 100, 127});
            return chain.array("tau").type;
        };
        CHECK(type_of(H5T_STD_I8LE) == NirType::int64);
        CHECK(type_of(H5T_STD_U8LE) == NirType::uint8);
        CHECK(type_of(H5T_STD_I16BE) == NirType::int64);
        CHECK(type_of(H5T_STD_I32BE) == NirType::int32);
        CHECK(type_of(H5T_STD_U32LE) == NirType::int64);
        CHECK(type_of(H5T_STD_I64LE) == NirType::int64);
        CHECK(type_of(H5T_STD_U64LE) == NirType::int64);
    }

    TEST_CASE("an unsigned integer beyond int64 is refused") {
        const Chain chain;
        const std::array<std::uint64_t, 3> values{1, std::uint64_t{1} << 63, 1};
        chain.put(tau, H5T_STD_U64LE, H5T_NATIVE_UINT64, {3}, values.data());
        const std::string text = chain.refusal();
        CAPTURE(text);
        CHECK(contains(text, "node 'lif', field 'tau'"));
        CHECK(contains(text, "out of range"));
    }

    TEST_CASE("h5py's bool is kept as boolean and written as such") {
        const Chain chain;
        const Hid type(H5Tenum_create(H5T_STD_I8LE));
        const std::array<std::int8_t, 2> values{0, 1};
        H5Tenum_insert(type, "FALSE", &values[0]);
        H5Tenum_insert(type, "TRUE", &values[1]);
        chain.edit([](hid_t file) {
            Hid(H5Gcreate2(file, "/node/metadata", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        });
        chain.put("/node/metadata/flags", type, type, {2}, values.data());
        const NirArray expected{NirType::boolean, {2}, {std::byte{0}, std::byte{1}}};
        NirDocument document = chain.read();
        CHECK(std::get<NirArray>(*document.root.metadata.find("flags")) == expected);
        write_nir(document, chain.path());
        CHECK(std::get<NirArray>(*chain.read().root.metadata.find("flags")) == expected);
    }

    TEST_CASE("a type that no number is, where a number is due, is refused") {
        const Chain chain;
        const Hid type(H5Tcreate(H5T_OPAQUE, 4));
        const std::array<std::uint32_t, 3> values{};
        chain.put(tau, type, type, {3}, values.data());
        CHECK(contains(chain.refusal(), "node 'lif', field 'tau': is of type"));
    }
}

TEST_SUITE("io/nir strings") {
    TEST_CASE("fixed strings are read without their padding, ASCII or UTF-8") {
        const Chain chain;
        for (const H5T_cset_t characters : {H5T_CSET_ASCII, H5T_CSET_UTF8}) {
            const Hid spaces(fixed_string(6, H5T_STR_SPACEPAD, characters));
            chain.put("/node/nodes/lif/type", spaces, spaces, {}, "LIF   ");
            CHECK(chain.read().root == test::lif_chain().root);
            const Hid zeros(fixed_string(6, H5T_STR_NULLPAD, characters));
            chain.put("/node/nodes/lif/type", zeros, zeros, {}, "LIF\0\0\0");
            CHECK(chain.read().root == test::lif_chain().root);
            chain.put("/node/edges", zeros, zeros, {2, 2}, "input\0lif\0\0\0lif\0\0\0output");
            CHECK(chain.read().root == test::lif_chain().root);
        }
    }

    TEST_CASE("compressed edges are read, whether their strings are fixed or variable") {
        const Chain chain;
        const Hid storage(H5Pcreate(H5P_DATASET_CREATE));
        const std::array<hsize_t, 2> chunk{2, 2};
        H5Pset_chunk(storage, 2, chunk.data());
        H5Pset_shuffle(storage);
        H5Pset_deflate(storage, 9);
        const Hid fixed(fixed_string(6, H5T_STR_NULLPAD, H5T_CSET_UTF8));
        chain.put("/node/edges", fixed, fixed, {2, 2}, "input\0lif\0\0\0lif\0\0\0output", storage);
        CHECK(chain.read().root == test::lif_chain().root);
        const Hid variable(fixed_string(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8));
        const std::array<const char*, 4> names{"input", "lif", "lif", "output"};
        chain.put("/node/edges", variable, variable, {2, 2}, names.data(), storage);
        CHECK(chain.read().root == test::lif_chain().root);
    }

    TEST_CASE("broken UTF-8 is refused, overlong forms and surrogates among it") {
        const Chain chain;
        for (const char* text : {"LI\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "LIF\xc3"}) {
            const Hid type(fixed_string(8, H5T_STR_NULLPAD, H5T_CSET_UTF8));
            std::array<char, 8> bytes{};
            std::memcpy(bytes.data(), text, std::strlen(text));
            chain.put("/node/nodes/lif/type", type, type, {}, bytes.data());
            const std::string refusal = chain.refusal();
            CAPTURE(refusal);
            CHECK(contains(refusal, "node 'lif', field 'type': expected UTF-8"));
        }
    }

    TEST_CASE("a string whose reference promises more or less than the heap holds is refused") {
        // The library would ask for memory by the one length and fill it by the other.
        const Chain chain;
        std::ifstream in(chain.path(), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(in)), {});
        in.close();
        const Hid file(H5Fopen(chain.path().c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
        const Hid edges(H5Dopen2(file, "/node/edges", H5P_DEFAULT));
        const auto reference = static_cast<std::size_t>(H5Dget_offset(edges));
        REQUIRE(bytes[reference] == 5);  // "input"
        for (const char length : {'\x04', '\x06', '\x7f', '\xff'}) {
            std::string changed = bytes;
            changed[reference] = length;
            if (length == '\xff') changed[reference + 3] = '\x7f';  // two gigabytes
            test::write_bytes(chain.folder() / "changed.nir", changed);
            const std::string text = test::message_of<FileError>(
                [&] { static_cast<void>(read_nir(chain.folder() / "changed.nir")); });
            CAPTURE(text);
            CHECK(contains(text, "field 'edges'"));
            CHECK(contains(text, "malformed"));
        }
    }
}

TEST_SUITE("io/nir layout") {
    TEST_CASE("a file of the form before 0.1, and an HDF5 file of something else, are told apart") {
        const Chain chain;
        chain.remove("/node");
        CHECK(contains(chain.refusal(), "expected a group '/node'"));
        chain.edit(
            [](hid_t file) { Hid(H5Gcreate2(file, "/nodes", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); });
        CHECK(contains(chain.refusal(), "before 0.1"));
    }

    TEST_CASE("what a node lacks is named") {
        const auto without = [](const char* object) {
            const Chain chain;
            chain.remove(object);
            return chain.refusal();
        };
        CHECK(contains(without("/node/nodes/lif/type"), "node 'lif': has no 'type'"));
        CHECK(contains(without("/node/edges"), "field 'edges': is missing"));
        CHECK(contains(without("/node/nodes"), "field 'nodes': is missing"));
    }

    TEST_CASE("edges that are no pairs of names are refused") {
        const Chain chain;
        const std::array<std::int64_t, 4> numbers{0, 1, 1, 2};
        chain.put("/node/edges", H5T_STD_I64LE, H5T_NATIVE_INT64, {2, 2}, numbers.data());
        CHECK(contains(chain.refusal(), "expected pairs of node names"));
        const Hid type(fixed_string(6, H5T_STR_NULLPAD, H5T_CSET_UTF8));
        chain.put("/node/edges", type, type, {3}, "input\0lif\0\0\0output");
        CHECK(contains(chain.refusal(), "found string [3]"));
    }

    TEST_CASE("unknown fields are noted, groups and lists of strings among them are left out") {
        const Chain chain;
        const double value = 1.0;
        const Hid text(fixed_string(2, H5T_STR_NULLPAD, H5T_CSET_UTF8));
        chain.put("/node/nodes/lif/colour", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {1}, &value);
        chain.put("/node/nodes/lif/labels", text, text, {2}, "a\0b\0");
        chain.edit([](hid_t file) {
            Hid(H5Gcreate2(file, "/node/nodes/lif/more", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        });
        const NirDocument document = chain.read();
        for (const char* field : {"colour", "labels", "more"}) {
            CAPTURE(field);
            CHECK(std::any_of(document.notes.begin(), document.notes.end(), [&](const std::string& note) {
                return contains(note, "node 'lif', field '" + std::string(field) + "'");
            }));
        }
        CHECK(document.root.graph->find("lif")->fields.find("labels") == nullptr);
        CHECK(document.root.graph->find("lif")->fields.find("more") == nullptr);
    }

    TEST_CASE("a group where a field is due is refused") {
        const Chain chain;
        chain.remove(tau);
        chain.edit([](hid_t file) { Hid(H5Gcreate2(file, tau, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); });
        CHECK(contains(chain.refusal(), "node 'lif', field 'tau': expected a dataset, found a group"));
    }

    TEST_CASE("graphs and metadata nested without end are refused") {
        const auto deep = [](const std::string& first, const std::string& step) {
            const Chain chain;
            chain.edit([&](hid_t file) {
                std::string path = first;
                for (int level = 0; level < 100; ++level, path += step) {
                    Hid(H5Gcreate2(file, path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
                }
            });
            return chain.refusal();
        };
        CHECK(contains(deep("/node/metadata", "/m"), "nested deeper than"));

        NirDocument document = test::lif_chain();
        for (int level = 0; level < 100; ++level) {
            NirDocument outer = test::lif_chain();
            outer.root.graph->nodes[1].second = document.root;
            document = outer;
        }
        const TemporaryFolder folder;
        write_nir(document, folder / "deep.nir");
        const std::string text =
            test::message_of<FileError>([&] { static_cast<void>(read_nir(folder / "deep.nir")); });
        CAPTURE(text);
        CHECK(contains(text, "graphs are nested deeper than"));
    }
}

TEST_SUITE("io/nir storage") {
    TEST_CASE("an object that two hard links reach is refused") {
        const Chain chain;
        chain.remove(tau);
        chain.edit([](hid_t file) {
            H5Lcreate_hard(file, "/node/nodes/lif/r", file, tau, H5P_DEFAULT, H5P_DEFAULT);
        });
        const std::string text = chain.refusal();
        CAPTURE(text);
        CHECK(contains(text, "is the same object as"));
        CHECK(contains(text, "node 'lif'"));
    }

    TEST_CASE("data outside of the file is never read: external storage, virtual datasets, links") {
        const Chain chain;
        test::write_bytes(chain.folder() / "secret", std::string(24, 'x'));
        const Hid external(H5Pcreate(H5P_DATASET_CREATE));
        H5Pset_external(external, (chain.folder() / "secret").c_str(), 0, 24);
        chain.put(tau, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {3}, nullptr, external);
        CHECK(contains(chain.refusal(), "node 'lif', field 'tau': stores its data in another file"));

        const Hid virtual_data(H5Pcreate(H5P_DATASET_CREATE));
        const hsize_t n = 3;
        const Hid space(H5Screate_simple(1, &n, nullptr));
        H5Pset_virtual(virtual_data, space, "other.nir", "/node/nodes/lif/r", space);
        chain.put(tau, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {3}, nullptr, virtual_data);
        CHECK(contains(chain.refusal(), "node 'lif', field 'tau': is a virtual dataset"));

        chain.remove(tau);
        chain.edit(
            [](hid_t file) { H5Lcreate_soft("/node/nodes/lif/r", file, tau, H5P_DEFAULT, H5P_DEFAULT); });
        CHECK(contains(chain.refusal(), "node 'lif', field 'tau': is a soft link"));
        chain.remove("/node");
        chain.edit([](hid_t file) {
            H5Lcreate_external("other.nir", "/node", file, "/node", H5P_DEFAULT, H5P_DEFAULT);
        });
        CHECK(contains(chain.refusal(), "the graph: is a link to another file"));
    }

    TEST_CASE("an array whose chunks were never stored is refused before memory is asked for") {
        const Chain chain;
        const Hid storage(H5Pcreate(H5P_DATASET_CREATE));
        const hsize_t chunk = 1u << 20;
        H5Pset_chunk(storage, 1, &chunk);
        H5Pset_deflate(storage, 9);
        chain.put(tau, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {hsize_t{1} << 40}, nullptr, storage);
        CHECK(contains(chain.refusal(), "node 'lif', field 'tau': declares 1099511627776 elements"));
    }

    TEST_CASE("a small array in a huge chunk is refused") {
        const Chain chain;
        const Hid storage(H5Pcreate(H5P_DATASET_CREATE));
        const hsize_t chunk = hsize_t{1} << 28;
        const hsize_t most = H5S_UNLIMITED;
        H5Pset_chunk(storage, 1, &chunk);
        H5Pset_deflate(storage, 9);
        chain.remove(tau);
        chain.edit([&](hid_t file) {
            const hsize_t n = 3;
            const Hid space(H5Screate_simple(1, &n, &most));
            const Hid made(H5Dcreate2(file, tau, H5T_IEEE_F64LE, space, H5P_DEFAULT, storage, H5P_DEFAULT));
            const hsize_t origin = 0;
            const std::string piece(1000, 'x');
            H5Dwrite_chunk(made, H5P_DEFAULT, 0, &origin, piece.size(), piece.data());
        });
        CHECK(contains(chain.refusal(), "node 'lif', field 'tau': has chunks of 2.1 GB"));
    }

    TEST_CASE("a compressed array that no rule gives a shape is bounded") {
        const Chain chain;
        const Hid storage(H5Pcreate(H5P_DATASET_CREATE));
        const hsize_t chunk = 1u << 20;
        H5Pset_chunk(storage, 1, &chunk);
        H5Pset_deflate(storage, 9);
        const std::vector<std::uint8_t> zeros(std::size_t{1} << 24);
        chain.put("/node/nodes/lif/extra", H5T_STD_U8LE, H5T_NATIVE_UINT8, {zeros.size()}, zeros.data(),
                  storage);
        CHECK(contains(chain.refusal(),
                       "node 'lif', field 'extra': declares 16777216 elements, more than the limit"));
    }

    TEST_CASE("damaged compressed data are refused, not read as numbers") {
        const Chain chain;
        const Hid storage(H5Pcreate(H5P_DATASET_CREATE));
        const hsize_t chunk = 3;
        H5Pset_chunk(storage, 1, &chunk);
        H5Pset_deflate(storage, 9);
        chain.put(tau, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {3}, nullptr, storage);
        chain.edit([](hid_t file) {
            const Hid dataset(H5Dopen2(file, tau, H5P_DEFAULT));
            const hsize_t origin = 0;
            H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &origin, 24, "this is no deflate data.");
        });
        CHECK(contains(chain.refusal(), "node 'lif', field 'tau': is damaged: a chunk does not expand"));
    }

    TEST_CASE("a chunk that expands to less than its size is refused before the library reads beyond it") {
        const Chain chain;
        const Hid storage(H5Pcreate(H5P_DATASET_CREATE));
        const hsize_t chunk = 3;
        H5Pset_chunk(storage, 1, &chunk);
        H5Pset_deflate(storage, 6);
        const std::array<double, 3> values{0.01, 0.02, 0.03};
        chain.put(tau, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {3}, values.data(), storage);
        CHECK(chain.array("tau").reals() == std::vector<double>{0.01, 0.02, 0.03});
        // A whole zlib stream (RFC 1950) of no bytes at all, padded to what the size check lets pass.
        std::array<unsigned char, 24> nothing{0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01};
        chain.edit([&](hid_t file) {
            const Hid dataset(H5Dopen2(file, tau, H5P_DEFAULT));
            const hsize_t origin = 0;
            REQUIRE(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &origin, nothing.size(), nothing.data()) >= 0);
        });
        CHECK(contains(chain.refusal(), "node 'lif', field 'tau': is damaged: a chunk does not expand to"));
    }
    TEST_CASE("nodes come in the order of creation where the file tracks it, else by name") {
        const Chain chain;
        CHECK(test::names_of(*chain.read().root.graph) == std::vector<std::string>{"input", "lif", "output"});
        NirDocument document = test::lif_chain();
        document.root.graph->nodes[0].first = "z";
        document.root.graph->edges[0].first = "z";
        write_nir(document, chain.path());
        CHECK(test::names_of(*chain.read().root.graph) == std::vector<std::string>{"z", "lif", "output"});
        CHECK(test::names_of(*read_nir(test::nir_file("package/cycle_with_delay.nir")).root.graph) ==
              std::vector<std::string>{"d", "input", "lif", "output", "w"});
    }
}
