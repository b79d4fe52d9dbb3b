// Reading the values of datasets.
#include <algorithm>
#include <limits>
#include <memory_resource>
#include <new>

#include "hdf5_call.hpp"
#include "hdf5_opened.hpp"
#include "hdf5_types.hpp"

namespace saltus::io::hdf5 {

namespace {

/// Aborts a conversion whose result would be cut to the range of its type; rounding is fine.
H5T_conv_ret_t refuse_range(H5T_conv_except_t what, hid_t, hid_t, void*, void*, void*) {
    return what == H5T_CONV_EXCEPT_RANGE_HI || what == H5T_CONV_EXCEPT_RANGE_LOW ? H5T_CONV_ABORT
                                                                                 : H5T_CONV_UNHANDLED;
}

/// Transfer properties under which variable-length data may take no more than a given number of bytes. The
/// data live as long as this object, whether the call that asked for them succeeded or failed halfway.
class VariableData {
  public:
    explicit VariableData(std::uint64_t limit) : left_(limit), properties_(H5Pcreate(H5P_DATASET_XFER)) {
        H5Pset_vlen_mem_manager(
            properties_.id(), allocate, this, [](void*, void*) {}, nullptr);
        H5Pset_type_conv_cb(properties_.id(), refuse_range, nullptr);
    }
    VariableData(const VariableData&) = delete;
    VariableData& operator=(const VariableData&) = delete;

    [[nodiscard]] hid_t properties() const { return properties_.id(); }

  private:
    static void* allocate(std::size_t size, void* self) {
        auto& data = *static_cast<VariableData*>(self);
        if (size > data.left_) return nullptr;
        data.left_ -= size;
        try {
            return data.memory_.allocate(size);
        } catch (const std::bad_alloc&) {
            return nullptr;  // the library reports it
        }
    }

