# Programs under libFuzzer, with asan and ubsan, for tests/long/fuzz. clang-16 builds them and all their parts, because GCC
# has no libFuzzer. The suite itself reads their corpora.
#
# holdfast_fuzzer(image LIBRARIES … SOURCES FILE…): builds image_fuzz; the target is image_fuzz_program.
find_program(HOLDFAST_CLANG clang++-16)

function(holdfast_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES;SOURCES")
  set(flags -std=c++20 -O1 -g1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -DFMT_SHARED
    -I${PROJECT_SOURCE_DIR})
  set(objects)
  foreach(source IN LISTS arg_SOURCES)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE object)
    string(REPLACE "/" "-" object ${object})
    set(object fuzz/${name}/${object}.o)
    add_custom_command(OUTPUT ${object} DEPENDS ${source} DEPFILE ${object}.d VERBATIM
      COMMAND ${HOLDFAST_CLANG} ${flags} -MMD -MF ${object}.d -MT ${object} -c ${source} -o ${object})
    list(APPEND objects ${object})
  endforeach()
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/fuzz/${name})
  list(TRANSFORM arg_LIBRARIES PREPEND -l)
  add_custom_command(OUTPUT ${name}_fuzz DEPENDS ${objects} VERBATIM
    COMMAND ${HOLDFAST_CLANG} ${flags} ${objects} -o ${name}_fuzz ${arg_LIBRARIES})
  add_custom_target(${name}_fuzz_program DEPENDS ${name}_fuzz)
endfunction()

set(base ${PROJECT_SOURCE_DIR}/catalog/base)
file(GLOB image CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/engine/image/*.cpp)
holdfast_fuzzer(image LIBRARIES zstd deflate z xxhash crypto fmt
  SOURCES ${image} ${base}/bytes.cpp ${base}/error.cpp ${base}/sha256.cpp ${CMAKE_CURRENT_SOURCE_DIR}/image/stack_fuzz.cpp)

file(GLOB files CONFIGURE_DEPENDS ${base}/*.cpp)
foreach(part agent client copy_filter guest_disks monitor nbd_server nodes peer threads unix_socket)
  list(APPEND files ${PROJECT_SOURCE_DIR}/engine/sources/qmp/${part}.cpp)
endforeach()
holdfast_fuzzer(peer LIBRARIES nbd crypto fmt
  SOURCES ${files} ${PROJECT_SOURCE_DIR}/engine/sources/nbd/connection.cpp
  ${PROJECT_SOURCE_DIR}/catalog/model/outside_json.cpp ${CMAKE_CURRENT_SOURCE_DIR}/sources/peer_fuzz.cpp)

file(GLOB files CONFIGURE_DEPENDS ${base}/*.cpp ${PROJECT_SOURCE_DIR}/catalog/model/*.cpp
  ${PROJECT_SOURCE_DIR}/catalog/model/shapes/*.cpp ${PROJECT_SOURCE_DIR}/engine/sources/*/fields.cpp)
foreach(part engine/sources/machine_json fsd/verbs/parse tests/fsd/doors tests/fuzz/doors_fuzz tests/fuzz/drivers)
  list(APPEND files ${PROJECT_SOURCE_DIR}/${part}.cpp)
endforeach()
holdfast_fuzzer(doors LIBRARIES crypto fmt spdlog cctz SOURCES ${files})
