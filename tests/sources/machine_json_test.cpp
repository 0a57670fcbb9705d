// A machine's config.json: the fields of all machines, and those of its driver alone.
#include "engine/sources/machine_json.h"

#include "tests/lib/definition_checks.h"
#include "tests/lib/driver_fields.h"

namespace holdfast {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

MachineDefinition a_machine() {
  MachineDefinition machine;
  machine.driver = "qmp";
  machine.fields = driver_fields({{"socket", "/run/vm.qmp"}, {"quiesce", "auto"}});
  for (const char* number : {"0", "1"})
    machine.disks.push_back(
        a_disk(std::string("disk-") + number,
               {{"node", std::string("node") + number}, {"path", nullptr}, {"format", "raw"}}));
  return machine;
}

MachineDefinition an_nbd_machine() {
  MachineDefinition machine;
  machine.driver = "nbd";
  machine.disks = {a_disk("a", {{"uri", "nbd://host/a"}, {"bitmap", ""}, {"trust_bitmap", false}}),
                   a_disk("b", {{"uri", "nbds://host/b"}, {"bitmap", "dirty"}, {"trust_bitmap", true}})};
  return machine;
}

MachineDefinition a_file_machine() {
  MachineDefinition machine;
  machine.driver = "file";
  machine.disks = {a_disk("a", {{"path", "/dev/vg/a"}, {"format", "raw"}, {"shared", false}})};
  return machine;
}

TEST(MachineJson, a_printed_machine_reads_back_as_the_same) {
  MachineDefinition machine = a_machine();
  machine.description = "the \"till\"\nžluť";
  machine.tags = {"a", "b"};
  machine.fields = driver_fields({{"socket", "/run/vm.qmp"}, {"quiesce", "required"}});
  for (const MachineDefinition& each : {machine, an_nbd_machine(), a_file_machine()})
    EXPECT_EQ(parse_definition<MachineDefinition>(print_definition(each)).value(), each);
}

TEST(MachineJson, every_field_is_printed_in_a_stable_order) {
  EXPECT_EQ(print_definition(a_machine()), R"({
  "description": "",
  "tags": [],
  "driver": "qmp",
  "bandwidth": null,
  "objective": null,
  "socket": "/run/vm.qmp",
  "quiesce": "auto",
  "disks": [
    {
      "name": "disk-0",
      "node": "node0",
      "path": null,
      "format": "raw"
    },
    {
      "name": "disk-1",
      "node": "node1",
      "path": null,
      "format": "raw"
    }
  ]
}
)");
}

TEST(MachineJson, a_machine_without_a_definition_is_printed_with_the_defaults_of_the_first_driver) {
  EXPECT_EQ(print_definition(MachineDefinition{}), R"({
  "description": "",
  "tags": [],
  "driver": "qmp",
  "bandwidth": null,
  "objective": null,
  "socket": "",
  "quiesce": "auto",
  "disks": []
}
)");
}

TEST(MachineJson, a_stored_machine_reads_back_with_the_fields_of_its_driver) {
  for (const MachineDefinition& each : {a_machine(), an_nbd_machine(), a_file_machine()}) {
    const auto read = stored_definition<MachineDefinition>(stored_text(each));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, each);
    EXPECT_EQ(print_definition(*read), print_definition(each));
  }
}

TEST(MachineJson, an_absent_field_of_a_driver_gets_its_default) {
  const auto machine = parse_definition<MachineDefinition>(
      R"({"driver":"qmp","socket":"/run/vm.qmp","disks":[{"name":"a","node":"b"}]})");
  ASSERT_TRUE(machine) << machine.error().message;
  EXPECT_EQ(machine->fields, a_machine().fields);
}

TEST(MachineJson, a_machine_is_printed_with_the_fields_of_its_driver_alone) {
  EXPECT_EQ(print_definition(an_nbd_machine()), R"({
  "description": "",
  "tags": [],
  "driver": "nbd",
  "bandwidth": null,
  "objective": null,
  "disks": [
    {
      "name": "a",
      "uri": "nbd://host/a",
      "bitmap": "",
      "trust_bitmap": false
    },
    {
      "name": "b",
      "uri": "nbds://host/b",
      "bitmap": "dirty",
      "trust_bitmap": true
    }
  ]
}
)");
  EXPECT_EQ(print_definition(a_file_machine()), R"({
  "description": "",
  "tags": [],
  "driver": "file",
  "bandwidth": null,
  "objective": null,
  "disks": [
    {
      "name": "a",
      "path": "/dev/vg/a",
      "format": "raw",
      "shared": false
    }
  ]
}
)");
}

