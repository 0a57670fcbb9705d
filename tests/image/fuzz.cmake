# image_fuzz: the reader of images under libFuzzer, with asan and ubsan, for tests/long/fuzz. clang-16 builds the program
# and all its parts, because GCC has no libFuzzer. The suite itself reads the corpus (tests/image/corpus_test.cpp).
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
add_custom_target(image_fuzz_program DEPENDS image_fuzz)
