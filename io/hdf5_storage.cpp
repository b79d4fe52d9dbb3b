// Whether what a dataset declares and what is stored agree: looked at before anything is read.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "hdf5_call.hpp"

namespace saltus::io::hdf5 {

namespace {

/// gzip cannot shrink by more than this factor (deflate: 258 bytes in two bits), so nobody can declare more.
constexpr std::uint64_t largest_compression = 1040;
constexpr std::uint64_t smallest_chunk_limit = 1u << 20;

std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    return b != 0 && a > most / b ? most : a * b;
}

/// How a chunked dataset is cut.
struct Chunks {
    Chunks(hid_t properties, const std::vector<std::uint64_t>& extent, std::uint64_t element)
        : shape(extent.size()), bytes(element) {
        H5Pget_chunk(properties, static_cast<int>(shape.size()), shape.data());
        for (std::size_t k = 0; k < shape.size(); ++k) {
            const std::uint64_t n = std::max<std::uint64_t>(shape[k], 1);
            bytes = saturating_product(bytes, n);
            count = saturating_product(count, extent[k] / n + (extent[k] % n != 0 ? 1 : 0));
        }
    }

    std::vector<hsize_t> shape;
    std::uint64_t bytes;      // of one chunk, not compressed
    std::uint64_t count = 1;  // that cover the extent
};

/// Bytes to which zlib data expand; `most` + 1 for more than that, none for data that are damaged or cut.
std::optional<std::uint64_t> expanded_size(const std::string& data, std::uint64_t most) {
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) return std::nullopt;
    std::array<Bytef, 1u << 15> out{};
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));  // zlib does not write there
    stream.avail_in = static_cast<uInt>(data.size());
    std::uint64_t size = 0;
    int status = Z_OK;
    while (status == Z_OK && size <= most) {
        stream.next_out = out.data();
        stream.avail_out = static_cast<uInt>(out.size());
        status = inflate(&stream, Z_NO_FLUSH);
        size += out.size() - stream.avail_out;
    }
    inflateEnd(&stream);
    if (size > most) return most + 1;
    return status == Z_STREAM_END ? std::optional(size) : std::nullopt;
}

/// The filters of a dataset, as far as they decide how many bytes a stored chunk stands for.
struct Filters {
    explicit Filters(hid_t properties) {
        for (int k = 0; k < H5Pget_nfilters(properties); ++k) {
            unsigned flags = 0;
            std::size_t none = 0;
            const H5Z_filter_t filter = H5Pget_filter2(properties, static_cast<unsigned>(k), &flags, &none,
                                                       nullptr, 0, nullptr, nullptr);
            if (filter == H5Z_FILTER_DEFLATE) {
                deflate = 1u << k;
            } else if (filter == H5Z_FILTER_FLETCHER32) {
                checksum = 1u << k;
            } else if (filter != H5Z_FILTER_SHUFFLE) {
                known = false;
            }
        }
    }

    /// Bytes of one stored chunk once expanded; none where it is damaged.
    [[nodiscard]] std::optional<std::uint64_t> size_of(std::string chunk, unsigned skipped,
                                                       std::uint64_t most) const {
        if ((checksum & ~skipped) != 0) {
            if (chunk.size() < 4) return std::nullopt;
            chunk.resize(chunk.size() - 4);
        }
        if ((deflate & ~skipped) != 0) return expanded_size(chunk, most);
        return chunk.size();
    }

    unsigned deflate = 0;  // bits of the filter mask
    unsigned checksum = 0;
    bool known = true;
};

