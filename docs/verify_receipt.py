#!/usr/bin/env python3
"""Checks a receipt of `tollgate ledger receipt`, offline and without any of Tollgate's code.

    python3 verify_receipt.py RECEIPT.json [--key HEX]

Exit code 0: every entry was recorded as the receipt says, is there once, and a checkpoint with a good signature vouches
for it. Exit code 1: something is wrong; the message says what. Exit code 2: the receipt cannot be read.

Whose signature that is decides everything: compare the key that is printed with `/ledger/keys` of the server, or with
the one in a mail that you kept, or give it with --key. Needs Python 3.8 or newer and nothing else. The format of the
bytes is described in docs/ledger-format.md.
"""

import hashlib
import json
import sys


class Wrong(Exception):
    """Something in the receipt is not as it has to be."""


def expect(condition, text):
    if not condition:
        raise Wrong(text)


# --- Ed25519 (RFC 8032), checking only: nothing here is secret, so nothing has to take constant time ---

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    """The sum of two points of the curve, in extended coordinates (X, Y, Z, T)."""
    p, q = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    r, s = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = q - p, s - r, s + r, q + p
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(count, point):
    total = (0, 1, 1, 0)
    while count:
        if count & 1:
            total = add(total, point)
        point = add(point, point)
        count >>= 1
    return total


