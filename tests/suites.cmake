# Makes each suite of a program of GoogleTest a test, in a file that ctest includes. Starting a program takes longer than
# most of its tests, and a suite of a program that asks it for its suites is never left out.
#   cmake -D program=… -D prefix=release/engine/ -D labels=engine -D file=… -P suites.cmake
execute_process(COMMAND ${program} --gtest_list_tests OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\n[^ \n]+\\.(\n|  #)" suites "${listed}")
set(tests "")
foreach(suite IN LISTS suites)
  string(REGEX MATCH "[^ \n]+\\." suite "${suite}")
  string(REGEX REPLACE "\\.$" "" name "${suite}")
  string(APPEND tests "add_test([=[${prefix}${name}]=] [=[${program}]=] [=[--gtest_filter=${suite}*]=] --gtest_brief=1)\n"
    "set_tests_properties([=[${prefix}${name}]=] PROPERTIES LABELS [=[${labels}]=] TIMEOUT 900)\n")
endforeach()
if(tests STREQUAL "")
  message(FATAL_ERROR "${program} lists no suite")
endif()
file(WRITE ${file} "${tests}")
