#!/usr/bin/env python3
"""Checks an export of `tollgate ledger books`, offline and without any of Tollgate's code.

    python3 verify_export.py BOOKS.jsonl [--kept CHECKPOINTS.jsonl] [--key HEX] [--balances]

It computes every leaf, root and hash again, follows the chain of every slot up to the signed checkpoints, adds up all
postings and open holds, and compares the sums with the balances in the export. With --kept the books must also go through
checkpoints that you kept: the server's file, or lines that came by mail. With --key the last checkpoint must be signed by
that key, or by one that it handed over to. --balances prints the trial balance.

Exit code 0: all is well. Exit code 1: something is wrong; the message names the line. Exit code 2: a file cannot be read.
Needs Python 3.8 or newer and the file verify_receipt.py beside it, and nothing else. The export is read line by line:
memory grows with accounts and open holds. The formats are described in docs/ledger-format.md.
"""

import argparse
import json
import sys

from verify_receipt import (
    LEAVES, Wrong, batch_hash, checkpoint_bytes, digits, expect, is_signed_by, leaf_bytes, sha256,
)

GENESIS = "00" * 32


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


class Books:
    def __init__(self, kept):
        self.accounts, self.sums, self.holds, self.early = {}, {}, {}, {}
        self.keys, self.checkpoints, self.chains = {}, [], {}
        self.kept, self.anchors, self.slot = kept, {}, None
        self.entries = 0

    # --- what comes before the batches ---

    def account(self, line):
        self.accounts[line["id"]] = line["code"]

    def key(self, line):
        expect(line["number"] == len(self.keys) + 1, "key %d should stand here" % (len(self.keys) + 1))
        self.keys[line["number"]] = digits(line["public_key"], 32)

    def checkpoint(self, line):
        last = self.checkpoints[-1] if self.checkpoints else None
        number = len(self.checkpoints) + 1
        expect(line["number"] == number, "checkpoint %d should stand here" % number)
        expect(sha256(checkpoint_bytes(line)).hex() == line["hash"], "the checkpoint does not have its own hash")
        expect(line["prev_hash"] == (last["hash"] if last else GENESIS), "it is not linked to the one before")
        signing = 1 if last is None else last["key"] + (last["successor"] is not None)
        expect(line["key"] == signing, "signed by key %d instead of key %d" % (line["key"], signing))
        if line["successor"] is not None:
            follows = self.keys.get(signing + 1)
            expect(follows is not None and follows.hex() == line["successor"], "it hands over to another key")
            self.check_signature(line)
        reached = {head["slot"]: head["batch_no"] for head in last["heads"]} if last else {}
        for head in line["heads"]:
            expect(head["after"] == reached.get(head["slot"], 0), "its spans do not follow the one before")
            self.anchors.setdefault((head["slot"], head["batch_no"]), []).append((head, line["number"], False))
        self.checkpoints.append(line)

    def check_signature(self, checkpoint):
        """Every checkpoint carries the hash of the one before: the last signature of a key is good for all before."""
        key, data = self.keys.get(checkpoint["key"]), checkpoint_bytes(checkpoint)
        is_good = key is not None and is_signed_by(key, data, bytes.fromhex(checkpoint["signature"]))
        expect(is_good, "the signature of checkpoint %d is not good" % checkpoint["number"])

    def end_checkpoints(self, known_key):
        expect(self.checkpoints, "there is no signed checkpoint: nobody vouches for these books")
        self.check_signature(self.checkpoints[-1])
        expect(len(self.keys) <= self.checkpoints[-1]["key"] + 1, "there is a key that nobody handed over to")
        known = known_key is None or any(key == known_key for key in self.keys.values())
        expect(known, "no checkpoint is signed by your key")
        for checkpoint in self.kept:
            data, key = checkpoint_bytes(checkpoint), bytes.fromhex(checkpoint["public_key"])
            number = checkpoint["number"]
            expect(is_signed_by(key, data, bytes.fromhex(checkpoint["signature"])), "kept checkpoint %d is not signed" % number)
            expect(self.keys.get(checkpoint["key"]) == key, "kept checkpoint %d is signed by another key" % number)
            expect(number <= len(self.checkpoints), "kept checkpoint %d is missing" % number)
            expect(self.checkpoints[number - 1]["hash"] == checkpoint["hash"], "checkpoint %d is not the kept one" % number)

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
        anchors = self.anchors.pop((batch["slot"], batch["batch_no"]), [])
        for head, number, _ in anchors:
            is_same = head["hash"] == batch["hash"] and head["seq"] == chain.seq
            expect(is_same, "%s: checkpoint %d vouches for another one" % (name, number))
            if head["after"] < head["batch_no"]:
                expect(head["span"] == chain.span.root().hex(), "%s: checkpoint %d has another span" % (name, number))
                chain.span = Tree()

    # --- the money ---

    def count(self, line, chain):
        if line["line"] == "transaction":
            for debit, credit, amount in line["postings"]:
                for account in (debit, credit):
                    expect(account in self.accounts, "there is no account %d" % account)
                self.sum_of(debit)[0] += amount
                self.sum_of(credit)[1] += amount
                chain.postings += 1
                chain.total += amount
        elif line["line"] == "hold":
            if self.early.pop(line["id"], None) is None:
                self.holds[line["id"]] = line
                self.reserve(line, 1)
        elif line["line"] == "settlement":
            hold = self.holds.pop(line["hold_id"], None)
            if hold is None:
                expect(line["hold_id"] not in self.early, "hold %s ends twice" % line["hold_id"])
                self.early[line["hold_id"]] = line
            else:
                expect(0 <= line["captured"] <= hold["amount"], "more is charged than was reserved")
                self.reserve(hold, -1)

    def reserve(self, hold, times):
        """What its grants do not cover is the wallet's own."""
        own = hold["amount"]
        for _, account, amount in hold["sources"]:
            self.sum_of(account)[2] += times * amount
            own -= amount
        self.sum_of(hold["wallet"])[2] += times * own

    def sum_of(self, account):
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
        expect(not self.early, "a settlement ends a hold that was never placed")
        for (slot, batch_no), anchors in self.anchors.items():
            raise Wrong("checkpoint %d vouches for batch %d/%d, which is missing" % (anchors[0][1], slot, batch_no))

    def end(self):
        for account in sorted(set(self.sums) | set(self.stored)):
            found, stored = self.sums.get(account, [0, 0, 0]), self.stored.get(account, [0, 0, 0])
            for what, computed, written in zip(["debits", "credits", "held"], found, stored):
                text = "account %d: the entries make %s %d, the balance says %d"
                expect(computed == written, text % (account, what, computed, written))
        debits = sum(debit for debit, _, _ in self.sums.values())
        credits = sum(credit for _, credit, _ in self.sums.values())
        expect(debits == credits, "the trial balance does not come to nothing")


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
        except (Wrong, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise Wrong("line %d: %s: %s" % (number, type(error).__name__, error)) from error
    expect(count and ORDER[stage] == "end", "the export was cut off: it has no end")
    return books


def report(books, prints_balances):
    covered = {head["slot"]: head["batch_no"] for head in books.checkpoints[-1]["heads"]}
    after = sum(chain.batch_no - covered.get(slot, 0) for slot, chain in books.chains.items())
    if prints_balances:
        for account, (debits, credits, _) in sorted(books.sums.items()):
            print("%24d %24d %24d  %s" % (debits, credits, credits - debits, books.accounts[account]))
    last = books.checkpoints[-1]
    key = books.keys[last["key"]].hex()
    batches = sum(chain.batch_no for chain in books.chains.values())
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
        kept = []
        if asked.kept:
            with open(asked.kept, encoding="utf-8") as file:
                kept = [json.loads(line) for line in file if line.strip()]
        known_key = digits(asked.key, 32) if asked.key else None
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
