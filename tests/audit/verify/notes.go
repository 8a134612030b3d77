package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/transparency-dev/formats/log"
	formats_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	merkle "github.com/transparency-dev/merkle/proof"
)

// keyring is whom to believe: the log, and so many of these witnesses.
type keyring struct {
	log       string
	witnesses list
	quorum    int
}

// list is a flag that may be repeated.
type list []string

func (l *list) String() string         { return strings.Join(*l, " ") }
func (l *list) Set(value string) error { *l = append(*l, value); return nil }

// open gives the checkpoint of a signed note if the log and enough witnesses signed it.
func (k keyring) open(signed []byte) (*log.Checkpoint, error) {
	verifier, err := note.NewVerifier(k.log)
	if err != nil {
		return nil, fmt.Errorf("-vkey: %w", err)
	}
	var witnesses []note.Verifier
	for _, vkey := range k.witnesses {
		witness, err := formats_note.NewVerifierForCosignatureV1(vkey)
		if err != nil {
			return nil, fmt.Errorf("-witness: %w", err)
		}
		witnesses = append(witnesses, witness)
	}
	checkpoint, extensions, opened, err := log.ParseCheckpoint(signed, verifier.Name(), verifier, witnesses...)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(append(checkpoint.Marshal(), extensions...), []byte(opened.Text)) {
		return nil, fmt.Errorf("the checkpoint is not in its canonical form: %q", opened.Text)
	}
	if cosigned := len(opened.Sigs) - 1; cosigned < k.quorum {
		return nil, fmt.Errorf("%d witnesses cosigned, not %d", cosigned, k.quorum)
	}
	return checkpoint, nil
}

func (k keyring) openFile(path string) (*log.Checkpoint, error) {
	signed, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return k.open(signed)
}

func verifyCheckpoint(keys keyring, files []string) (*log.Checkpoint, error) {
	return keys.openFile(files[0])
}

func verifyProof(keys keyring, files []string) (*log.Checkpoint, error) {
	encoded, err := os.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	entry, err := os.ReadFile(files[1])
	if err != nil {
		return nil, err
	}
	var read proof.TLogProof
	if err := read.Unmarshal(encoded); err != nil {
		return nil, err
	}
	if !bytes.Equal(read.Marshal(), encoded) {
		return nil, fmt.Errorf("the proof is not in its canonical form")
	}
	checkpoint, err := keys.open(read.Checkpoint)
	if err != nil {
		return nil, err
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(entry)
	hashes := make([][]byte, len(read.Hashes))
	record := make(tlog.RecordProof, len(read.Hashes))
	for i, hash := range read.Hashes {
		hashes[i], record[i] = hash[:], tlog.Hash(hash)
	}
	err = merkle.VerifyInclusion(rfc6962.DefaultHasher, read.Index, checkpoint.Size, leaf, hashes, checkpoint.Hash)
	if err != nil {
		return nil, err
	}
	head, size := tlog.Hash(checkpoint.Hash), int64(checkpoint.Size)
	return checkpoint, tlog.CheckRecord(record, size, head, int64(read.Index), tlog.RecordHash(entry))
}

func verifyConsistency(keys keyring, files []string) (*log.Checkpoint, error) {
	older, err := keys.openFile(files[0])
	if err != nil {
		return nil, err
	}
	newer, err := keys.openFile(files[1])
	if err != nil {
		return nil, err
	}
	lines, err := os.ReadFile(files[2])
	if err != nil {
		return nil, err
	}
	var hashes [][]byte
	var tree tlog.TreeProof
	for _, line := range strings.Fields(string(lines)) {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes, tree = append(hashes, hash[:]), append(tree, hash)
	}
	err = merkle.VerifyConsistency(rfc6962.DefaultHasher, older.Size, newer.Size, hashes, older.Hash, newer.Hash)
	if err != nil || older.Size == 0 { // of an empty tree tlog proves nothing
		return newer, err
	}
	return newer, tlog.CheckTree(
		tree, int64(newer.Size), tlog.Hash(newer.Hash), int64(older.Size), tlog.Hash(older.Hash))
}
