#include "images.hpp"

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "labels.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/projection.hpp"
#include "saltus/io/idx.hpp"

namespace saltus::datasets {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view image_mark = "images-idx3-ubyte";
constexpr std::string_view label_mark = "labels-idx1-ubyte";

/// Prefix of a part's files: MNIST calls its test part after its size.
struct Part {
    std::string_view split;
    std::string_view prefix;
};
constexpr std::array<Part, 2> parts{{{"train", "train-"}, {"test", "t10k-"}}};

std::optional<fs::path> file_in(const fs::path& folder, std::string_view prefix) {
    const std::string name = std::string(prefix) + std::string(image_mark);
    for (const char* ending : {"", ".gz"}) {
        std::error_code error;
        if (fs::is_regular_file(folder / (name + ending), error)) return folder / (name + ending);
    }
    return std::nullopt;
}

struct Labelled {
    io::IdxArray images;
    io::IdxArray labels;
};

Labelled read_part(const fs::path& images_path) {
    std::string name = images_path.filename().string();
    name.replace(name.find(image_mark), image_mark.size(), label_mark);
    fs::path labels_path = images_path.parent_path() / name;
    // One of the two may be compressed alone.
    const fs::path other = labels_path.extension() == ".gz" ? fs::path(labels_path).replace_extension()
                                                            : fs::path(labels_path.string() + ".gz");
    std::error_code error;
    if (!fs::exists(labels_path, error) && fs::exists(other, error)) labels_path = other;
    Labelled part{io::read_idx(images_path), io::read_idx(labels_path)};
    if (part.images.shape.size() != 3) {
        throw FileError::unexpected(images_path.string(), "", "three dimensions: images, rows, columns",
                                    std::to_string(part.images.shape.size()));
    }
    if (part.images.shape[1] == 0 || part.images.shape[2] == 0) {
        throw FileError::unexpected(images_path.string(), "", "images of at least one pixel", "none");
    }
    if (part.labels.shape != Shape{part.images.shape[0]}) {
        throw FileError::unexpected(labels_path.string(), "",
                                    std::to_string(part.images.shape[0]) + " labels, one for each image",
                                    to_string(part.labels.shape));
    }
    return part;
}

}  // namespace

bool is_image_file(const fs::path& path) {
    return path.filename().string().find(image_mark) != std::string::npos;
}

bool is_image_folder(const fs::path& path) {
    return file_in(path, parts[0].prefix) || file_in(path, parts[1].prefix);
}

Dataset open_images(const fs::path& path, const std::string& split, const Encoding& encoding) {
    encoding.check();
    auto all = std::make_shared<Labelled>();
    bool any = false;
    const auto append = [&](const fs::path& file) {
        Labelled part = read_part(file);
        if (any &&
            (part.images.shape[1] != all->images.shape[1] || part.images.shape[2] != all->images.shape[2])) {
            throw FileError::unexpected(file.string(), "", "images as large as those of the other part",
                                        to_string(part.images.shape));
        }
        if (!any) {
            *all = std::move(part);
        } else {
            all->images.values.insert(all->images.values.end(), part.images.values.begin(),
                                      part.images.values.end());
            all->labels.values.insert(all->labels.values.end(), part.labels.values.begin(),
                                      part.labels.values.end());
        }
        any = true;
    };
    if (is_image_file(path)) {
        if (!split.empty()) {
            throw UsageError(path.string() + " has no part " + saltus::quoted(split) +
                             ": it is one part of a data set. Name the folder.");
        }
        append(path);
    } else {
        for (const Part& part : parts) {
            if (!split.empty() && part.split != split) continue;
            if (const auto file = file_in(path, part.prefix)) append(*file);
        }
        if (!any) {
            throw UsageError(path.string() + " has no part " + saltus::quoted(split) +
                             ": its files are not there.");
        }
    }

    Dataset dataset;
    dataset.name = "images";
    dataset.shape = {all->images.shape[1], all->images.shape[2]};
    dataset.size = all->labels.values.size();
    dataset.classes = numbered_classes({all->labels.values.begin(), all->labels.values.end()});
    const std::size_t pixels = std::size_t{dataset.shape[0]} * dataset.shape[1];
    dataset.sample = [all, pixels, encoding](std::uint64_t i) {
        check_index(i, all->labels.values.size());
        const std::span<const std::uint8_t> image(all->images.values.data() + i * pixels, pixels);
        return Sample{std::to_string(i), encode(image, encoding), all->labels.values[i]};
    };
    return dataset;
}

}  // namespace saltus::datasets