TEST(MachineJson, a_field_of_another_driver_is_refused) {
  using M = MachineDefinition;
  EXPECT_EQ(refusal<M>(R"({"driver":"nbd","socket":"/s","disks":[{"name":"a","uri":"nbd://h"}]})"),
            R"(field "socket" is of driver "qmp" alone)");
  EXPECT_EQ(refusal<M>(R"({"driver":"file","disks":[{"name":"a","uri":"nbd://h"}]})"),
            R"(field "disks[0].uri" is of driver "nbd" alone)");
  EXPECT_EQ(refusal<M>(R"({"driver":"nbd","disks":[{"name":"a","path":"/a"}]})"),
            R"(field "disks[0].path" is of driver "qmp" and "file" alone)");
  EXPECT_EQ(refusal<M>(R"({"driver":"file","disks":[{"name":"a","pat":"/a"}]})"),
            R"(field "disks[0].pat" is not known here; did you mean "path"?)");
  EXPECT_THAT(refusal<M>(R"({"driver":"file","disks":[{"name":"a"}]})"),
              StartsWith(R"(field "disks[0].path" is missing; it must be an absolute path)"));
  EXPECT_THAT(refusal<M>(R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd+unix://d?socket=/s"}]})"),
              HasSubstr("nbd+unix:///EXPORT?socket=/PATH"));
  EXPECT_EQ(refusal<M>(R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h","trust_bitmap":true}]})"),
            R"(disk "a" has "trust_bitmap", but no "bitmap" that could be trusted)");
}

TEST(MachineJson, a_refusal_names_the_field_the_value_and_what_would_be_right) {
  using M = MachineDefinition;
  EXPECT_THAT(
      refusal<M>(R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"quiesce":"maybe"})"),
      StartsWith(R"(field "quiesce" is "maybe"; it must be "auto", "never" or "required")"));
  EXPECT_EQ(refusal<M>(R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","nod":"b"}]})"),
            R"(field "disks[0].nod" is not known here; did you mean "node"?)");
  EXPECT_EQ(refusal<M>(R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b","node":"c"}]})"),
            R"(field "node" is there twice)");
  EXPECT_THAT(
      refusal<M>(
          R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"},{"name":".a","node":"c"}]})"),
      StartsWith(R"(field "disks[1].name" is ".a"; it must be a name)"));
  EXPECT_EQ(
      refusal<M>(
          R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"},{"name":"a","node":"c"}]})"),
      R"(field "disks" has "a" twice)");
  EXPECT_EQ(refusal<M>(R"({"driver":"qmp","socket":"/s","disks":[]})"),
            R"(field "disks" is []; it must be a list of at least one disk)");
  EXPECT_EQ(refusal<M>(R"({"socket":"/s","disks":[{"name":"a","node":"b"}]})"),
            R"(field "driver" is missing; it must be "qmp", "nbd" or "file")");
}

TEST(MachineJson, root_alone_sets_where_disks_are) {
  MachineDefinition before = an_nbd_machine(), after = before;
  after.disks[1] = a_disk("b", {{"uri", "nbds://host/b"}, {"bitmap", "dirty"}});
  std::swap(after.disks[0], after.disks[1]);
  EXPECT_EQ(root_only_change(before, after), "");
  after.disks[1] = a_disk("a", {{"uri", "nbd://elsewhere/a"}});
  EXPECT_EQ(root_only_change(before, after), "disks[1].uri");
  after.disks.pop_back();
  EXPECT_EQ(root_only_change(before, after), "");
  after.disks.push_back(a_disk("c", {{"uri", "nbd://host/a"}}));
  EXPECT_EQ(root_only_change(before, after), "disks[1].uri") << "a disk that is new";
  EXPECT_EQ(root_only_change(before, a_file_machine()), "disks[0].path");
  EXPECT_EQ(root_only_change(MachineDefinition{}, a_file_machine()), "disks[0].path");
  EXPECT_EQ(root_only_change(a_file_machine(), a_machine()), "socket");
}

TEST(MachineJson, root_alone_names_nodes) {
  MachineDefinition machine = a_machine();
  machine.disks[1].fields = driver_fields({{"node", "another"}, {"path", nullptr}, {"format", "raw"}});
  EXPECT_EQ(root_only_change(a_machine(), machine), "disks[1].node");
  machine = a_machine();
  std::swap(machine.disks[0].name, machine.disks[1].name);
  EXPECT_EQ(root_only_change(a_machine(), machine), "disks[0].node");
}

TEST(MachineJson, root_alone_sets_the_socket) {
  MachineDefinition machine = a_machine();
  EXPECT_EQ(root_only_change(a_machine(), machine), "");
  machine.description = "other";
  machine.disks.pop_back();
  EXPECT_EQ(root_only_change(a_machine(), machine), "");
  machine.fields = driver_fields({{"socket", "/etc/shadow"}});
  EXPECT_EQ(root_only_change(a_machine(), machine), "socket");
}

TEST(MachineJson, the_schema_says_which_fields_root_alone_sets) {
  expect_roots_alone(nlohmann::ordered_json::parse(definition_schema<MachineDefinition>()));
}

TEST(MachineJson, the_examples_of_the_contract_are_read) {
  for (const char* text :
       {R"({"driver":"nbd","disks":[{"name":"disk-0","uri":"nbd+unix:///d?socket=/run/d.sock"}]})",
        R"({"driver":"file","disks":[{"name":"disk-0","path":"/dev/vg/lv"}]})",
        R"({"driver":"qmp","socket":"/run/vm.qmp","disks":[{"name":"disk-0","node":"disk0"}]})"})
    EXPECT_EQ(refusal<MachineDefinition>(text), "accepted");
}

TEST(MachineJson, the_schema_of_a_machine_judges_as_the_parser_does) {
  expect_judged_alike<MachineDefinition>({
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}]})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"tags":["x","y"],"description":"z"})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"tags":["x","x"]})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"tags":[""]})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"tags":"x"})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"more":1})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"quiesce":"required"})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"quiesce":"maybe"})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"quiesce":null})",
      R"({"driver":"qmp","socket":"s","disks":[{"name":"a","node":"b"}]})",
      R"({"driver":"nbd","socket":"/s","disks":[{"name":"a","node":"b"}]})",
      R"({"driver":"qmp","disks":[{"name":"a","node":"b"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","node":"b"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h:10809/x?tls=1"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbds://u@[::1]:1/x/y"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbds://u:p@h/"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"http://h/"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd+unix:///x?socket=/s"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbds+unix://u@/?tls-certificates=/c&socket=/s"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd+unix://x?socket=/s"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd+unix:///x?socket=s"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd+unix:///x"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h/a b"}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h","trust_bitmap":true}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h","bitmap":"","trust_bitmap":true}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h","bitmap":"b","trust_bitmap":true}]})",
      R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h","bitmap":"b"}]})",
      R"({"driver":"file","disks":[{"name":"a","path":"/a"}]})",
      R"({"driver":"file","disks":[{"name":"a","path":"a"}]})",
      R"({"driver":"file","disks":[{"name":"a","path":"/a","format":"qcow2"}]})",
      R"({"driver":"file","disks":[{"name":"a","path":"/a","format":"vmdk"}]})",
      R"({"driver":"file","disks":[{"name":"a","path":"/a","shared":true}]})",
      R"({"driver":"file","disks":[{"name":"a","path":"/a","shared":true,"format":"qcow2"}]})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b","path":"/a","format":"qcow2"}]})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b","path":null}]})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b","path":"a"}]})",
      R"({"driver":"file","disks":[{"name":"a","path":"/a"}],"socket":"/s"})",
      R"({"driver":"abacus","disks":[{"name":"a","path":"/a"}]})",
      R"({"socket":"/s","disks":[{"name":"a","node":"b"}]})",
      R"({"driver":"qmp","socket":"/s","disks":[]})",
      R"({"driver":"qmp","socket":"/s"})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a"}]})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":""}]})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a/b","node":"b"}]})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":".a","node":"b"}]})",
      R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b","more":1}]})",
      R"({"driver":"qmp","socket":"/s","disks":["a"]})",
  });
}

}  // namespace
}  // namespace holdfast
