#!/usr/bin/env python3
"""Verifies Portcullis audit records with the standard library alone: python3 verify_audit.py FILE...

Says for each file which streams it holds, how far they reach and what is wrong; exits 0 when nothing is. The format
is described in audit.md. It keeps every hash in memory: for files beyond a few gigabytes use `portcullis audit verify`.
"""
import hashlib
import json
import sys


def digest(purpose, content):
    return hashlib.sha256(b"portcullis audit " + purpose + b" v1\n" + content).hexdigest()


def canonical(value):  # RFC 8785: names are ASCII and numbers are whole, so that this is all there is to it
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def verify(lines):
    streams, findings = {}, []
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            if line != canonical(record) + b"\n":
                raise ValueError("not in canonical form")
            claimed = record.pop("hash")
            if claimed != digest(b"record", canonical(record)):
                raise ValueError("edited: the hash does not match")
            stream, sequence, kind = record["stream"], record["sequence"], record["event"]["kind"]
            known = streams.setdefault(stream, {"next": 0, "head": digest(b"stream", stream.encode()), "hashes": {}})
            if sequence < known["next"]:
                if known["hashes"].get(sequence) != claimed:
                    findings.append(f"line {number}: record {sequence} is out of order or differs from the first copy")
                continue
            if sequence > known["next"]:
                findings.append(f"line {number}: records from {known['next']} to {sequence - 1} are missing")
            elif record["previous"] != known["head"]:
                findings.append(f"line {number}: record {sequence} does not link to the one before")
            if (kind == "open") != (sequence == 0) or known.get("closed"):
                findings.append(f"line {number}: a stream opens with record 0 and ends with close")
            known.update(next=sequence + 1, head=claimed, closed=kind == "close")
            known["hashes"][sequence] = claimed
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            findings.append(f"line {number}: {error}")
    return streams, findings if streams or findings else ["there is no record in it"]


if __name__ == "__main__":
    tampered = False
    for name in sys.argv[1:]:
        with open(name, "rb") as file:
            streams, findings = verify(file)
        for stream, known in sorted(streams.items()):
            state = "closed" if known.get("closed") else "open"
            print(f"{name}: stream {stream} {state} at {known['next'] - 1}:{known['head']}")
        for finding in findings:
            print(f"{name}: {finding}")
        print(f"{name}: {len(findings)} findings" if findings else f"{name}: intact")
        tampered = tampered or bool(findings)
    sys.exit(tampered)
