#!/usr/bin/env python3
"""Checks an export of `tollgate ledger books`, offline and without any of Tollgate's code.

    python3 verify_export.py BOOKS.jsonl [--kept CHECKPOINTS.jsonl] [--key HEX] [--balances]

It computes every leaf, root and hash again, follows the chain of every slot up to the signed checkpoints, adds up all
postings and open holds, and compares the sums with the balances in the export. With --kept the books must also go
through checkpoints that you kept: the server's file, or lines that came by mail. With --key the last checkpoint must be
signed by that key, or by one that it handed over to. A key that was handed over to and has not signed yet counts for
nothing: whoever knows a public key can write it there. --balances prints the trial balance.

Exit code 0: all is well. Exit code 1: something is wrong; the message names the line. Exit code 2: a file cannot be
read. Needs Python 3.8 or newer and the file verify_receipt.py beside it, and nothing else. Both files are read line by
line: memory grows with accounts and open holds, and by a few hundred bytes for each slot that a checkpoint found new
batches in. The formats are described in docs/ledger-format.md.
"""

import argparse
import json
import sys
from collections import deque

from verify_receipt import (
    LEAVES, Wrong, batch_hash, checkpoint_bytes, digits, expect, hash_value, integer, is_signed_by, leaf_bytes, sha256,
)

GENESIS = "00" * 32
# What stands before the first checkpoint.
NO_CHECKPOINT = {"number": 0, "made_us": -(2**63), "key": 1, "successor": None, "hash": GENESIS}
# What reading a line that is none can end with.
FAULTS = (Wrong, KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)


class Tree:
    """The Merkle root of leaves that come one after the other."""

    def __init__(self):
        self.full = []

    def push(self, leaf):
        level = 0
        while self.full and self.full[-1][0] == level:
            leaf = sha256(b"\1" + self.full.pop()[1] + leaf)
            level += 1
        self.full.append((level, leaf))

    def root(self):
        root = None
        for _, left in reversed(self.full):
            root = left if root is None else sha256(b"\1" + left + root)
        return sha256(b"") if root is None else root


class Chain:
    """A slot's chain as far as it has been followed."""

    def __init__(self):
        self.batch_no, self.seq, self.epoch, self.recorded_us, self.hash = 0, 0, 0, 0, GENESIS
        self.span = Tree()
        self.batch = None


def mark_of(seq, batch, span):
    """What a chain has to come to at a checkpoint: the last entry, the last batch, the root over the new batches."""
    return integer(seq) + hash_value(batch) + span


