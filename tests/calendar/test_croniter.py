#!/usr/bin/python3
"""A year of random crons in 20 zones, compared time by time with an oracle: croniter for the calendar, Python's
zoneinfo for the zones.

Times within a day of a clock change are left out, because croniter does not know clock changes;
tests/schedule/clock_changes_test.cpp has a table of them. croniter is slow: `tools/test --long schedules` compares
1,000 crons."""

import bisect
import datetime
import itertools
import os
import pathlib
import random
import subprocess
import unittest
import zoneinfo

import croniter

PROGRAM = pathlib.Path(os.environ.get("HOLDFAST_BUILD", "build/release")) / "tests/schedule_times"
SCHEDULES = int(os.environ.get("HOLDFAST_SCHEDULES", 40))
ZONES = """UTC Europe/Berlin Europe/London Europe/Moscow America/New_York America/St_Johns America/Los_Angeles
    America/Sao_Paulo America/Santiago America/Havana Asia/Tokyo Asia/Kolkata Asia/Kathmandu Asia/Tehran Africa/Cairo
    Africa/Casablanca Australia/Sydney Australia/Lord_Howe Pacific/Auckland Pacific/Chatham""".split()
BEGIN = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
END = BEGIN + datetime.timedelta(days=365)
DAY = 86400
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS = "sun mon tue wed thu fri sat".split()
LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def some(chance, least, most, names=()):
    """Returns a random field: a number, a range, a step, a list of them, or names where the field has names."""

    def word(number):
        return names[number - least] if names and chance.random() < 0.5 else str(number)

    def part():
        first, last = sorted(chance.sample(range(least, most + 1), 2))
        step = chance.randint(1, max(1, (last - first) // 2))
        return chance.choice([word(first), word(last), f"{word(first)}-{word(last)}", f"{first}-{last}/{step}"])

    return ",".join(part() for _ in range(chance.choice([1, 1, 1, 2, 3])))


def some_cron(chance):
    """Returns a random cron, mostly with a few times a day. A step in one day field comes with a star in the other
    one, because croniter reads both fields together differently."""
    if chance.random() < 0.05:
        return chance.choice(["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"])
    minute = str(chance.randint(0, 59)) if chance.random() < 0.8 else chance.choice([some(chance, 0, 59), "*/20", "*"])
    kind = chance.random()
    hour = "*" if kind < 0.1 else f"*/{chance.randint(2, 12)}" if kind < 0.3 else some(chance, 0, 23)
    if "*" in minute and "*" in hour:
        hour = str(chance.randint(0, 23))
    day, weekday = chance.choice([
        ("*", "*"),
        (some(chance, 1, 31), "*"),
        ("*", some(chance, 0, 6, WEEKDAYS)),
        (some(chance, 1, 28), some(chance, 0, 6, WEEKDAYS)),
        (f"*/{chance.randint(2, 15)}", "*"),
        ("*", "*/2"),
        ("*", "7"),
    ])
    month = "*" if chance.random() < 0.6 else some(chance, 1, 12, MONTHS) if chance.random() < 0.7 else "*/3"
    return f"{minute} {hour} {day} {month} {weekday}"


def is_read_rightly(cron):
    """Whether croniter reads the cron correctly. croniter skips the first days of a month after a day that the last
    month lacks. It also takes a complete list of days for a star. tests/schedule has such rules."""
    expanded = croniter.croniter.expand(cron)[0]
    days = expanded[2]
    jumps = days != ["*"] and max(days) >= 29 and min(days) <= 3
    written_out = any(field == ["*"] and "*" not in text for field, text in zip(expanded, cron.split()))
    return cron.startswith("@") or not jumps and not written_out


def comes(cron):
    """Whether one of the cron's months has one of its days. Holdfast refuses a cron without times."""
    _, _, days, months, weekdays = croniter.croniter.expand(cron)[0]
    if days == ["*"] or weekdays != ["*"]:
        return True
    longest = max(LONGEST if months == ["*"] else [LONGEST[month - 1] for month in months])
    return min(days) <= longest


def some_crons(chance):
    while True:
        cron = some_cron(chance)
        if is_read_rightly(cron) and comes(cron):
            yield cron


def changes(zone):
    """Instants within the year, and a day around it, at which the zone's clocks change."""
    offset = lambda at: datetime.datetime.fromtimestamp(at, zone).utcoffset()
    hours = range(int(BEGIN.timestamp()) - DAY, int(END.timestamp()) + DAY, 3600)
    return [hour for hour in hours if offset(hour) != offset(hour + 3600)]


def far_from(changed, times):
    """Times that are more than a day away from each clock change."""

    def is_far(at):
        i = bisect.bisect(changed, at)
        return all(abs(at - one) > DAY + 3600 for one in changed[max(0, i - 1) : i + 1])

    return [at for at in times if is_far(at)]


def by_croniter(cron, zone):
    """Times by croniter: the calendar first, without zones; then each minute as an instant of the zone."""
    naive = BEGIN.replace(tzinfo=None) - datetime.timedelta(days=2)
    calendar = croniter.croniter(cron, naive)
    while True:
        shown = calendar.get_next(datetime.datetime)
        at = int(shown.replace(tzinfo=zone).timestamp())
        if at > END.timestamp():
            return
        if at > BEGIN.timestamp():
            yield at


def by_holdfast(schedules):
    """Returns a list of times for each (zone, cron)."""
    span = f"{int(BEGIN.timestamp())}\t{int(END.timestamp())}"
    asked = "".join(f"{zone}\t{cron}\t{span}\n" for zone, cron in schedules)
    done = subprocess.run([PROGRAM], input=asked, stdout=subprocess.PIPE, text=True, check=True)
    return [[int(at) for at in line.split()] for line in done.stdout.split("\n")[:-1]]


def differences(schedules, found):
    """Returns a sentence for each schedule that differs from the oracle, and the number of compared times."""
    known = {name: (zoneinfo.ZoneInfo(name), changes(zoneinfo.ZoneInfo(name))) for name in ZONES}
    sentences, compared = [], 0
    for (name, cron), times in zip(schedules, found, strict=True):
        zone, changed = known[name]
        right = far_from(changed, by_croniter(cron, zone))
        ours = far_from(changed, times)
        compared += len(right)
        if ours != right:
            odd = sorted(set(ours) ^ set(right))[:3]
            told = [f"{datetime.datetime.fromtimestamp(at, zone)}{' too many' if at in ours else ' missing'}" for at in odd]
            sentences.append(f"{cron} in {name}: {', '.join(told)}")
    return sentences, compared


class Croniter(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        seed = int(os.environ.get("HOLDFAST_SEED") or random.randrange(2**32))
        print(f"seed: HOLDFAST_SEED={seed}", flush=True)
        chance = random.Random(seed)
        cls.schedules = list(zip(itertools.islice(itertools.cycle(ZONES), SCHEDULES), some_crons(chance)))
        cls.found = by_holdfast(cls.schedules)

    def test_a_year_of_each_schedule_equals_the_oracle(self):
        sentences, compared = differences(self.schedules, self.found)
        self.assertEqual(sentences, [])
        print(f"{SCHEDULES} schedules in {len(ZONES)} zones, {compared} times compared", flush=True)
        self.assertGreater(compared, 100 * SCHEDULES)

    def test_a_missing_an_extra_and_a_shifted_time_are_reported(self):
        for spoil in (lambda t: t[:-1], lambda t: t + [t[-1] + 60], lambda t: [t[0] - 60] + t[1:]):
            schedules = [("Asia/Tokyo", "15 3 * * *"), ("Europe/Berlin", "0 0 1 * *")]
            found = by_holdfast(schedules)
            self.assertEqual(differences(schedules, found)[0], [])
            found[0] = sorted(spoil(found[0]))
            (sentence,), _ = differences(schedules, found)
            self.assertIn("15 3 * * * in Asia/Tokyo", sentence)

    def test_another_zone_is_reported(self):
        (found,) = by_holdfast([("Europe/London", "15 3 * * *")])
        self.assertEqual(len(differences([("Europe/Berlin", "15 3 * * *")], [found])[0]), 1)


if __name__ == "__main__":
    unittest.main()
