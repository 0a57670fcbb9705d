# image_fuzz: the reader of images under libFuzzer, with asan and ubsan. GCC has no libFuzzer, so it is built by
# clang-16, with all that it is made of.
find_program(HOLDFAST_CLANG clang++-16)
file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/engine/image/*.cpp)
list(APPEND sources ${PROJECT_SOURCE_DIR}/catalog/base/bytes.cpp ${PROJECT_SOURCE_DIR}/catalog/base/error.cpp
  ${PROJECT_SOURCE_DIR}/catalog/base/sha256.cpp ${CMAKE_CURRENT_SOURCE_DIR}/image/stack_fuzz.cpp)
set(flags -std=c++20 -O1 -g1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -DFMT_SHARED
  -I${PROJECT_SOURCE_DIR})
set(objects)
foreach(source IN LISTS sources)
  string(REGEX REPLACE ".*/(.*)\\.cpp" "fuzz/\\1.o" object ${source})
  add_custom_command(OUTPUT ${object} DEPENDS ${source} DEPFILE ${object}.d VERBATIM
    COMMAND ${HOLDFAST_CLANG} ${flags} -MMD -MF ${object}.d -MT ${object} -c ${source} -o ${object})
  list(APPEND objects ${object})
endforeach()
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/fuzz)
add_custom_command(OUTPUT image_fuzz DEPENDS ${objects} VERBATIM
  COMMAND ${HOLDFAST_CLANG} ${flags} ${objects} -o image_fuzz -lzstd -ldeflate -lz -lxxhash -lcrypto -lfmt)
add_custom_target(image_fuzz_program ALL DEPENDS image_fuzz)

# So many inputs, from what the corpus has on, always the same ones; tests/long/fuzz goes on for minutes. What
# it finds worth keeping goes into the first directory that it is given.
add_test(NAME ${build}/image/fuzz
  COMMAND sh -c "rm -rf fuzz/found && mkdir fuzz/found && exec ./image_fuzz \"$@\"" image_fuzz
    -seed=1 -runs=8000 -max_len=32768 -timeout=60 -rss_limit_mb=2048
    -artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/fuzz/ fuzz/found ${CMAKE_CURRENT_SOURCE_DIR}/image/corpus
  WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
set_tests_properties(${build}/image/fuzz PROPERTIES LABELS image TIMEOUT 600)
