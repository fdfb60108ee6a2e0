# What a test needs to know at run time.
set(MILLRACE_TEST_ENVIRONMENT
    "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/lsan.supp:print_suppressions=0"
    "TSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/tsan.supp"
    "MILLRACE_SOURCE_DIR=${PROJECT_SOURCE_DIR}"
    "MILLRACE_GOLDEN_DIR=${CMAKE_CURRENT_SOURCE_DIR}/golden")

# core/test_cursor.c in tests/unit is target unit_core_cursor and ctest's unit/core/cursor.
function(millrace_cmocka_test kind file timeout)
    cmake_parse_arguments(PARSE_ARGV 3 arg "" "PARTS" "SOURCES;LIBS")
    string(REGEX REPLACE "(^|/)test_([^/]*)\\.c$" "\\1\\2" name ${file})
    string(REPLACE "/" "_" target ${kind}_${name})
    add_executable(${target} ${file} ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE ${arg_LIBS} millrace_flags PkgConfig::CMOCKA)
    if(MILLRACE_SANITIZE STREQUAL "thread")
        target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests/tsan_threads.c)
    endif()
    # cmocka passes any pointer or number through uintmax_t; a source's options come after the target's.
    set_source_files_properties(${file} ${arg_SOURCES} PROPERTIES COMPILE_OPTIONS
        "-Wno-conversion;-Wno-sign-conversion;-Wno-cast-qual;-Wno-write-strings;-Wno-unused-result")
    target_compile_definitions(${target} PRIVATE MILLRACE_GOLDEN_DIR="${PROJECT_SOURCE_DIR}/tests/golden")
    if(NOT arg_PARTS)
        millrace_run_test(${kind} ${name} ${target} ${timeout} 1/1)
        return()
    endif()
    foreach(part RANGE 1 ${arg_PARTS})
        millrace_run_test(${kind} ${name}_${part} ${target} ${timeout} ${part}/${arg_PARTS})
    endforeach()
endfunction()

# CASE_PART is `2/3`: every third case from the second on.
function(millrace_run_test kind name target timeout part)
    add_test(NAME ${kind}/${name} COMMAND ${target} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${kind}/${name} PROPERTIES
        LABELS ${kind} TIMEOUT ${timeout} ENVIRONMENT "CASE_PART=${part};${MILLRACE_TEST_ENVIRONMENT}")
endfunction()

# millrace_unit_test(core/test_cursor.c LIBS millrace_core [SOURCES helper.c]): one cmocka program.
function(millrace_unit_test file)
    millrace_cmocka_test(unit ${file} 120 ${ARGN})
endfunction()

# The same against librdkafka's mock brokers and a stub function. PARTS 3: as three tests side by side, since each new
# group of the mock broker waits 3 s for its members; main is case_run_part then.
function(millrace_component_test file)
    millrace_cmocka_test(component ${file} 300 ${ARGN})
endfunction()

# millrace_fuzz_target(pgoutput fuzz_pgoutput.c LIBS …): the file defines LLVMFuzzerTestOneInput. With libFuzzer it
# runs for ten seconds, or SECONDS, from corpus/<name>; otherwise it replays that corpus as an ordinary test.
function(millrace_fuzz_target name file)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "SECONDS" "LIBS;SOURCES")
    if(NOT arg_SECONDS)
        set(arg_SECONDS 10)
    endif()
    set(corpus ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set(target fuzz_${name})
    if(MILLRACE_FUZZ)
        add_executable(${target} ${file} ${arg_SOURCES})
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
        file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/found/${name})
        add_test(NAME fuzz/${name} COMMAND ${target}
            -max_total_time=${arg_SECONDS} -timeout=5 -rss_limit_mb=1024 -print_final_stats=1
            -artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/found/${name}-
            ${CMAKE_CURRENT_BINARY_DIR}/found/${name} ${corpus})
    else()
        add_executable(${target} ${file} ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.c)
        add_test(NAME fuzz/${name} COMMAND ${target} ${corpus})
    endif()
    target_link_libraries(${target} PRIVATE ${arg_LIBS} millrace_flags)
    set_tests_properties(fuzz/${name} PROPERTIES
        LABELS fuzz TIMEOUT 180 ENVIRONMENT "${MILLRACE_TEST_ENVIRONMENT}")
endfunction()