class Books:
    def __init__(self, kept):
        self.accounts, self.sums, self.holds, self.early = {}, {}, {}, {}
        self.keys, self.last, self.kept = {}, NO_CHECKPOINT, kept
        # By slot: where it stood in the last checkpoint, and what its chain has still to go through.
        self.reached, self.anchors = {}, {}
        self.chains, self.slot, self.entries = {}, None, 0

    # --- what comes before the batches ---

    def account(self, line):
        expect(line["code"].isprintable(), "the name of account %d cannot be printed" % line["id"])
        self.accounts[line["id"]] = line["code"]

    def key(self, line):
        number = len(self.keys) + 1
        expect(line["number"] == number, "key %d should stand here" % number)
        self.keys[number] = (digits(line["public_key"], 32), line["from_us"])

    def checkpoint(self, line):
        last, number, digest = self.last, self.last["number"] + 1, sha256(checkpoint_bytes(line))
        expect(line["number"] == number, "checkpoint %d should stand here" % number)
        expect(digest.hex() == line["hash"], "the checkpoint does not have its own hash")
        expect(line["prev_hash"] == last["hash"], "it is not linked to the one before")
        expect(line["made_us"] >= last["made_us"], "it is older than the one before")
        self.check_keys(line, last["key"] + (last["successor"] is not None))
        kept_hash, kept_key = self.kept.pop(number, (digest, self.keys[line["key"]][0]))
        expect(digest == kept_hash, "checkpoint %d is not the kept one" % number)
        expect(self.keys[line["key"]][0] == kept_key, "checkpoint %d was kept with another key" % number)
        for head in line["heads"]:
            self.anchor(head, number)
        self.last = line

    def check_keys(self, line, signing):
        """The first key begins with the first checkpoint, another one with the checkpoint that hands over to it."""
        expect(line["key"] == signing, "signed by key %d instead of key %d" % (line["key"], signing))
        expect(signing in self.keys, "key %d is missing" % signing)
        if line["number"] == 1:
            expect(self.keys[1][1] == line["made_us"], "key 1 begins at another time")
        if line["successor"] is not None:
            named = (digits(line["successor"], 32), line["made_us"])
            expect(self.keys.get(signing + 1) == named, "it hands over to another key, or at another time")
            self.check_signature(line)

    def check_signature(self, checkpoint):
        """Every checkpoint carries the hash of the one before: the last signature of a key is good for all before."""
        key, signature = self.keys[checkpoint["key"]][0], bytes.fromhex(checkpoint["signature"])
        is_good = is_signed_by(key, checkpoint_bytes(checkpoint), signature)
        expect(is_good, "the signature of checkpoint %d is not good" % checkpoint["number"])

    def anchor(self, head, number):
        """Of a checkpoint only what its slots have to come to is remembered, and that until they have."""
        slot, end = head["slot"], (head["batch_no"], head["seq"], head["hash"])
        before = self.reached.get(slot, (0, 0, GENESIS))
        expect(head["after"] == before[0] <= end[0], "its spans do not follow the one before")
        if end[0] > before[0]:
            mark = mark_of(head["seq"], head["hash"], hash_value(head["span"]))
            self.anchors.setdefault(slot, deque()).append((end[0], number, mark))
        else:
            expect(end == before, "slot %d has no new batch and another end" % slot)
        self.reached[slot] = end

    def end_checkpoints(self, known_key):
        last = self.last
        expect(last["number"] > 0, "there is no signed checkpoint: nobody vouches for these books")
        self.check_signature(last)
        named = last["key"] + (last["successor"] is not None)
        expect(len(self.keys) == named, "there is a key that nobody handed over to")
        # Only these have signed: each but the last has handed over, and the last one's signature was just checked.
        have_signed = [self.keys[number][0] for number in range(1, last["key"] + 1)]
        expect(known_key is None or known_key in have_signed, "no checkpoint is signed by your key")
        if self.kept:
            raise Wrong("kept checkpoint %d is missing" % min(self.kept))

    # --- the chains ---

    def batch(self, line):
        slot = line["slot"]
        self.end_batch()
        if slot != self.slot:
            expect(slot not in self.chains, "slot %d stands in two places" % slot)
            self.slot, self.chains[slot] = slot, Chain()
        chain = self.chains[slot]
        expect(line["batch_no"] == chain.batch_no + 1, "batch %d/%d should stand here" % (slot, chain.batch_no + 1))
        expect(line["first_seq"] == chain.seq + 1, "the batch should begin with entry %d" % (chain.seq + 1))
        expect(line["prev_hash"] == chain.hash, "the batch is not linked to the one before")
        expect(line["epoch"] >= chain.epoch, "a writer of an earlier term goes on")
        expect(line["recorded_us"] >= chain.recorded_us, "time goes backwards")
        expect(batch_hash(line).hex() == line["hash"], "the batch does not have its own hash")
        chain.batch, chain.tree, chain.postings, chain.total = line, Tree(), 0, 0

    def entry(self, line):
        chain = self.chains.get(line["slot"])
        expect(chain is not None and line["slot"] == self.slot and chain.batch, "the entry stands before its batch")
        expect(line["seq"] == chain.seq + 1, "entry %d/%d should stand here" % (line["slot"], chain.seq + 1))
        expect(line["batch_no"] == chain.batch["batch_no"], "the entry is of another batch")
        chain.seq = line["seq"]
        chain.tree.push(sha256(leaf_bytes(line)))
        self.entries += 1
        self.count(line, chain)

    def end_batch(self):
        chain = self.chains.get(self.slot)
        if chain is None or chain.batch is None:
            return
        batch, chain.batch = chain.batch, None
        name = "batch %d/%d" % (batch["slot"], batch["batch_no"])
        expect(chain.seq - batch["first_seq"] + 1 == batch["n_entry"], "%s: entries are missing" % name)
        expect(chain.tree.root().hex() == batch["merkle_root"], "%s: its entries are not what was hashed" % name)
        expect(chain.postings == batch["n_posting"], "%s: it does not have so many postings" % name)
        expect(chain.total == batch["total"], "%s: its postings do not add up to its total" % name)
        chain.batch_no, chain.hash = batch["batch_no"], batch["hash"]
        chain.epoch, chain.recorded_us = batch["epoch"], batch["recorded_us"]
        chain.span.push(bytes.fromhex(batch["hash"]))
        anchors = self.anchors.get(batch["slot"])
        if anchors and anchors[0][0] == batch["batch_no"]:
            _, number, mark = anchors.popleft()
            is_same = mark == mark_of(chain.seq, chain.hash, chain.span.root())
            expect(is_same, "%s: checkpoint %d vouches for another one, or another span" % (name, number))
            chain.span = Tree()

    # --- the money ---

    def count(self, line, chain):
        if line["line"] == "transaction":
            for debit, credit, amount in line["postings"]:
                self.sum_of(debit)[0] += amount
                self.sum_of(credit)[1] += amount
                chain.postings += 1
                chain.total += amount
        elif line["line"] == "hold":
            self.place(line)
        elif line["line"] == "settlement":
            self.settle(line)

    def place(self, line):
        name = line["id"]
        expect(name not in self.holds, "hold %s is open already" % name)
        self.holds[name] = (line["amount"], line["wallet"], line["sources"])
        self.reserve(self.holds[name], 1)
        if name in self.early:
            slot, captured = self.early.pop(name)
            expect(slot != line["slot"], "hold %s ended before it was placed" % name)
            self.end_hold(name, captured)

    def settle(self, line):
        """There is no order between slots: the hold may stand in one that is still to come. Its end waits for it."""
        name = line["hold_id"]
        if name in self.holds:
            self.end_hold(name, line["captured"])
        else:
            expect(name not in self.early, "hold %s ends twice" % name)
            self.early[name] = (line["slot"], line["captured"])

    def end_hold(self, name, captured):
        hold = self.holds.pop(name)
        expect(0 <= captured <= hold[0], "hold %s: more is charged than was reserved" % name)
        self.reserve(hold, -1)

    def reserve(self, hold, times):
        """What its grants do not cover is the wallet's own."""
        own, wallet, sources = hold
        for _, account, amount in sources:
            self.sum_of(account)[2] += times * amount
            own -= amount
        self.sum_of(wallet)[2] += times * own

    def sum_of(self, account):
        expect(account in self.accounts, "there is no account %d" % account)
        return self.sums.setdefault(account, [0, 0, 0])

    def balance(self, line):
        expect(line["account"] in self.accounts, "there is no account %s" % line["account"])
        stored = self.stored.setdefault(line["account"], [0, 0, 0])
        stored[0] += line["debits"]
        stored[1] += line["credits"]
        stored[2] += line["held"] or 0

    def end_chains(self):
        self.end_batch()
        self.slot = None
        self.stored = {}
        expect(not self.early, "a settlement ends a hold that was never placed, or that had ended")
        for slot, anchors in self.anchors.items():
            for batch_no, number, _ in anchors:
                raise Wrong("checkpoint %d vouches for batch %d/%d, which is missing" % (number, slot, batch_no))

    def end(self):
        for account in sorted(set(self.sums) | set(self.stored)):
            found, stored = self.sums.get(account, [0, 0, 0]), self.stored.get(account, [0, 0, 0])
            for what, computed, written in zip(["debits", "credits", "held"], found, stored):
                text = "account %d: the entries make %s %d, the balance says %d"
                expect(computed == written, text % (account, what, computed, written))
        debits = sum(debit for debit, _, _ in self.sums.values())
        credits = sum(credit for _, credit, _ in self.sums.values())
        expect(debits == credits, "the trial balance does not come to nothing")


