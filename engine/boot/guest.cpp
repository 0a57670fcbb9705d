#include "engine/boot/guest.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "catalog/base/bytes.h"
#include "catalog/base/cut.h"

namespace holdfast::boot {
namespace {

constexpr const char* kProgram = "/usr/bin/qemu-system-x86_64";
constexpr const char* kName = "the boot check's QEMU";  // in sentences
constexpr const char* kKvm = "/dev/kvm";
constexpr std::uint32_t kNobody = 65534;
constexpr std::uint64_t kMemory = kGiB;             // the guest\'s
constexpr std::uint64_t kMemoryOfQemu = 4 * kGiB;   // address space beside the guest's
constexpr std::uint64_t kTranslated = 128;          // MiB that TCG may keep of translated code
constexpr std::uint64_t kLargestFile = 256 * kMiB;  // QEMU writes pictures of the screen only
constexpr std::size_t kDisksOfController = 6;       // places of an AHCI controller
constexpr std::size_t kKept = 64 * kKiB;            // bytes kept of what the guest says
constexpr const char *kFirmware = "firmware", *kConsole = "console";
constexpr std::chrono::milliseconds kAgentsPatience{500};
constexpr std::chrono::milliseconds kForItsEnd{5000};

// The page of a VGA in text mode: two bytes a cell, in 32 KiB, of which a system may show any part.
constexpr std::uint64_t kTextMemory = 0xb8000;
constexpr std::size_t kTextWords = 8192, kColumns = 80;
constexpr std::size_t kTextWidth = 720, kTextHeight = 400;

// Returns the group that may use KVM.
std::vector<std::uint32_t> groups_for(Accelerator accelerator) {
  struct stat facts {};
  if (accelerator != Accelerator::kvm || ::stat(kKvm, &facts) != 0) return {};
  return {facts.st_gid};
}

void add(std::vector<std::string>& to, std::initializer_list<std::string> words) {
  to.insert(to.end(), words);
}

// Decodes what QEMU has encoded.
std::string from_base64(const std::string& text) {
  std::string bytes(text.size(), '\0');
  const auto read = [](const char* from) { return reinterpret_cast<const unsigned char*>(from); };
  const int length = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), read(text.data()),
                                       static_cast<int>(text.size()));
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(length < 0 ? 0 : static_cast<std::size_t>(length) - padding);
  return bytes;
}