/// The references of one compressed chunk, expanded by the library in a file that exists only in memory. Bit
/// k of `skipped`: filter k was not applied.
std::optional<std::string> expanded(const std::string& chunk, std::uint32_t skipped, hid_t properties,
                                    const std::vector<hsize_t>& shape, std::size_t reference_size) {
    const Handle in_memory(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_fapl_core(in_memory.id(), 1u << 16, false);
    const Handle file(H5Fcreate("references", H5F_ACC_TRUNC, H5P_DEFAULT, in_memory.id()));
    const Handle filters(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_chunk(filters.id(), static_cast<int>(shape.size()), shape.data());
    for (int k = 0; k < H5Pget_nfilters(properties); ++k) {
        if ((skipped >> k & 1u) != 0) continue;
        unsigned flags = 0;
        std::array<unsigned, 16> values{};
        std::size_t n = values.size();
        const H5Z_filter_t filter = H5Pget_filter2(properties, static_cast<unsigned>(k), &flags, &n,
                                                   values.data(), 0, nullptr, nullptr);
        if (n > values.size() || H5Pset_filter(filters.id(), filter, flags, n, values.data()) < 0) {
            return std::nullopt;
        }
    }
    const Handle type(H5Tcreate(H5T_OPAQUE, reference_size));
    const Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
    const Handle copy(
        H5Dcreate2(file.id(), "chunk", type.id(), space.id(), H5P_DEFAULT, filters.id(), H5P_DEFAULT));
    const std::vector<hsize_t> origin(shape.size(), 0);
    std::size_t count = reference_size;
    for (const hsize_t n : shape) count *= n;
    std::string references(count, '\0');
    if (!copy || H5Dwrite_chunk(copy.id(), H5P_DEFAULT, 0, origin.data(), chunk.size(), chunk.data()) < 0 ||
        H5Dread(copy.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, references.data()) < 0) {
        return std::nullopt;
    }
    return references;
}

}  // namespace

void Dataset::check_storage(hid_t properties) const {
    if (H5Pget_external_count(properties) > 0) {
        throw error("stores its data in another file, which is not read.");
    }
    const H5D_layout_t layout = H5Pget_layout(properties);
    if (layout == H5D_VIRTUAL) {
        throw error("is a virtual dataset, which takes its data from other files. It is not read.");
    }
    if (size_ == 0) return;

    const Handle file(H5Iget_file_id(id()));
    const Handle creation(quietly([&] { return H5Fget_create_plist(file.id()); }));
    std::size_t address_width = 0;
    std::size_t length_width = 0;
    if (H5Pget_sizes(creation.id(), &address_width, &length_width) < 0) throw error("is malformed.");
    HeapCheck heap(origin_->raw, address_width, length_width);

    const std::uint64_t element = is_variable() ? heap.reference_size() : element_size_;
    const std::uint64_t declared = saturating_product(size_, element);
    const std::uint64_t stored = quietly([&] { return H5Dget_storage_size(id()); });
    const bool is_filtered = H5Pget_nfilters(properties) > 0;
    const std::uint64_t most = saturating_product(stored, is_filtered ? largest_compression : 1);
    if (declared > most) {
        throw error("declares " + std::to_string(size_) + " elements (" + human_bytes(declared) + "), but " +
                    human_bytes(stored) + " are stored.");
    }
    if (stored > origin_->raw.size()) {
        throw error("claims " + human_bytes(stored) + " of a file of " + human_bytes(origin_->raw.size()) +
                    ".");
    }
    if (layout == H5D_CHUNKED) {
        const Chunks chunks(properties, shape_, element);
        if (chunks.bytes > std::max(most, smallest_chunk_limit)) {
            throw error("has chunks of " + human_bytes(chunks.bytes) + ", but " + human_bytes(stored) +
                        " are stored.");
        }
        // The library expands a chunk to its end, even if that is beyond the size of a chunk.
        if (stored > saturating_product(chunks.count, chunks.bytes + chunks.bytes / 50 + 64)) {
            throw error("has more data stored (" + human_bytes(stored) + ") than its shape " +
                        to_string(shape_) + " can hold.");
        }
    }
    if (is_variable()) check_references(properties, heap);
}

void Dataset::check_references(hid_t properties, HeapCheck& heap) const {
    std::size_t element = 1;
    if (value_class_ == ValueClass::rows) {
        const Handle base(quietly([&] { return H5Tget_super(type_.id()); }));
        if (!base || H5Tdetect_class(base.id(), H5T_VLEN) > 0 || H5Tdetect_class(base.id(), H5T_STRING) > 0) {
            throw error("holds rows of values that themselves have a variable length. They are not read.");
        }
        element = H5Tget_size(base.id());
    }
    const auto check = [&](const std::optional<std::string>& references) {
        if (!references || !heap.agrees(*references, element)) {
            throw error("is malformed: the lengths of its values do not agree with what is stored.");
        }
    };
    const H5D_layout_t layout = H5Pget_layout(properties);
    if (layout == H5D_CONTIGUOUS) {
        const haddr_t offset = quietly([&] { return H5Dget_offset(id()); });
        check(origin_->raw.bytes(offset, size_ * heap.reference_size()));
        return;
    }
    if (layout != H5D_CHUNKED) throw error("variable-length data in the object's header are not read.");

    const Chunks chunks(properties, shape_, heap.reference_size());
    const bool is_filtered = H5Pget_nfilters(properties) > 0;
    for_each_chunk([&](const std::optional<std::string>& chunk, unsigned skipped) {
        check(chunk && is_filtered ? quietly([&] {
            return expanded(*chunk, skipped, properties, chunks.shape, heap.reference_size());
        })
                                   : chunk);
    });
}

void Dataset::check_chunks() const {
    const Handle properties(quietly([&] { return H5Dget_create_plist(id()); }));
    if (!properties) throw error("is malformed: " + last_failure() + ".");
    if (size_ == 0 || H5Pget_layout(properties.id()) != H5D_CHUNKED) return;
    const Filters filters(properties.id());
    if (!filters.known) return;
    const Chunks chunks(properties.id(), shape_, element_size_);
    for_each_chunk([&](const std::optional<std::string>& chunk, unsigned skipped) {
        if (!chunk || filters.size_of(*chunk, skipped, chunks.bytes) != chunks.bytes) {
            throw error("is damaged: a chunk does not expand to the " + human_bytes(chunks.bytes) +
                        " that its shape needs.");
        }
    });
}

void Dataset::for_each_chunk(
    const std::function<void(const std::optional<std::string>&, unsigned)>& f) const {
    hsize_t stored_chunks = 0;
    if (quietly([&] { return H5Dget_num_chunks(id(), space_.id(), &stored_chunks); }) < 0) {
        throw error("is malformed: " + last_failure() + ".");
    }
    for (hsize_t k = 0; k < stored_chunks; ++k) {
        std::vector<hsize_t> start(shape_.size());
        unsigned skipped = 0;
        haddr_t address = 0;
        hsize_t bytes = 0;
        if (quietly([&] {
                return H5Dget_chunk_info(id(), space_.id(), k, start.data(), &skipped, &address, &bytes);
            }) < 0) {
            throw error("is malformed: " + last_failure() + ".");
        }
        f(origin_->raw.bytes(address, bytes), skipped);
    }
}

}  // namespace saltus::io::hdf5