def read_kept(lines):
    """By the number of the checkpoint: its hash, computed from its fields, and the key that signed it."""
    kept = {}
    for at, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
            data, key = checkpoint_bytes(line), digits(line["public_key"], 32)
            expect(sha256(data).hex() == line["hash"], "it does not have its own hash")
            expect(is_signed_by(key, data, bytes.fromhex(line["signature"])), "it is not signed by its key")
            found = (sha256(data), key)
            expect(kept.setdefault(line["number"], found) == found, "another one of this number was kept, too")
        except FAULTS as error:
            raise Wrong("kept checkpoint in line %d: %s: %s" % (at, type(error).__name__, error)) from error
    expect(kept, "the file of kept checkpoints holds no checkpoint")
    return kept


ORDER = ["header", "account", "key", "checkpoint", "batch", "balance", "end"]


def check(lines, kept, known_key=None):
    """Returns the books that were read; raises Wrong with the number of the line."""
    books, stage, count = Books(kept), 0, 0
    takers = {"account": books.account, "key": books.key, "checkpoint": books.checkpoint, "batch": books.batch,
              "balance": books.balance}
    for number, raw in enumerate(lines, 1):
        try:
            expect(ORDER[stage] != "end", "there is something behind the end")
            line = json.loads(raw)
            kind = line["line"]
            at = ORDER.index("batch" if kind in LEAVES else kind)
            expect(at >= stage and (stage or number == 1 or at), "the line stands in the wrong place")
            expect(number > 1 or kind == "header", "this is no export that I know")
            if at >= 4 > stage:
                books.end_checkpoints(known_key)
            if at >= 5 > stage:
                books.end_chains()
            stage = at
            if kind == "header":
                is_known = number == 1 and line["format"] == "tollgate-books" and line["version"] == 1
                expect(is_known, "this is no export that I know")
            elif kind == "end":
                expect(line["lines"] == count, "%d lines were written, %d are there" % (line["lines"], count))
                books.end()
            else:
                (books.entry if kind in LEAVES else takers[kind])(line)
            count += 1
        except FAULTS as error:
            raise Wrong("line %d: %s: %s" % (number, type(error).__name__, error)) from error
    expect(count and ORDER[stage] == "end", "the export was cut off: it has no end")
    return books


