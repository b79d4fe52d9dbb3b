// Errors of the library become the classes of saltus/errors.py, with their fields.
#include "saltus/engine/errors.hpp"

#include "bindings.hpp"

namespace saltus::python {

nb::object text(std::string_view bytes) {
    PyObject* object =
        PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "surrogateescape");
    if (object == nullptr) throw nb::python_error();
    return nb::steal(object);
}

nb::list texts(const std::vector<std::string>& strings) {
    nb::list list;
    for (const std::string& string : strings) list.append(text(string));
    return list;
}

namespace {

template <class... Fields>
void raise(const char* name, const std::exception& error, const Fields&... fields) {
    const nb::object type = nb::module_::import_("saltus.errors").attr(name);
    const nb::object value = type(text(error.what()), text(fields)...);
    PyErr_SetObject(type.ptr(), value.ptr());
}

void translate(const std::exception_ptr& thrown, void*) {
    try {
        std::rethrow_exception(thrown);
    } catch (const FileError& error) {
        raise("FileError", error, error.path(), error.where());
    } catch (const NetworkError& error) {
        raise("NetworkError", error, error.node(), error.field());
    } catch (const InputError& error) {
        raise("InputError", error, error.population());
    } catch (const UsageError& error) {
        raise("UsageError", error);
    } catch (const LimitError& error) {
        raise("LimitError", error);
    } catch (const Error& error) {
        raise("Error", error);
    }
}

}  // namespace

void bind_errors(nb::module_&) {
    nb::register_exception_translator(translate);
}

}  // namespace saltus::python