    std::uint64_t left_;
    std::pmr::monotonic_buffer_resource memory_;
    Handle properties_;
};

}  // namespace

Dataset::Dataset(Handle handle, std::string name, std::shared_ptr<const Origin> origin)
    : Object(std::move(handle), std::move(name), std::move(origin)) {
    type_ = Handle(quietly([&] { return H5Dget_type(id()); }));
    space_ = Handle(quietly([&] { return H5Dget_space(id()); }));
    if (!type_ || !space_) throw error("is malformed: " + last_failure() + ".");
    value_class_ = class_of(type_.id());
    element_size_ = H5Tget_size(type_.id());
    is_signed_ = value_class_ == ValueClass::integer && H5Tget_sign(type_.id()) == H5T_SGN_2;

    const int rank = H5Sget_simple_extent_ndims(space_.id());
    if (rank < 0 || H5Sget_simple_extent_type(space_.id()) == H5S_NULL) {
        throw error("is empty: it has no dataspace.");
    }
    std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
    if (rank > 0) H5Sget_simple_extent_dims(space_.id(), extent.data(), nullptr);
    shape_.assign(extent.begin(), extent.end());
    const bool is_empty = std::find(shape_.begin(), shape_.end(), 0) != shape_.end();
    size_ = is_empty ? 0 : 1;
    for (const std::uint64_t n : shape_) {
        if (size_ != 0 && n > std::numeric_limits<std::uint64_t>::max() / 16 / size_) {
            throw error("its shape " + to_string(shape_) + " is beyond every limit.");
        }
        size_ *= n;
    }
    const Handle properties(quietly([&] { return H5Dget_create_plist(id()); }));
    if (!properties) throw error("is malformed: " + last_failure() + ".");
    check_storage(properties.id());
}

std::vector<std::uint64_t> Dataset::facts(Opened& opened, Dataset dataset) {
    std::vector<std::uint64_t> all{0, static_cast<std::uint64_t>(dataset.value_class_), dataset.element_size_,
                                   dataset.is_signed_ ? 1u : 0u, dataset.size_};
    all.insert(all.end(), dataset.shape_.begin(), dataset.shape_.end());
    all[0] = opened.keep(std::move(dataset));
    return all;
}

Dataset::Dataset(const std::vector<std::uint64_t>& facts, std::string name,
                 std::shared_ptr<const Origin> origin)
    : Object(facts.at(0), std::move(name), std::move(origin)),
      value_class_(static_cast<ValueClass>(facts.at(1))),
      element_size_(facts.at(2)),
      is_signed_(facts.at(3) != 0),
      shape_(facts.begin() + 5, facts.end()),
      size_(facts.at(4)) {}

void Dataset::ask_bytes(Process::Task task, const std::vector<std::uint64_t>& arguments, void* buffer,
                        std::uint64_t size) const {
    Message question;
    question.put(*there_);
    for (const std::uint64_t argument : arguments) question.put(argument);
    origin_->process->ask(task, question, {static_cast<std::byte*>(buffer), static_cast<std::size_t>(size)});
}

bool Dataset::is_variable() const {
    return value_class_ == ValueClass::rows ||
           (value_class_ == ValueClass::string && H5Tis_variable_str(type_.id()) > 0);
}

std::string Dataset::description() const {
    const std::string bits = std::to_string(8 * element_size_);
    std::string text;
    switch (value_class_) {
        case ValueClass::integer:
            text = (is_signed_ ? "int" : "uint") + bits;
            break;
        case ValueClass::floating:
            text = "float" + bits;
            break;
        case ValueClass::boolean:
            text = "bool";
            break;
        case ValueClass::string:
            text = "string";
            break;
        case ValueClass::rows:
            text = "rows of variable length";
            break;
        case ValueClass::other:
            text = "values of another type";
            break;
    }
    return shape_.empty() ? text : text + " " + to_string(shape_);
}

void Dataset::check_size(std::uint64_t bytes_per_element, std::uint64_t limit) const {
    if (bytes_per_element == 0 || size_ <= limit / bytes_per_element) return;
    throw error("declares " + std::to_string(size_) + " elements, more than the limit of " +
                human_bytes(limit) + " allows.");
}

void Dataset::check_numbers(hid_t memory_type) const {
    const bool to_integer = H5Tget_class(memory_type) == H5T_INTEGER;
    if (value_class_ != ValueClass::integer && (to_integer || value_class_ != ValueClass::floating)) {
        throw error("expected " + std::string(to_integer ? "integers" : "numbers") + ", found " +
                    description() + ".");
    }
}

void Dataset::read_numbers(hid_t memory_type, void* buffer) const {
    check_numbers(memory_type);
    if (size_ == 0) return;
    if (there_) {
        return ask_bytes(
            [](Opened& opened, Message& in, Message& out) {
                const auto& dataset = opened.at<Dataset>(in.take<std::uint64_t>());
                const hid_t type = native_type_of(in.take<std::uint64_t>());
                out.bytes.resize(dataset.size_ * H5Tget_size(type));
                dataset.read_numbers(type, out.bytes.data());
            },
            {code_of(memory_type)}, buffer, size_ * H5Tget_size(memory_type));
    }
    check_chunks();
    read_selected(memory_type, H5S_ALL, H5S_ALL, buffer);
}

void Dataset::read_part(hid_t memory_type, std::uint64_t first, std::uint64_t count, void* buffer) const {
    check_numbers(memory_type);
    if (shape_.size() != 1) throw error("expected a column of numbers, found " + description() + ".");
    if (first > size_ || count > size_ - first) {
        throw error("expected at least " + std::to_string(first + count) + " entries, found " +
                    std::to_string(size_) + ".");
    }
    if (count == 0) return;
    if (there_) {
        return ask_bytes(
            [](Opened& opened, Message& in, Message& out) {
                const auto& dataset = opened.at<Dataset>(in.take<std::uint64_t>());
                const hid_t type = native_type_of(in.take<std::uint64_t>());
                const auto begin = in.take<std::uint64_t>();
                const auto length = in.take<std::uint64_t>();
                out.bytes.resize(length * H5Tget_size(type));
                dataset.read_part(type, begin, length, out.bytes.data());
            },
            {code_of(memory_type), first, count}, buffer, count * H5Tget_size(memory_type));
    }
    if (!chunks_checked_) check_chunks();
    chunks_checked_ = true;
    const hsize_t start = first;
    const hsize_t length = count;
    const Handle memory(H5Screate_simple(1, &length, nullptr));
    const Handle selected(H5Scopy(space_.id()));
    H5Sselect_hyperslab(selected.id(), H5S_SELECT_SET, &start, nullptr, &length, nullptr);
    read_selected(memory_type, memory.id(), selected.id(), buffer);
}

void Dataset::read_selected(hid_t memory_type, hid_t memory_space, hid_t file_space, void* buffer) const {
    const Handle properties(H5Pcreate(H5P_DATASET_XFER));
    H5Pset_type_conv_cb(properties.id(), refuse_range, nullptr);
    if (quietly([&] {
            return H5Dread(id(), memory_type, memory_space, file_space, properties.id(), buffer);
        }) < 0) {
        throw error("cannot be read as numbers of " + std::to_string(8 * H5Tget_size(memory_type)) +
                    " bits (a value is out of range, or the data are damaged): " + last_failure() + ".");
    }
}

void Dataset::read_booleans(std::byte* buffer) const {
    if (value_class_ != ValueClass::boolean) throw error("expected booleans, found " + description() + ".");
    if (size_ == 0) return;
    if (there_) {
        return ask_bytes(
            [](Opened& opened, Message& in, Message& out) {
                const auto& dataset = opened.at<Dataset>(in.take<std::uint64_t>());
                out.bytes.resize(dataset.size_);
                dataset.read_booleans(reinterpret_cast<std::byte*>(out.bytes.data()));
            },
            {}, buffer, size_);
    }
    check_chunks();
    if (quietly([&] { return H5Dread(id(), type_.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer); }) < 0) {
        throw error("cannot be read: " + last_failure() + ".");
    }
    for (std::uint64_t i = 0; i < size_; ++i) {
        if (buffer[i] > std::byte{1}) throw error("expected FALSE or TRUE, found another value.");
    }
}

std::string Dataset::read_string(std::uint64_t limit) const {
    if (!shape_.empty()) throw error("expected one string, found " + description() + ".");
    return std::move(read_strings(limit).at(0));
}

std::vector<std::string> Dataset::read_strings(std::uint64_t limit) const {
    if (there_) {
        return ask<Dataset>(
            *this,
            +[](Opened&, const Dataset& dataset, const std::uint64_t& most) {
                return dataset.read_strings(most);
            },
            limit);
    }
    if (value_class_ != ValueClass::string) throw error("expected strings, found " + description() + ".");
    check_size(std::max(element_size_, sizeof(std::string)),
               std::max<std::uint64_t>(limit, sizeof(std::string)));
    std::vector<std::string> strings(static_cast<std::size_t>(size_));
    if (size_ == 0) return strings;
    if (is_variable()) {
        read_variable_strings(strings, limit);
    } else {
        read_fixed_strings(strings);
    }
    if (!std::all_of(strings.begin(), strings.end(), is_utf8)) {
        throw error("expected UTF-8, found other bytes.");
    }
    return strings;
}

void Dataset::read_variable_strings(std::vector<std::string>& strings, std::uint64_t limit) const {
    const Handle memory = memory_string_type(type_.id());
    const VariableData data(limit);
    std::vector<char*> texts(strings.size(), nullptr);
    if (quietly([&] {
            return H5Dread(id(), memory.id(), H5S_ALL, H5S_ALL, data.properties(),
                           static_cast<void*>(texts.data()));
        }) < 0) {
        throw error("cannot be read (damaged, or more than " + human_bytes(limit) + "): " + last_failure() +
                    ".");
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (texts[i] != nullptr) strings[i] = texts[i];
    }
}

void Dataset::read_fixed_strings(std::vector<std::string>& strings) const {
    check_chunks();
    std::string bytes(strings.size() * element_size_, '\0');
    if (quietly([&] { return H5Dread(id(), type_.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()); }) < 0) {
        throw error("cannot be read: " + last_failure() + ".");
    }
    const H5T_str_t padding = H5Tget_strpad(type_.id());
    for (std::size_t i = 0; i < strings.size(); ++i) {
        strings[i] = unpadded(std::string_view(bytes).substr(i * element_size_, element_size_), padding);
    }
}

void Dataset::with_row(std::uint64_t row, hid_t element, std::uint64_t limit,
                       const std::function<void(const void*, std::size_t)>& take) const {
    if (there_) {
        const std::string bytes = ask<Dataset>(
            *this,
            +[](Opened&, const Dataset& dataset, const std::uint64_t& number, const std::uint64_t& code,
                const std::uint64_t& most) {
                std::string values;
                const hid_t type = native_type_of(code);
                dataset.with_row(number, type, most, [&](const void* first, std::size_t n) {
                    values.assign(static_cast<const char*>(first), n * H5Tget_size(type));
                });
                return values;
            },
            row, code_of(element), limit);
        return take(bytes.data(), bytes.size() / H5Tget_size(element));
    }
    const Handle base(quietly([&] { return H5Tget_super(type_.id()); }));
    const ValueClass base_class = base ? class_of(base.id()) : ValueClass::other;
    const bool fits = base_class == ValueClass::integer ||
                      (base_class == ValueClass::floating && H5Tget_class(element) == H5T_FLOAT);
    if (value_class_ != ValueClass::rows || shape_.size() != 1 || !fits) {
        throw error("expected a list of rows of numbers, found " + description() + ".");
    }
    if (row >= size_) throw error("has no row " + std::to_string(row) + ".");
    const Handle memory(H5Tvlen_create(element));
    const Handle one(H5Screate(H5S_SCALAR));
    const Handle selected(H5Scopy(space_.id()));
    const hsize_t start = row;
    H5Sselect_elements(selected.id(), H5S_SELECT_SET, 1, &start);
    const VariableData data(limit);
    hvl_t values{0, nullptr};
    if (quietly([&] {
            return H5Dread(id(), memory.id(), one.id(), selected.id(), data.properties(), &values);
        }) < 0) {
        throw error("row " + std::to_string(row) + " cannot be read (damaged, or more than " +
                    human_bytes(limit) + "): " + last_failure() + ".");
    }
    take(values.p, values.len);
}

}  // namespace saltus::io::hdf5
