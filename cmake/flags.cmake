# One INTERFACE target carries every flag; the include root is the repository.
add_library(millrace_flags INTERFACE)
target_include_directories(millrace_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(millrace_flags INTERFACE _GNU_SOURCE MILLRACE_VERSION="${PROJECT_VERSION}")
target_compile_options(millrace_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wswitch-enum -Wvla
    -Wformat=2 -Wno-format-nonliteral -Wcast-qual -Wcast-align -Wpointer-arith -Wundef -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wwrite-strings -Wimplicit-fallthrough -Wdouble-promotion
    -fno-common -fno-strict-aliasing -fstack-protector-strong)
target_link_options(millrace_flags INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)
if(MILLRACE_WERROR)
    target_compile_options(millrace_flags INTERFACE -Werror)
endif()

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(millrace_flags INTERFACE -Wduplicated-cond -Wlogical-op -Wjump-misses-init)
    if(NOT MILLRACE_SANITIZE)
        # The sanitizers' own checks look like null dereferences and narrowing to GCC 12.
        target_compile_options(millrace_flags INTERFACE -Wnull-dereference)
    else()
        target_compile_options(millrace_flags INTERFACE
            -Wno-maybe-uninitialized -Wno-conversion -Wno-sign-conversion)
    endif()
else()
    target_compile_options(millrace_flags INTERFACE -Wnull-dereference -Wunreachable-code)
endif()

if(MILLRACE_SANITIZE)
    target_compile_options(millrace_flags INTERFACE
        -fsanitize=${MILLRACE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(millrace_flags INTERFACE -fsanitize=${MILLRACE_SANITIZE})
else()
    target_compile_options(millrace_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
if(MILLRACE_FUZZ)
    target_compile_options(millrace_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
