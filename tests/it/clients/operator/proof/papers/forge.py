#!/usr/bin/env python3
"""Makes an export fit again after somebody changed it: a forger who can write the books, and has keys of their own.

    python3 forge.py FOLDER_OF_THE_SCRIPTS BOOKS.jsonl

The new export goes to standard output. Entries and batches are numbered as they stand, an entry is of the batch above
it, and every sum, root, hash and span is computed again. Of a head only `slot` and `batch_no` are read. A `public_key`
that is null becomes one of the forger's, a `successor` that is true becomes the key with the next number. Keys that are
named stay: what they would have to sign keeps the signature that it had, since only their holder can make another.

The two scripts compute what is hashed: tests with real exports say that they do it as the ledger does.
"""

import hashlib
import json
import sys

sys.path.insert(0, sys.argv[1])

from verify_export import GENESIS, Tree  # noqa: E402
from verify_receipt import (  # noqa: E402
    BASE, LEAVES, ORDER, P, batch_hash, checkpoint_bytes, leaf_bytes, sha256, times,
)


class Key:
    """A pair of keys (RFC 8032) that anybody could make."""

    def __init__(self, number):
        digest = hashlib.sha512(b"the forger's key %d" % number).digest()
        self.secret = int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254
        self.prefix, self.public = digest[32:], bytes_of(times(self.secret, BASE))

    def sign(self, message):
        once = number_of(self.prefix + message)
        nonce = bytes_of(times(once, BASE))
        s = (once + number_of(nonce + self.public + message) * self.secret) % ORDER
        return nonce + s.to_bytes(32, "little")


def number_of(data):
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % ORDER


def bytes_of(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def close_batches(lines):
    """Returns, by slot, the batches in their order."""
    slots, entries = {}, []
    for line in lines:
        if line["line"] == "batch":
            entries = []
            slots.setdefault(line["slot"], []).append((line, entries))
        elif line["line"] in LEAVES:
            entries.append(line)
    for slot, batches in slots.items():
        seq, before = 0, GENESIS
        for batch_no, (batch, entries) in enumerate(batches, 1):
            tree, amounts = Tree(), []
            batch.update(batch_no=batch_no, first_seq=seq + 1, n_entry=len(entries), prev_hash=before)
            for entry in entries:
                seq += 1
                entry.update(slot=slot, seq=seq, batch_no=batch_no)
                tree.push(sha256(leaf_bytes(entry)))
                amounts += [amount for _, _, amount in entry.get("postings", [])]
            batch.update(n_posting=len(amounts), total=sum(amounts), merkle_root=tree.root().hex())
            before = batch["hash"] = batch_hash(batch).hex()
    return {slot: [batch for batch, _ in batches] for slot, batches in slots.items()}


def close_checkpoints(checkpoints, keys, slots):
    own = {}
    for key in keys:
        if key["public_key"] is None:
            own[key["number"]] = Key(key["number"])
            key["public_key"] = own[key["number"]].public.hex()
    before, reached = GENESIS, {}
    for number, checkpoint in enumerate(checkpoints, 1):
        checkpoint.update(number=number, prev_hash=before)
        for head in checkpoint["heads"]:
            close_head(head, slots[head["slot"]], reached)
        if number == 1:
            keys[0]["from_us"] = checkpoint["made_us"]
        if checkpoint["successor"] is not None:
            follows = keys[checkpoint["key"]]
            follows["from_us"] = checkpoint["made_us"]
            if checkpoint["successor"] is True:
                checkpoint["successor"] = follows["public_key"]
        data = checkpoint_bytes(checkpoint)
        before = checkpoint["hash"] = sha256(data).hex()
        if checkpoint["key"] in own:
            checkpoint["signature"] = own[checkpoint["key"]].sign(data).hex()


def close_head(head, batches, reached):
    after, end, span = reached.get(head["slot"], 0), head["batch_no"], Tree()
    for batch in batches[after:end]:
        span.push(bytes.fromhex(batch["hash"]))
    last = batches[end - 1]
    seq = last["first_seq"] + last["n_entry"] - 1
    head.update(seq=seq, hash=last["hash"], after=after, span=span.root().hex())
    reached[head["slot"]] = end


def main(path):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    of_kind = {kind: [line for line in lines if line["line"] == kind] for kind in ["key", "checkpoint"]}
    close_checkpoints(of_kind["checkpoint"], of_kind["key"], close_batches(lines))
    lines[-1]["lines"] = len(lines) - 1
    for line in lines:
        print(json.dumps(line))


main(sys.argv[2])
