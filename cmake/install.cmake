# `cmake --install build/release [--prefix …]`: the binary, its manual page, the unit, examples and documents.
if(TARGET millrace)
    install(TARGETS millrace RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 OPTIONAL
    FILES_MATCHING PATTERN "*.1")
install(FILES deploy/systemd/millrace.sysusers DESTINATION lib/sysusers.d RENAME millrace.conf)
install(DIRECTORY deploy/systemd/ DESTINATION lib/systemd/system OPTIONAL
    FILES_MATCHING PATTERN "*.service")
# The drop-ins, which are copied to where they take effect.
install(DIRECTORY deploy/systemd/ DESTINATION ${CMAKE_INSTALL_DATADIR}/millrace/systemd OPTIONAL
    FILES_MATCHING PATTERN "*.conf")
install(DIRECTORY deploy/examples/ DESTINATION ${CMAKE_INSTALL_DATADIR}/millrace/examples OPTIONAL)
# As in the repository, so that the links between them lead somewhere.
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs OPTIONAL
    FILES_MATCHING PATTERN "*.md" PATTERN "man" EXCLUDE)
install(FILES README.md CHANGELOG.md CONTRIBUTING.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
