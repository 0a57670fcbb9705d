# Programs under libFuzzer, with asan and ubsan, for tests/long/fuzz. clang-16 builds them and all their parts, because GCC
# has no libFuzzer. The suite itself reads their corpora.
#
# holdfast_fuzzer(image LIBRARIES … SOURCES FILE…): builds image_fuzz; the target is image_fuzz_program. The files of a folder
# are compiled as one.
find_program(HOLDFAST_CLANG clang++-16)

function(holdfast_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES;SOURCES")
  set(flags -std=c++20 -O1 -g1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -DFMT_SHARED
    -I${PROJECT_SOURCE_DIR})
  set(folders)
  foreach(source IN LISTS arg_SOURCES)
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(RELATIVE_PATH folder BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
    string(REPLACE "/" "-" folder ${folder})
    list(APPEND folders ${folder})
    string(APPEND text_${folder} "#include \"${source}\"\n")
  endforeach()
  list(REMOVE_DUPLICATES folders)
  set(objects)
  foreach(folder IN LISTS folders)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/fuzz/${name}/${folder}.cpp)
    set(object fuzz/${name}/${folder}.o)
    file(CONFIGURE OUTPUT ${source} CONTENT "${text_${folder}}" @ONLY)
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

# Readers of a repository's documents refer to nearly all that lies below the captures.
set(root ${PROJECT_SOURCE_DIR})
file(GLOB files CONFIGURE_DEPENDS ${base}/*.cpp ${root}/catalog/model/*.cpp ${root}/catalog/model/shapes/*.cpp
  ${root}/catalog/db/*.cpp ${root}/catalog/db/sqlite/*.cpp ${root}/catalog/stores/*.cpp ${root}/catalog/*.cpp ${root}/engine/common/*.cpp
  ${root}/engine/repository/*.cpp ${root}/engine/sources/*/fields.cpp)
foreach(part engine/rescan/documents engine/rescan/definitions engine/schedule/blackout engine/schedule/cron
    engine/sources/machine_json fsd/verbs/parse tests/fsd/doors tests/fsd/repository_doors tests/fsd/word_doors
    tests/fuzz/doors_fuzz tests/fuzz/drivers)
  list(APPEND files ${root}/${part}.cpp)
endforeach()
holdfast_fuzzer(doors LIBRARIES crypto fmt spdlog cctz sqlite3 zstd deflate z xxhash
  SOURCES ${files} ${image} ${HOLDFAST_MIGRATIONS_SOURCE})