def same_point(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_of(data):
    """The point that 32 bytes stand for, or None."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed_by(key, message, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    holder, nonce = point_of(key), point_of(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if holder is None or nonce is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    return same_point(times(s, BASE), add(nonce, times(challenge, holder)))


# --- the canonical bytes of docs/ledger-format.md ---


def sha256(data):
    return hashlib.sha256(data).digest()


def integer(value):
    expect(isinstance(value, int) and -(2**63) <= value < 2**63, "`%r` is no 64-bit integer" % (value,))
    return value.to_bytes(8, "big", signed=True)


def digits(value, length):
    data = bytes.fromhex(value)
    expect(len(data) == length, "`%s` is not %d bytes" % (value, length))
    return data


def identifier(value):
    return digits(value, 16)


def hash_value(value):
    return digits(value, 32)


def text(value):
    data = value.encode()
    return len(data).to_bytes(4, "big") + data


def optional(write):
    return lambda value: b"\0" if value is None else b"\1" + write(value)


def list_of(write):
    return lambda items: len(items).to_bytes(4, "big") + b"".join(write(item) for item in items)


def posting(item):
    return b"".join(integer(part) for part in item)


def counter(item):
    return identifier(item[0]) + integer(item[1])


def source(item):
    return identifier(item[0]) + integer(item[1]) + integer(item[2])


# What is hashed of every kind of entry: the number of its kind, then its fields in their order.
LEAVES = {
    "transaction": (1, [
        ("id", identifier), ("kind", integer), ("hold_id", optional(identifier)), ("reverses", optional(identifier)),
        ("effective_us", integer), ("meta_hash", optional(hash_value)), ("postings", list_of(posting)),
    ]),
    "hold": (2, [
        ("id", identifier), ("wallet", integer), ("payee", integer), ("amount", integer), ("ttl_us", integer),
        ("publisher_bps", integer), ("partner_bps", integer), ("partner", optional(integer)),
        ("expiry_capture", optional(integer)), ("counters", list_of(counter)), ("meta_hash", optional(hash_value)),
    ]),
    "settlement": (3, [
        ("id", identifier), ("hold_id", identifier), ("outcome", integer), ("captured", integer),
        ("meta_hash", optional(hash_value)),
    ]),
    "refusal": (4, [("id", identifier), ("wallet", optional(integer)), ("reason", text), ("needed", integer)]),
    "grant": (6, [
        ("id", identifier), ("wallet", integer), ("account", integer), ("priority", integer), ("expires_us", integer),
    ]),
    "close": (7, [
        ("id", identifier), ("period", integer), ("start_us", integer), ("end_us", integer), ("cut", list_of(posting)),
        ("digest", hash_value),
    ]),
}

HEADER = ["slot", "batch_no", "epoch", "first_seq", "n_entry", "n_posting", "total", "recorded_us"]


def leaf_bytes(entry):
    expect(entry["line"] in LEAVES, "there is no entry `%s`" % entry["line"])
    kind, fields = LEAVES[entry["line"]]
    place = integer(entry["slot"]) + integer(entry["seq"])
    fields = b"".join(write(entry[name]) for name, write in fields)
    # A hold that reserves from grants has a kind of its own, with the grants behind its other fields.
    if entry["line"] == "hold" and entry["sources"]:
        kind, fields = 5, fields + list_of(source)(entry["sources"])
    return b"\0" + bytes([kind]) + place + fields


def batch_hash(batch):
    numbers = b"".join(integer(batch[name]) for name in HEADER)
    hashes = hash_value(batch["merkle_root"]) + hash_value(batch["prev_hash"])
    return sha256(b"\2" + numbers + identifier(batch["client_batch_id"]) + hashes)


def checkpoint_bytes(checkpoint):
    def head(item):
        first = b"".join(integer(item[name]) for name in ["slot", "batch_no", "seq"])
        return first + hash_value(item["hash"]) + integer(item["after"]) + hash_value(item["span"])

    def other(item):
        return text(item["name"]) + integer(item["count"]) + hash_value(item["hash"])

    numbers = b"".join(integer(checkpoint[name]) for name in ["number", "made_us", "key"])
    lists = list_of(head)(checkpoint["heads"]) + list_of(other)(checkpoint["others"])
    return b"\5" + numbers + hash_value(checkpoint["prev_hash"]) + lists + optional(hash_value)(checkpoint["successor"])


def climb(below, path):
    """The root that a path leads to."""
    for step in path:
        if "left" in step:
            below = sha256(b"\1" + hash_value(step["left"]) + below)
        else:
            below = sha256(b"\1" + below + hash_value(step["right"]))
    return below


def check_checkpoint(checkpoint, keys):
    number = checkpoint["number"]
    data = checkpoint_bytes(checkpoint)
    expect(sha256(data).hex() == checkpoint["hash"], "checkpoint %d does not have the hash that it names" % number)
    expect(checkpoint["key"] in keys, "key %d of checkpoint %d is missing" % (checkpoint["key"], number))
    is_good = is_signed_by(keys[checkpoint["key"]], data, bytes.fromhex(checkpoint["signature"]))
    expect(is_good, "the signature of checkpoint %d is not good" % number)


# --- the receipt ---


def check_entry(proven, checkpoints):
    entry, batch = proven["says"], proven["batch"]
    name = "%s %d/%d" % (entry["line"], entry["slot"], entry["seq"])
    leaf = leaf_bytes(entry)
    expect(leaf.hex() == proven["leaf"], "%s: its bytes are not what it says" % name)
    expect(batch["line"] == "batch" and entry["batch_no"] == batch["batch_no"], "%s: the batch is another one" % name)
    in_batch = batch["first_seq"] <= entry["seq"] < batch["first_seq"] + batch["n_entry"]
    expect(entry["slot"] == batch["slot"] and in_batch, "%s: the batch is another one" % name)
    root = climb(sha256(leaf), proven["path"])
    expect(root.hex() == batch["merkle_root"], "%s: it does not lead to the root of its batch" % name)
    expect(batch_hash(batch).hex() == batch["hash"], "%s: the batch does not have the hash that it names" % name)
    expect(proven["checkpoint"] in checkpoints, "%s: its checkpoint is missing" % name)
    heads = [head for head in checkpoints[proven["checkpoint"]]["heads"] if head["slot"] == batch["slot"]]
    expect(len(heads) == 1, "%s: its checkpoint does not know its slot" % name)
    is_covered = heads[0]["after"] < batch["batch_no"] <= heads[0]["batch_no"]
    expect(is_covered, "%s: its checkpoint does not vouch for its batch" % name)
    span = climb(bytes.fromhex(batch["hash"]), proven["span_path"])
    expect(span.hex() == heads[0]["span"], "%s: its batch does not lead to its checkpoint" % name)
    return name


def check_receipt(receipt, known_key=None):
    expect(receipt["format"] == "tollgate-receipt" and receipt["version"] == 1, "this is no receipt that I know")
    keys = {key["number"]: digits(key["public_key"], 32) for key in receipt["keys"]}
    checkpoints = {checkpoint["number"]: checkpoint for checkpoint in receipt["checkpoints"]}
    for checkpoint in checkpoints.values():
        check_checkpoint(checkpoint, keys)
        if known_key is not None:
            used = keys[checkpoint["key"]]
            expect(used == known_key, "checkpoint %d is signed by another key than yours" % checkpoint["number"])
    expect(receipt["entries"], "there is nothing in it")
    wanted, places = receipt["id"].rpartition("_")[2], set()
    for proven in receipt["entries"]:
        name = check_entry(proven, checkpoints)
        entry = proven["says"]
        # Read as two, one charge would be twice as much.
        place = (entry["slot"], entry["seq"])
        expect(place not in places, "%s: it is there twice" % name)
        places.add(place)
        names = [entry.get(column) for column in ["id", "hold_id", "reverses"]]
        expect(wanted in names, "%s: it is not about %s" % (name, receipt["id"]))
        print("%s: %s" % (name, describe(entry, proven["batch"])))
    for checkpoint in checkpoints.values():
        print("checkpoint %d, signed by %s" % (checkpoint["number"], keys[checkpoint["key"]].hex()))


def describe(entry, batch):
    moved = {
        "transaction": lambda: ", ".join("%d from account %d to account %d" % (amount, debit, credit)
                                         for debit, credit, amount in entry["postings"]) or "nothing moved",
        "hold": lambda: "%d of account %d reserved" % (entry["amount"], entry["wallet"]),
        "settlement": lambda: "%d charged" % entry["captured"],
        "refusal": lambda: "refused: %s" % entry["reason"],
        "grant": lambda: "credits that expire at %d us" % entry["expires_us"],
        "close": lambda: "period %d was closed" % entry["period"],
    }[entry["line"]]()
    return "%s (micro-credits), recorded at %d us since 1970" % (moved, batch["recorded_us"])


def main(arguments):
    known_key = None
    if len(arguments) == 3 and arguments[1] == "--key":
        known_key = bytes.fromhex(arguments[2])
    elif len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as file:
            receipt = json.load(file)
    except (OSError, ValueError) as error:
        print("the receipt cannot be read: %s" % error, file=sys.stderr)
        return 2
    try:
        check_receipt(receipt, known_key)
    except (Wrong, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        print("WRONG: %s: %s" % (type(error).__name__, error), file=sys.stderr)
        return 1
    print("the receipt is good")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