// Reads the cells out of lines as "00000000000b8000: 0x07650753 0x07420761".
std::string text_of_cells(std::string_view dump) {
  std::string text;
  std::size_t column = 0;
  for (std::size_t at = dump.find("0x"); at != std::string_view::npos; at = dump.find("0x", at + 2)) {
    std::uint32_t word = 0;
    (void)std::from_chars(dump.data() + at + 2, dump.data() + dump.size(), word, 16);
    for (const std::uint32_t cell : {word, word >> 16}) {
      const char letter = static_cast<char>(cell);
      text += letter >= ' ' && letter <= '~' ? letter : ' ';
      if (++column % kColumns == 0) text += '\n';
    }
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<Guest>> Guest::start(const GuestPlan& plan) {
  std::unique_ptr<Guest> guest(new Guest);
  for (Wire* wire : {&guest->monitor_, &guest->agent_wire_, &guest->errors_}) {
    HF_TRY(*wire, lay_wire());
  }
  HF_CHECK(guest->make_screen_file());
  HF_CHECK(guest->spawn(plan));
  auto client = source::qmp::Client::over(std::move(guest->monitor_.ours), kName, {});
  if (!client) return guest->explain(client.error());
  guest->client_ = *std::move(client);
  guest->agent_ = source::qmp::Agent::over(std::move(guest->agent_wire_.ours), kName, kAgentsPatience);
  return guest;
}

Result<Guest::Wire> Guest::lay_wire() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("making a pair of sockets");
  Wire wire{Fd{ends[0]}, Fd{ends[1]}};
  if (::fcntl(wire.ours.get(), F_SETFL, O_NONBLOCK) != 0) return fail_errno("setting up a socket");
  return wire;
}

// QEMU takes a descriptor for a picture only if it is open for writing alone.
Result<> Guest::make_screen_file() {
  screen_ = Fd{::memfd_create("screen", MFD_CLOEXEC)};
  if (!screen_) return fail_errno("making a file in memory");
  screen_of_qemu_ = Fd{::open(fmt::format("/proc/self/fd/{}", screen_.get()).c_str(), O_WRONLY | O_CLOEXEC)};
  if (!screen_of_qemu_) return fail_errno("opening a file in memory");
  return {};
}

std::vector<std::string> Guest::arguments(const GuestPlan& plan) const {
  const bool is_kvm = plan.accelerator == Accelerator::kvm;
  std::vector<std::string> all = {"qemu-system-x86_64", "-nodefaults", "-no-user-config"};
  add(all, {"-machine", "pc", "-accel", is_kvm ? "kvm" : fmt::format("tcg,tb-size={}", kTranslated)});
  add(all, {"-cpu", is_kvm ? "host" : "max,la57=off", "-m", fmt::format("{}M", kMemory / kMiB)});
  add(all, {"-nic", "none", "-display", "none", "-device", "VGA", "-device", "pvpanic"});
  add(all, {"-action", "reboot=shutdown,shutdown=pause,panic=pause", "-boot", "strict=on"});
  add(all, {"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"});
  add(all, {"-add-fd", fmt::format("fd={},set=1", screen_of_qemu_.get())});
  const auto chardev = [&](const char* name, const Wire& wire) {
    add(all, {"-chardev", fmt::format("socket,id={},fd={}", name, wire.theirs.get())});
  };
  chardev("monitor", monitor_);
  chardev("agent", agent_wire_);
  // A buffer in QEMU never makes the guest wait, as a socket that nobody reads for a moment does.
  for (const char* name : {kFirmware, kConsole})
    add(all, {"-chardev", fmt::format("ringbuf,id={},size={}", name, kKept)});
  add(all, {"-mon", "chardev=monitor,mode=control", "-serial", "chardev:console"});
  add(all, {"-device", "isa-debugcon,iobase=0x402,chardev=firmware"});
  add(all, {"-device", "virtio-serial-pci", "-device",
            "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"});
  for (std::size_t i = 0; i < plan.disks.size(); ++i) {
    add(all, {"-blockdev",
              fmt::format("driver=nbd,node-name=disk{},server.type=fd,server.str={}", i, plan.disks[i])});
    const std::string of_disk =
        fmt::format("drive=disk{},bootindex={},rerror=report,werror=report", i, i + 1);
    const std::size_t controller = i / kDisksOfController, port = i % kDisksOfController;
    if (plan.bus == BootBus::sata && port == 0)
      add(all, {"-device", fmt::format("ahci,id=sata{}", controller)});
    const std::string device = plan.bus == BootBus::virtio
                                   ? "virtio-blk-pci"
                                   : fmt::format("ide-hd,bus=sata{}.{}", controller, port);
    add(all, {"-device", device + "," + of_disk});
  }
  return all;
}

Result<> Guest::spawn(const GuestPlan& plan) {
  const Fd program{::open(kProgram, O_RDONLY | O_CLOEXEC)};
  if (!program && errno == ENOENT)
    return fail(ENOENT, "there is no {}; install qemu-system-x86 to check whether points boot", kProgram);
  if (!program) return fail_errno("opening {}", kProgram);
  const Fd nothing{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  if (!nothing) return fail_errno("opening /dev/null");
  std::vector<int> kept = plan.disks;
  for (const Wire* wire : {&monitor_, &agent_wire_}) kept.push_back(wire->theirs.get());
  kept.push_back(screen_of_qemu_.get());
  HF_TRY(process_,
         ChildProcess::start(
             {.program = program,
              .arguments = arguments(plan),
              .environment = {},
              .user = {.uid = kNobody, .gid = kNobody, .groups = groups_for(plan.accelerator)},
              .input = nothing.get(),
              .output = errors_.theirs.get(),
              .errors = errors_.theirs.get(),
              .kept = std::move(kept),
              .limits = {
                  {RLIMIT_AS, kMemory + kMemoryOfQemu}, {RLIMIT_FSIZE, kLargestFile}, {RLIMIT_CORE, 0}}}));
  for (Wire* wire : {&monitor_, &agent_wire_, &errors_}) wire->theirs = Fd();
  return {};
}

Result<> Guest::listen(std::chrono::milliseconds time) {
  const auto ends_the_guest = [](const source::qmp::Json& event) {
    const std::string name = source::qmp::text_of(event, "event");
    return name == "SHUTDOWN" || name == "GUEST_PANICKED";
  };
  const auto event = client_->wait_event(0, ends_the_guest, source::Deadline::in(time));
  if (!event) return explain(event.error());
  HF_CHECK(hear(kFirmware, firmware_));
  HF_CHECK(hear(kConsole, console_));
  if (!*event || stopped_) return {};
  const bool panicked = source::qmp::text_of(**event, "event") == "GUEST_PANICKED";
  const auto data = (*event)->value("data", source::qmp::Json::object());
  stopped_ = panicked                                                ? "kernel panic"
             : source::qmp::text_of(data, "reason") == "guest-reset" ? "the guest restarted itself"
                                                                     : "the guest switched itself off";
  return {};
}

// Takes what a buffer has got since the last call.
Result<> Guest::hear(const char* chardev, std::string& said) {
  const auto heard =
      client_->execute("ringbuf-read", {{"device", chardev}, {"size", kKept}, {"format", "base64"}});
  if (!heard) return explain(heard.error());
  said += from_base64(heard->is_string() ? heard->get<std::string>() : std::string{});
  if (said.size() > kKept) said.erase(0, said.size() - kKept);
  return {};
}

// Returns what QEMU has written to its standard error.
std::string Guest::errors() {
  char text[kLongestQuote];
  const ssize_t n = ::recv(errors_.ours.get(), text, sizeof text, MSG_DONTWAIT);
  return on_one_line(std::string_view{text, static_cast<std::size_t>(std::max<ssize_t>(n, 0))});
}

bool Guest::agent_answers() { return agent_->ping().has_value(); }

Result<Picture> Guest::picture() {
  HF_TRY(const std::string file, dump_screen("ppm"));
  return read_pixmap(file);
}

Result<std::string> Guest::screenshot() { return dump_screen("png"); }

Result<std::string> Guest::dump_screen(const char* format) {
  if (::lseek(screen_of_qemu_.get(), 0, SEEK_SET) != 0) return fail_errno("rewinding a file in memory");
  const auto done = client_->execute("screendump", {{"filename", "/dev/fdset/1"}, {"format", format}});
  if (!done) return explain(done.error());
  struct stat facts {};
  if (::fstat(screen_.get(), &facts) != 0) return fail_errno("measuring a file in memory");
  std::string file(static_cast<std::size_t>(facts.st_size), '\0');
  if (::pread(screen_.get(), file.data(), file.size(), 0) != facts.st_size)
    return fail_errno("reading a file in memory");
  return file;
}

Result<std::string> Guest::text_on(const Picture& screen) {
  if (screen.width != kTextWidth || screen.height != kTextHeight) return "";
  const std::string command = fmt::format("xp /{}xw {:#x}", kTextWords, kTextMemory);
  const auto dump = client_->execute("human-monitor-command", {{"command-line", command}});
  if (!dump) return explain(dump.error());
  return text_of_cells(dump->is_string() ? dump->get<std::string>() : std::string{});
}

// Returns how QEMU ended, if it has: that is why it gives no answer.
tl::unexpected<Error> Guest::explain(const Error& error) {
  pollfd end{process_->process().get(), POLLIN, 0};
  if (error.code != ECONNRESET || ::poll(&end, 1, static_cast<int>(kForItsEnd.count())) <= 0)
    return within(error, "QEMU gives no answer");
  const std::string said = errors();
  return fail(EIO, "QEMU {}{}{}", describe_status(process_->end()), said.empty() ? "" : ": ", said);
}

}  // namespace holdfast::boot
