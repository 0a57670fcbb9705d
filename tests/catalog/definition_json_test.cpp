// config.json: what is read, what is printed, what is refused and in which words.
#include "catalog/model/definition_json.h"

#include "tests/catalog/fixture.h"
#include "tests/catalog/refusal.h"

namespace holdfast {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

MachineDefinition an_nbd_machine() {
  MachineDefinition machine;
  machine.driver = Driver::nbd;
  machine.disks = {{.name = "a", .uri = "nbd://host/a"},
                   {.name = "b", .uri = "nbds://host/b", .bitmap = "dirty", .trust_bitmap = true}};
  return machine;
}

MachineDefinition a_file_machine() {
  MachineDefinition machine;
  machine.driver = Driver::file;
  machine.disks = {{.name = "a", .path = "/dev/vg/a"}};
  return machine;
}

TEST(DefinitionJson, WhatIsPrintedReadsBackAsTheSame) {
  MachineDefinition machine = a_machine();
  machine.description = "the \"till\"\nžluť";
  machine.tags = {"a", "b"};
  machine.quiesce = Quiesce::required;
  for (const MachineDefinition& each : {machine, an_nbd_machine(), a_file_machine()})
    EXPECT_EQ(must(parse_definition<MachineDefinition>(print_definition(each))), each);
  const RepositoryDefinition repository{"vault", {"far"}, "/srv/b", Compression::deflate, 9, 2097152, true};
  EXPECT_EQ(must(parse_definition<RepositoryDefinition>(print_definition(repository))), repository);
  const FlowDefinition flow{"nightly", {"gold"}, FlowType::backup, "machines/m", "r", false};
  EXPECT_EQ(must(parse_definition<FlowDefinition>(print_definition(flow))), flow);
}

TEST(DefinitionJson, EveryFieldIsPrintedInAStableOrder) {
  EXPECT_EQ(print_definition(a_repository()), R"({
  "description": "",
  "tags": [],
  "path": "/srv/backup",
  "compression": "zstd",
  "compression_level": 1,
  "cluster_size": 65536,
  "max_jobs": 2,
  "bandwidth": null,
  "reserve": "2%",
  "read_only": false
}
)");
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
      "node": "node0"
    },
    {
      "name": "disk-1",
      "node": "node1"
    }
  ]
}
)");
}

