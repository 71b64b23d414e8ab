#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tables in Markdown of what one run of the benchmarks wrote into $MOX_BENCH_JSON_DIR: what was asked for,
what came out, and what that is of what the machine can do.

    figures.py FOLDER         the figures that have a target, and the others by subject
    figures.py --all FOLDER   every figure, one a line, with its spread"""
import json
import pathlib
import sys

# The targets were measured on a machine that did so many single-row commits a second. Where the disk
# decides, the target is also a share of these.
TARGET_COMMITS = 4800

MORE, LESS = "at least", "at most"
GENERATED = {"content": "generated"}


def delivery(size, connections):
    return {"bytes": size, "connections": connections, "senders": 10000}


def fetch(item):
    return {"item": item, "messages": 10000, **GENERATED}


# What | program, figure, parameters | factor to the unit of the target | target | by the disk?
ROWS = [
    ("delivery, 4 KiB, 1 connection, per s", ("delivery", "delivery", delivery(4096, 1)), 1, MORE, 2000, True),
    ("delivery, 4 KiB, 10 connections, per s", ("delivery", "delivery", delivery(4096, 10)), 1, MORE, 5000, True),
    ("delivery, 4 KiB, 50 connections, per s", ("delivery", "delivery", delivery(4096, 50)), 1, MORE, 6000, True),
    ("messages per sync at 50 connections", ("delivery", "messages per sync", delivery(4096, 50)), 1, MORE, 4, False),
    ("delivery, 100 KiB, 10 connections, per s",
     ("delivery", "delivery", delivery(102400, 10)), 1, MORE, 1500, True),
    ("CPU per 4 KiB message, 1 connection, ms",
     ("delivery", "CPU per message", delivery(4096, 1)), 1, LESS, 0.25, False),
    ("CPU per 4 KiB message, 10 connections, ms",
     ("delivery", "CPU per message", delivery(4096, 10)), 1, LESS, 0.25, False),
    ("APPEND, 4 KiB, 1 connection, per s",
     ("imap", "APPEND", {"bytes": 4096, "connections": 1}), 1, MORE, 2000, True),
    ("APPEND, 4 KiB, 10 connections, per s",
     ("imap", "APPEND", {"bytes": 4096, "connections": 10}), 1, MORE, 6000, True),
    ("SELECT of 100,000, cold, ms", ("imap", "SELECT cold", {"messages": 100000}), 1, LESS, 30, False),
    ("SELECT of 100,000, warm, ms", ("imap", "SELECT again", {"messages": 100000}), 1, LESS, 0.2, False),
    ("FETCH FLAGS UID RFC822.SIZE of 10,000, thousand per s",
     ("imap", "FETCH", fetch("FLAGS+UID+RFC822.SIZE")), 1e-3, MORE, 1500, False),
    ("FETCH ENVELOPE of 10,000, thousand per s", ("imap", "FETCH", fetch("ENVELOPE")), 1e-3, MORE, 600, False),
    ("FETCH BODYSTRUCTURE of 10,000, thousand per s",
     ("imap", "FETCH", fetch("BODYSTRUCTURE")), 1e-3, MORE, 700, False),
    ("FETCH BODY.PEEK[] of 10,000, thousand per s",
     ("imap", "FETCH", fetch("BODY.PEEK[]")), 1e-3, MORE, 160, False),
    ("STORE of a flag on 10,000, ms", ("imap", "STORE", {"messages": 10000}), 1, LESS, 10, False),
    ("the same in a mailbox of 100,000", ("imap", "STORE", {"messages": 100000}), 1, LESS, 10, False),
    ("COPY of 10,000, ms", ("imap", "COPY", {"messages": 10000}), 1, LESS, 25, False),
    ("the same out of a mailbox of 100,000", ("imap", "COPY", {"messages": 100000}), 1, LESS, 25, False),
    ("1,000 idle sessions, KiB each",
     ("sessions", "idle session, memory", {"sessions": 1000, "tls": "no"}), 1, LESS, 16, False),
    ("1,000 idle sessions, ms until the last is told",
     ("sessions", "delivery until the last is told, p50", {"sessions": 1000, "tls": "no"}), 1, LESS, 15, False),
    ("SCRAM-SHA-256 with 4,096 iterations, both sides, ms",
     ("sasl", "log-in, both sides", {"mechanism": "SCRAM-SHA-256", "iterations": 4096}), 1, LESS, 5, False),
    ("start to listening, ms", ("start", "start", {"messages": 100000}), 1, LESS, 30, False),
    ("idle RSS, MB", ("start", "idle RSS", {"messages": 100000}), 1.048576, LESS, 8, False),
]

# The machine varies by more than this from one minute to the next.
TOLERANCE = 1.25


def load(folder):
    """The programs' results by their names."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        result = json.loads(path.read_text())
        found[result["bench"]] = result
    return found


def find(results, bench, what, params):
    """The figure with these parameters, among others, or None."""
    for figure in results.get(bench, {}).get("figures", []):
        if figure["what"] == what and params.items() <= figure["params"].items():
            return figure
    return None


def number(value):
    """Three digits that matter; thousands apart."""
    size = abs(value)
    places = 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{places}f}"


def spread(figure, factor):
    text = number(figure["value"] * factor)
    if "low" in figure:
        text += f" ({number(figure['low'] * factor)}–{number(figure['high'] * factor)})"
    return text


def line(*cells):
    print("| " + " | ".join(str(c) for c in cells) + " |")


def is_met(value, which, target):
    return value >= target if which == MORE else value <= target


