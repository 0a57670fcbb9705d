"""Disks that boot, or fail to, for boot checks; and what a check leaves: pictures and processes."""

import os
import shutil
import struct
import subprocess
import zlib

import guest

MIB = 2**20
CAPACITY = MIB
SECTOR = 512
HELLO = "holdfast guest is up"
CONFIG = """DEFAULT linux
PROMPT 0
LABEL linux
 KERNEL vmlinuz
 APPEND initrd=initrd console=ttyS0 quiet panic=-1 no_timer_check nokaslr mitigations=off
"""
INIT = guest.SYSTEM + f"""agent
echo '{HELLO}'
exec sleep 1000000
"""

# Machine code that the firmware loads to 0x7c00. It writes itself to the disk's second sector, and halts if that fails.
WRITE = bytes.fromhex(
    "31c0 8ed8 8ed0 bc007c"  # xor %ax,%ax; mov %ax,%ds; mov %ax,%ss; mov $0x7c00,%sp
    "b80043 be807d cd13 7217"  # mov $0x4300,%ax; mov $0x7d80,%si; int $0x13; jc to hlt
)
# Prints the text at 0x7d00 to the screen and to the serial console.
PRINT = bytes.fromhex(
    "be007d ac 84c0 740f"  # mov $0x7d00,%si; lodsb; test %al,%al; jz to hlt
    "b40e bb0700 cd10"  # mov $0xe,%ah; mov $7,%bx; int $0x10
    "baf803 ee ebee 9090"  # mov $0x3f8,%dx; out %al,(%dx); jmp to lodsb
    "f4 ebfd"  # hlt; jmp to hlt
)
PACKET = struct.pack("<BBHHHQ", 16, 0, 1, 0x7C00, 0, 1)  # one sector at 0x7c00, to sector 1
FOR_EVER = bytes.fromhex("ebfe")


def boot_sector(code, text=""):
    sector = bytearray(SECTOR)
    sector[: len(code)] = code
    sector[0x100 : 0x100 + len(text)] = text.encode()
    sector[0x180 : 0x180 + len(PACKET)] = PACKET
    sector[-2:] = b"\x55\xaa"
    return bytes(sector)


def good():
    """A boot sector that writes to its disk and then greets."""
    return boot_sector(WRITE + PRINT, f"{HELLO}\r\n")


def panicking():
    return boot_sector(WRITE + PRINT, "Kernel panic - not syncing: no init found\r\n")


def hanging():
    return boot_sector(FOR_EVER)


def damaged():
    """A good boot sector without its signature."""
    return good()[:-2] + bytes(2)


def missing():
    """A sentence about missing programs; "" when all are there."""
    absent = [name for name in ("syslinux", "mcopy", "mkfs.vfat") if not shutil.which(name)]
    return f"{', '.join(absent)} is not installed" if absent else guest.missing()


def make_linux(disk, folder):
    """Makes a raw disk with a boot loader, Debian's kernel, and a system that runs the agent and greets on the serial
    console."""
    with open(disk, "wb") as file:
        file.truncate(96 * MIB)
    subprocess.run(["mkfs.vfat", "-h", "0", disk], check=True, stdout=subprocess.DEVNULL)
    (folder / "syslinux.cfg").write_text(CONFIG)
    for source in (guest.kernel(), guest.make_initrd(folder, INIT), folder / "syslinux.cfg"):
        name = "vmlinuz" if source == guest.kernel() else source.name
        subprocess.run(["mcopy", "-i", disk, source, f"::{name}"], check=True)
    subprocess.run(["syslinux", "--install", disk], check=True)


def damage_kernel(disk):
    """Overwrites 4 KiB in the middle of the compressed kernel."""
    with open(guest.kernel(), "rb") as kernel, open(disk, "r+b") as file:
        whole = kernel.read()
        content = file.read()
        middle = len(whole) // 2 // 4096 * 4096
        at = content.index(whole[middle : middle + 4096])
        file.seek(at)
        file.write(bytes(4096))


def pixels(png):
    """Decodes a PNG of eight bits a channel, without interlacing. Returns the width, the height and a set of colours."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n", png[:8]
    at, packed, head = 8, b"", None
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body), kind
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", body)
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    assert kind == b"IEND", kind
    width, height, depth, colour, _, _, interlaced = head
    assert (depth, interlaced) == (8, 0), head
    step = {2: 3, 6: 4}[colour]
    data, row, colours = zlib.decompress(packed), bytes(width * step), set()
    for number in range(height):
        line = data[number * (width * step + 1) :][: width * step + 1]
        row = _unfiltered(line[0], line[1:], row, step)
        colours.update(row[i : i + 3] for i in range(0, len(row), step))
    return width, height, colours


def _unfiltered(kind, line, above, step):
    row = bytearray(line)
    for i, value in enumerate(line):
        left, up, corner = (row[i - step] if i >= step else 0), above[i], (above[i - step] if i >= step else 0)
        if kind == 4:
            nearest = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
        else:
            nearest = [0, left, up, (left + up) // 2][kind]
        row[i] = (value + nearest) % 256
    return bytes(row)


def qemus_below(pid):
    """Process numbers of the QEMUs whose parent is that process."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii") as stat:
                name, _, rest = stat.read().partition("(")[2].rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name.startswith("qemu-system") and int(rest.split()[1]) == pid:
            found.append(int(entry))
    return found
