# find_package(saltus) for other projects.
include(CMakePackageConfigHelpers)
install(EXPORT saltus NAMESPACE saltus:: FILE saltusTargets.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/saltus)
configure_package_config_file(cmake/saltusConfig.cmake.in ${PROJECT_BINARY_DIR}/saltusConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/saltus)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/saltusConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/saltusConfig.cmake ${PROJECT_BINARY_DIR}/saltusConfigVersion.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/saltus)
