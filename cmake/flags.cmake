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
    if(MILLRACE_SANITIZE)
        # The sanitizers' own checks look like narrowing and truncation to GCC 12.
        target_compile_options(millrace_flags INTERFACE
            -Wno-maybe-uninitialized -Wno-format-truncation
            -Wno-conversion -Wno-sign-conversion)
    endif()
else()
    # GCC's -Wnull-dereference guesses over inlined calls and is wrong too often.
    # INVARIANT(!"words") is meant; uthash's macros fall through, which clang sees and GCC doesn't;
    # librdkafka's check their types by statement expressions.
    target_compile_options(millrace_flags INTERFACE -Wnull-dereference -Wunreachable-code
        -Wno-string-conversion -Wno-implicit-fallthrough -Wno-gnu-statement-expression)
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