TEST(DefinitionJson, AMachineHasTheFieldsOfItsDriverAlone) {
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
      "path": "/dev/vg/a"
    }
  ]
}
)");
  using M = MachineDefinition;
  EXPECT_EQ(refusal<M>(R"({"driver":"nbd","socket":"/s","disks":[{"name":"a","uri":"nbd://h"}]})"),
            R"(field "socket" is of driver "qmp" alone)");
  EXPECT_EQ(refusal<M>(R"({"driver":"file","disks":[{"name":"a","uri":"nbd://h"}]})"),
            R"(field "disks[0].uri" is of driver "nbd" alone)");
  EXPECT_EQ(refusal<M>(R"({"driver":"nbd","disks":[{"name":"a","path":"/a"}]})"),
            R"(field "disks[0].path" is of driver "file" alone)");
  EXPECT_EQ(refusal<M>(R"({"driver":"file","disks":[{"name":"a","pat":"/a"}]})"),
            R"(field "disks[0].pat" is not known here; did you mean "path"?)");
  EXPECT_THAT(refusal<M>(R"({"driver":"file","disks":[{"name":"a"}]})"),
              StartsWith(R"(field "disks[0].path" is missing; it must be an absolute path)"));
  EXPECT_THAT(refusal<M>(R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd+unix://d?socket=/s"}]})"),
              HasSubstr("nbd+unix:///EXPORT?socket=/PATH"));
  EXPECT_EQ(refusal<M>(R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h","trust_bitmap":true}]})"),
            R"(disk "a" has "trust_bitmap", but no "bitmap" that could be trusted)");
}

TEST(DefinitionJson, WhereDisksAreIsSetByRootAlone) {
  MachineDefinition before = an_nbd_machine(), after = before;
  after.disks[1].trust_bitmap = false;
  std::swap(after.disks[0], after.disks[1]);
  EXPECT_EQ(root_only_change(before, after), "");
  after.disks[1].uri = "nbd://elsewhere/a";
  EXPECT_EQ(root_only_change(before, after), "disks[1].uri");
  after.disks.pop_back();
  EXPECT_EQ(root_only_change(before, after), "");
  after.disks.push_back({.name = "c", .uri = "nbd://host/a"});
  EXPECT_EQ(root_only_change(before, after), "disks[1].uri") << "a disk that is new";
  EXPECT_EQ(root_only_change(before, a_file_machine()), "disks[0].path");
  EXPECT_EQ(root_only_change(MachineDefinition{}, a_file_machine()), "disks[0].path");
  EXPECT_EQ(root_only_change(a_file_machine(), a_machine()), "socket");
}

TEST(DefinitionJson, TheExamplesOfTheContractAreRead) {
  EXPECT_TRUE(parse_definition<MachineDefinition>(
      R"({"driver":"nbd","disks":[{"name":"disk-0","uri":"nbd+unix:///d?socket=/run/d.sock"}]})"));
  EXPECT_TRUE(parse_definition<MachineDefinition>(
      R"({"driver":"file","disks":[{"name":"disk-0","path":"/dev/vg/lv"}]})"));
  EXPECT_TRUE(parse_definition<RepositoryDefinition>(R"({"path":"/srv/backup"})"));
  EXPECT_TRUE(parse_definition<MachineDefinition>(
      R"({"driver":"qmp","socket":"/run/vm.qmp","disks":[{"name":"disk-0","node":"disk0"}]})"));
  EXPECT_TRUE(
      parse_definition<FlowDefinition>(R"({"type":"backup","target":"machines/m","repository":"r"})"));
}

TEST(DefinitionJson, AbsentFieldsGetTheirDefaults) {
  EXPECT_EQ(must(parse_definition<RepositoryDefinition>(R"({"path":"/srv/backup"})")), a_repository());
}

TEST(DefinitionJson, ASizeIsReadInBytesAndInUnits) {
  for (const char* size : {"65536", "\"65536\"", "\"64K\"", "65536.0"})
    EXPECT_EQ(must(parse_definition<RepositoryDefinition>(
                       fmt::format(R"({{"path":"/a","cluster_size":{}}})", size)))
                  .cluster_size,
              65536u)
        << size;
}

TEST(DefinitionJson, ARefusalNamesTheFieldTheValueAndWhatWouldBeRight) {
  using R = RepositoryDefinition;
  using M = MachineDefinition;
  EXPECT_EQ(refusal<R>(R"({"path":"/a","compresion":"zstd"})"),
            R"(field "compresion" is not known here; did you mean "compression"?)");
  EXPECT_THAT(refusal<R>(R"({"path":"/a","colour":"red"})"),
              StartsWith(R"(field "colour" is not known here, only "description", "tags", "path")"));
  EXPECT_EQ(refusal<R>(R"({"path":"/a","cluster_size":1000})"),
            R"(field "cluster_size" is 1000; it must be a power of two from 4096 to 2097152, )"
            R"(written in bytes or as "64K")");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","compression":"lzma"})"),
            R"(field "compression" is "lzma"; it must be "zstd", "deflate" or "none")");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","compression_level":0})"),
            R"(field "compression_level" is 0; it must be a whole number from 1 to 22)");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","reserve":"101%"})"),
            R"(field "reserve" is "101%"; it must be a share from "0%" to "100%")");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","reserve":2})"),
            R"(field "reserve" is 2; it must be a share from "0%" to "100%")");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","read_only":"yes"})"),
            R"(field "read_only" is "yes"; it must be true or false)");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","compression":"deflate","compression_level":13})"),
            R"(field "compression_level" is 13; for "deflate" it must be from 1 to 9)");
  EXPECT_THAT(
      refusal<M>(R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"quiesce":"maybe"})"),
      StartsWith(R"(field "quiesce" is "maybe"; it must be "auto", "never" or "required")"));
  EXPECT_THAT(refusal<R>("{}"), StartsWith(R"(field "path" is missing; it must be an absolute path)"));
  EXPECT_EQ(refusal<R>(R"({"path":"/a","path":"/b"})"), R"(field "path" is there twice)");
  EXPECT_EQ(refusal<R>(R"({"path":"/a\u0000b"})"),
            R"(field "path" is "/a\u0000b"; it must be text without a NUL)");
  EXPECT_EQ(refusal<R>(R"({"path":null})").substr(0, 21), R"(field "path" is null;)");
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
  EXPECT_EQ(
      refusal<FlowDefinition>(R"({"target":"m","repository":"r"})"),
      R"(field "target" is "m"; it must be a machine or a group, written as machines/NAME or groups/NAME)");
}

