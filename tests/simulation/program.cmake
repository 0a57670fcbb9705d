# The engine in a simulation. The program's definitions of pthread_mutex_lock(), pwrite() and their like take the place of
# the C library's, also for the shared libraries. The linker gives the callers of a few functions of the project those of
# stand_ins.cpp and switches.cpp: here are their names, as c++filt reads them.
set(wrapped
  _ZN8holdfast12Repositories3getEl
  _ZN8holdfast4Jobs10unfinishedEv
  _ZN8holdfast4Pins3addERKNS_3PinE
  _ZN8holdfast9Retention6pointsElNSt6chrono10time_pointINS1_3_V212system_clockENS1_8durationIlSt5ratioILl1ELl1000EEEEEE
  _ZN8holdfast5image6Writer6createERNS_4FileES3_RKNS0_13WriterOptionsE
  _ZN8holdfast10repository7Readers3useElNSt6chrono10time_pointINS2_3_V212system_clockENS2_8durationIlSt5ratioILl1ELl1000EEEEEE
  _ZN8holdfast9retention13check_listingERKNS0_6GroundE
  _ZN8holdfast6source10driver_forESt17basic_string_viewIcSt11char_traitsIcEE
  _ZN8holdfast7look_upERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEESt8optionalINSt6chrono8durationIlSt5ratioILl1ELl1000EEEEE
  _ZN8holdfast7look_upESt4spanIKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEELm18446744073709551615EESt8optionalINSt6chrono8durationIlSt5ratioILl1ELl1000EEEEENS_4LookE)
list(TRANSFORM wrapped PREPEND LINKER:--wrap=)
# The linker sees only calls between objects: these two have callers in their own room.
set_source_files_properties(
  ${PROJECT_SOURCE_DIR}/engine/repository/readers.cpp ${PROJECT_SOURCE_DIR}/engine/retention/room.cpp
  TARGET_DIRECTORY holdfast_engine PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)

file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/simulation/*.cpp)
add_executable(simulation ${sources})
target_link_libraries(simulation PRIVATE holdfast_engine
  PkgConfig::CURL PkgConfig::SQLITE PkgConfig::XXHASH PkgConfig::ZLIB PkgConfig::ZSTD)
# Each life would look up the libraries' functions again.
target_link_options(simulation PRIVATE -rdynamic LINKER:-z,now ${wrapped})
# A file's definitions of the C library's functions are no other file's.
set_target_properties(simulation PROPERTIES UNITY_BUILD OFF)
add_dependencies(gate simulation)