def report(books, prints_balances):
    if prints_balances:
        print("accounts and amounts follow from the entries; names are not proven: an export lacks what covers them")
        print("%20s %24s %24s %24s  %s" % ("account", "debits", "credits", "balance", "name (not proven)"))
        for account, (debits, credits, _) in sorted(books.sums.items()):
            print("%20d %24d %24d %24d  %s" % (account, debits, credits, credits - debits, books.accounts[account]))
    last, key = books.last, books.keys[books.last["key"]][0].hex()
    batches = sum(chain.batch_no for chain in books.chains.values())
    after = batches - sum(batch_no for batch_no, _, _ in books.reached.values())
    print("%d entries in %d batches; checkpoint %d, signed by %s, vouches for all but the last %d batches"
          % (books.entries, batches, last["number"], key, after))


def main(arguments):
    parser = argparse.ArgumentParser(description="Checks an export of Tollgate's books.")
    parser.add_argument("export")
    parser.add_argument("--kept")
    parser.add_argument("--key")
    parser.add_argument("--balances", action="store_true")
    asked = parser.parse_args(arguments)
    try:
        # An empty argument is one, too: what was asked for must not be left out because a variable was empty.
        known_key = None if asked.key is None else digits(asked.key, 32)
        kept = {}
        if asked.kept is not None:
            with open(asked.kept, encoding="utf-8") as file:
                kept = read_kept(file)
        with open(asked.export, encoding="utf-8") as file:
            books = check(file, kept, known_key)
    except OSError as error:
        print("a file cannot be read: %s" % error, file=sys.stderr)
        return 2
    except (Wrong, ValueError) as error:
        print("WRONG: %s" % error, file=sys.stderr)
        return 1
    report(books, asked.balances)
    print("the books are in order")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