TEST(DefinitionJson, WhatIsNoJsonIsRefused) {
  using R = RepositoryDefinition;
  for (const char* text : {"", "{", R"({"path":"/a"} x)", R"({"path":"/a",})", "{'path':'/a'}", "\xff",
                           R"({"path":")"
                           "\xff\"}"})
    EXPECT_THAT(refusal<R>(text), StartsWith("this is no JSON: ")) << text;
  for (const char* text : {"[]", "1", "null", "\"x\""})
    EXPECT_THAT(refusal<R>(text), StartsWith("a definition is a JSON object")) << text;
}

TEST(DefinitionJson, AFoolishDepthIsRefusedAndNotFollowed) {
  const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
  EXPECT_EQ(refusal<RepositoryDefinition>(R"({"path":)" + deep + "}"),
            "this JSON is nested deeper than 16 levels");
}

TEST(DefinitionJson, ALongWrongValueIsShownInShort) {
  const std::string message =
      refusal<RepositoryDefinition>(R"({"path":"/a","cluster_size":")" + std::string(100'000, 'x') + R"("})");
  EXPECT_LT(message.size(), 300u);
}

TEST(DefinitionJson, WhatNamesTheHostIsSetByRootAlone) {
  MachineDefinition machine = a_machine();
  EXPECT_EQ(root_only_change(a_machine(), machine), "");
  machine.description = "other";
  machine.disks.pop_back();
  EXPECT_EQ(root_only_change(a_machine(), machine), "");
  machine.socket = "/etc/shadow";
  EXPECT_EQ(root_only_change(a_machine(), machine), "socket");
  EXPECT_EQ(root_only_change(a_repository(), a_repository("/etc")), "path");
  FlowDefinition flow = a_flow();
  flow.target = "machines/other";
  EXPECT_EQ(root_only_change(a_flow(), flow), "");
}

TEST(DefinitionJson, ANearMissOfAWordIsSuggested) {
  const auto read = parse_definition<RepositoryDefinition>(R"({"path":"/r","compression":"zsdt"})");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, testing::EndsWith("did you mean \"zstd\"?"));
}

TEST(DefinitionJson, EveryKindIsPrintedAndReadBack) {
  const auto same = []<class D>(const D& definition) {
    EXPECT_EQ(must(parse_definition<D>(print_definition(definition))), definition);
  };
  same(CredentialDefinition{"root's", {"lab"}});
  same(GroupDefinition{"all", {"prod"}});
  same(SettingsDefinition{});
  same(SettingsDefinition{1, false, 2});
  same(PolicyDefinition{});
  same(PolicyDefinition{.keep_last = 1,
                        .min_age = std::chrono::seconds{7},
                        .full_every = std::chrono::seconds{604800},
                        .verify = VerifyLevel::compare,
                        .sample = 5,
                        .bandwidth = 12});
  same(PolicyDefinition{.full_every = 30});
  same(PolicyDefinition{.full_every = CalendarPeriod::week});
  same(SourceDefinition{.uri = "qemu:///system"});
  same(SourceDefinition{.uri = "esx://ann@host/", .credential = "c", .max_jobs = 3, .bandwidth = 1000});
  same(ScheduleDefinition{.cron = "0 2 * * *", .blackout = {"sun"}});
  same(ScheduleDefinition{.every = std::chrono::seconds{90}, .jitter = std::chrono::seconds{60}});
}

TEST(DefinitionJson, NoPasswordStandsInAUri) {
  for (const char* uri : {"esx://root:secret@host/", "qemu", ":x", "1x:y", "a b:c"})
    EXPECT_THAT(refusal<SourceDefinition>(fmt::format(R"({{"driver":"libvirt","uri":"{}"}})", uri)),
                HasSubstr("without a password"))
        << uri;
  for (const char* uri : {"qemu:///system", "qemu+ssh://root@host:22/system", "test:default"})
    EXPECT_EQ(refusal<SourceDefinition>(fmt::format(R"({{"driver":"libvirt","uri":"{}"}})", uri)), "accepted")
        << uri;
}

TEST(DefinitionJson, WhatNamesTheHostOfASourceIsSetByRootAlone) {
  SourceDefinition before{.uri = "qemu:///system"}, after{.uri = "qemu:///system", .max_jobs = 9};
  EXPECT_EQ(root_only_change(before, after), "");
  after.credential = "c";
  EXPECT_EQ(root_only_change(before, after), "credential");
  after.uri = "test:default";
  EXPECT_EQ(root_only_change(before, after), "uri");
}

// What a flow or a machine is to be kept with, but the engine does not honour, must not be promised.

TEST(DefinitionJson, WhatIsNotHonouredYetIsNotAccepted) {
  EXPECT_THAT(refusal<PolicyDefinition>(R"({"boot_check":"7d"})"), HasSubstr("not known here"));
}

}  // namespace
}  // namespace holdfast
