# What every Saltus library has in common: language level, warnings, and arithmetic that gives the same bits everywhere.
function(saltus_options target)
    target_compile_features(${target} PUBLIC cxx_std_20)
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -ffp-contract=off
        # GCC 12 warns falsely of joined strings when it optimises (its bug 105651).
        $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
        # Clang counts signs among the conversions, GCC does not.
        $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>)
    if(SALTUS_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()

# saltus_library(name SOURCES file... [PUBLIC target...] [PRIVATE target...])
# makes saltus::name from the sources, with <package>/include as its public headers.
function(saltus_library name)
    cmake_parse_arguments(PARSE_ARGV 1 LIB "" "" "SOURCES;PUBLIC;PRIVATE")
    add_library(saltus_${name} STATIC ${LIB_SOURCES})
    add_library(saltus::${name} ALIAS saltus_${name})
    set_target_properties(saltus_${name} PROPERTIES EXPORT_NAME ${name})
    saltus_options(saltus_${name})
    target_include_directories(saltus_${name}
        PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
        PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(saltus_${name} PUBLIC ${LIB_PUBLIC} PRIVATE ${LIB_PRIVATE})
    install(TARGETS saltus_${name} EXPORT saltus ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endfunction()