def verdict(figure, factor, which, target, by_disk):
    value = figure["value"] * factor
    text = "yes" if is_met(value, which, target) else f"no: by {abs(value / target - 1):.0%}"
    if not by_disk or "ratio" not in figure:
        return text
    share = figure["ratio"] / (target / TARGET_COMMITS)
    return text + (", as a ratio too" if share >= 1 else f"; as a ratio no: by {1 - share:.0%}")


def print_row(results, name, where, factor, which, target, by_disk):
    figure = find(results, *where)
    wanted = f"{which} {number(target)}"
    if by_disk:
        wanted += f" = {target / TARGET_COMMITS:.2f} × commits"
    if figure is None:
        line(name, wanted, "not measured", "", "")
        return
    ratio = f"{figure['ratio']:.2f} × {figure['of']}" if "ratio" in figure else ""
    bytes_figure = find(results, where[0], where[1] + " bytes", where[2])
    if bytes_figure is not None and "ratio" in bytes_figure:
        ratio = f"{bytes_figure['ratio']:.2f} × {bytes_figure['of']}"
    line(name, wanted, spread(figure, factor), ratio, verdict(figure, factor, which, target, by_disk))


def print_sender_row(results):
    """What one sender's history costs, without what the growing mailbox costs."""
    def growth(senders):
        return find(results, "growth", "growth of delivery",
                    {"messages": 50000, "connections": 10, "senders": senders})
    one, many = growth(1), growth(10000)
    name = "cost of a message after 20,000 and more of its sender ÷ of the first"
    if one is None or many is None:
        line(name, "1", "not measured", "", "")
        return
    share = one["value"] / many["value"]
    line(name, f"1 (to {TOLERANCE})", f"{number(one['value'])}; with as many of other senders {number(many['value'])}",
         "", "yes" if share <= TOLERANCE else f"no: by {share - 1:.0%}")


def print_machine(results):
    line("program", "what the machine did meanwhile (lowest–highest)")
    line("---", "---")
    for name, result in results.items():
        machine = [f"{what} {number(m['value'])} {m['unit']} ({number(m['low'])}–{number(m['high'])})"
                   for what, m in result["machine"].items()]
        if machine:
            line(name, ", ".join(machine))


def print_targets(results):
    line("work", "target", "ours (lowest–highest)", "ratio to the machine", "met?")
    line("---", "---", "---", "---", "---")
    for row in ROWS:
        print_row(results, *row)
    print_sender_row(results)
    print()
    print_machine(results)
    print_grids(results)


def plain(params, *without):
    return ", ".join(f"{k} {v:,}" if isinstance(v, int) else str(v) for k, v in params.items() if k not in without)


def print_grid(title, figures, row_of, column_of):
    """Values by two of their properties."""
    rows, columns, cells = [], [], {}
    for figure in figures:
        row, column = row_of(figure), column_of(figure)
        rows += [row] if row not in rows else []
        columns += [column] if column not in columns else []
        cells[row, column] = number(figure["value"])
    if not rows:
        return
    print(f"\n### {title}\n")
    line("", *columns)
    line("---", *["--:" for _ in columns])
    for row in rows:
        line(row, *[cells.get((row, column), "") for column in columns])


def print_grids(results):
    """All that has no target, by subject."""
    def of(bench, accept):
        return [f for f in results.get(bench, {}).get("figures", []) if accept(f)]

    def named(figure):
        return f"{figure['what']}, {figure['unit']}"

    def mailbox(figure):
        return plain({k: v for k, v in figure["params"].items() if k in ("messages", "content")})

    print_grid("Deliveries", of("delivery", lambda f: True), lambda f: plain(f["params"]), named)
    print_grid("APPEND", of("imap", lambda f: f["what"].startswith("APPEND")), lambda f: plain(f["params"]), named)
    print_grid("SELECT", of("imap", lambda f: f["what"].startswith("SELECT")), named, mailbox)
    print_grid("FETCH of 10,000, messages per s", of("imap", lambda f: f["what"] == "FETCH"),
               lambda f: f["params"]["item"].replace("+", " "), mailbox)
    print_grid("SEARCH, ms", of("imap", lambda f: f["what"] == "SEARCH"), lambda f: f["params"]["key"], mailbox)
    print_grid("Changes of 10,000 messages, and single commands",
               of("imap", lambda f: list(f["params"]) == ["messages"]), named, mailbox)
    print_grid("Growth: cost at so many messages in the mailbox",
               of("growth", lambda f: not f["what"].startswith("growth of ")),
               lambda f: ", ".join(filter(None, [named(f), plain(f["params"], "messages", "sent-before")])), mailbox)
    print_grid("Start and memory", of("start", lambda f: True), named, mailbox)


def print_all(results):
    print_machine(results)
    for name, result in results.items():
        print(f"\n### {name}\n")
        line("what", "parameters", "value (lowest–highest)", "unit", "ratio to the machine")
        line("---", "---", "---", "---", "---")
        for f in result["figures"]:
            params = ", ".join(f"{k} {v}" for k, v in f["params"].items())
            line(f["what"], params, spread(f, 1), f["unit"],
                 f"{f['ratio']:.3g} × {f['of']}" if "ratio" in f else "")


def main():
    arguments = sys.argv[1:]
    everything = arguments[:1] == ["--all"]
    if len(arguments) != 1 + everything:
        sys.exit(__doc__)
    results = load(arguments[-1])
    if not results:
        sys.exit(f"no JSON files in {arguments[-1]}: run the benchmarks with MOX_BENCH_JSON_DIR set to it")
    (print_all if everything else print_targets)(results)


main()
